from __future__ import annotations

import gzip
import random
import sys
import time
import zlib
from typing import TYPE_CHECKING

import brotli
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from worker.errors import FetchFailed
from worker.fetch.coding import PIECE_BYTES, Decoder, parse_codings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = "Die Börse schloss höher.\n".encode() * 2000
LIMIT = 10_000_000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


def decode(codings: Iterable[str], data: bytes, *, step: int = 4096, limit: int = LIMIT) -> bytes:
    decoder = Decoder(tuple(codings), limit_bytes=limit)
    out = b"".join(piece for at in range(0, len(data), step) for piece in decoder.feed(data[at : at + step]))
    decoder.finish()
    return out


def reason(codings: Iterable[str], data: bytes, *, limit: int = LIMIT) -> str:
    with pytest.raises(FetchFailed) as failure:
        decode(codings, data, limit=limit)
    return failure.value.reason


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("step", [1, 7, 65_536])
def test_each_coding_decodes(coding: str, step: int) -> None:
    """Every coding gives back the body, however the wire cuts it."""
    assert decode([coding], ENCODERS[coding](TEXT), step=step) == TEXT


@pytest.mark.parametrize("step", [1, 2, 65_536])
def test_deflate_without_its_wrapper_decodes(step: int) -> None:
    """Bare deflate, which some servers send, is understood."""
    assert decode(["deflate"], raw_deflate(TEXT), step=step) == TEXT


@pytest.mark.parametrize("encode", [raw_deflate, *ENCODERS.values()])
def test_bodies_that_fill_their_last_piece(encode: Callable[[bytes], bytes]) -> None:
    """Output that a decoder still holds when its input is used up is not lost."""
    coding = next((name for name, encoder in ENCODERS.items() if encoder is encode), "deflate")
    for size in range(2 * PIECE_BYTES - 2, 2 * PIECE_BYTES + 5):
        assert decode([coding], encode(bytes(size)), step=PIECE_BYTES) == bytes(size)


@given(
    st.binary(max_size=3000),
    st.lists(st.sampled_from([*ENCODERS]), max_size=3),
    st.integers(1, 500),
)
def test_stacked_codings_come_off_in_reverse(data: bytes, codings: list[str], step: int) -> None:
    """A body encoded by up to three codings in turn decodes to itself."""
    encoded = data
    for coding in codings:
        encoded = ENCODERS[coding](encoded)
    assert decode(codings, encoded, step=step) == data


@given(st.binary(max_size=300), st.lists(st.sampled_from([*ENCODERS]), min_size=1, max_size=2))
def test_any_bytes_decode_or_fail_by_name(data: bytes, codings: list[str]) -> None:
    """Whatever the bytes, a decoder fails in no way but its own."""
    try:
        decode(codings, data)
    except FetchFailed as failure:
        outcome = failure.reason
    else:
        outcome = "decoded"
    assert outcome in {"decoded", "bad_encoding", "bad_response"}


@pytest.mark.parametrize("step", [1, 3, 65_536])
def test_members_follow_each_other(step: int) -> None:
    """Several gzip members (RFC 1952, 2.2) and zstd frames, skippable ones too, are one body."""
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    assert decode(["gzip"], gzip.compress(b"one ") + gzip.compress(b"two"), step=step) == b"one two"
    frames = zstd.compress(b"one ") + skippable + zstd.compress(b"two")
    assert decode(["zstd"], frames, step=step) == b"one two"


@pytest.mark.parametrize("garbage", [b"\x00", b"\x1f", b"\x00" * 600, b"<!-- served by x -->"])
@pytest.mark.parametrize("step", [1, 65_536])
def test_garbage_after_the_body_is_ignored(garbage: bytes, step: int) -> None:
    """Padding after gzip, deflate and zstd is passed over, as browsers do."""
    for coding in ("gzip", "deflate", "zstd"):
        assert decode([coding], ENCODERS[coding](TEXT) + garbage, step=step) == TEXT


@pytest.mark.parametrize("step", [1, 65_536])
def test_garbage_after_brotli_is_refused(step: int) -> None:
    """The library cannot tell where a stream ended, so bytes after it fail however they arrive."""
    with pytest.raises(FetchFailed, match="bad_encoding"):
        decode(["br"], brotli.compress(TEXT) + b"garbage", step=step)


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_cut_body_ended_early(coding: str) -> None:
    """Data that stops within a coding is a bad response, worth another attempt; it is not a bad encoding."""
    encoded = ENCODERS[coding](random.Random(1).randbytes(5000))
    for length in (1, 3, len(encoded) // 2, len(encoded) - 1):
        assert reason([coding], encoded[:length]) == "bad_response"


@pytest.mark.parametrize("coding", ENCODERS)
def test_nothing_decodes_to_nothing(coding: str) -> None:
    """An empty body under any coding is empty, not broken."""
    assert decode([coding], b"") == b""


@pytest.mark.parametrize("coding", ["gzip", "zstd", "br", "deflate"])
def test_a_body_that_is_not_encoded_is_refused(coding: str) -> None:
    """HTML announced as compressed is a bad encoding."""
    assert reason([coding], b"<html><body>" * 50) == "bad_encoding"


def test_a_broken_checksum_is_refused() -> None:
    """A gzip body whose CRC does not match is a bad encoding."""
    encoded = bytearray(gzip.compress(TEXT))
    encoded[-6] ^= 0xFF
    assert reason(["gzip"], bytes(encoded)) == "bad_encoding"


def bomb(coding: str, size: int) -> bytes:
    """`size` zeros in any coding, packed a megabyte at a time."""
    block = bytes(1_000_000)
    if coding == "zstd":
        frame = zstd.ZstdCompressor()
        return b"".join(frame.compress(block) for _ in range(size // len(block))) + frame.flush()
    if coding == "br":
        stream = brotli.Compressor(quality=1)
        return bytes(b"".join(stream.process(block) for _ in range(size // len(block))) + stream.finish())
    packer = zlib.compressobj(level=1, wbits=zlib.MAX_WBITS + (16 if coding == "gzip" else 0))
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_bomb_is_cut_at_the_limit(coding: str) -> None:
    """Of 200 MB of zeros, no more than the limit is decompressed, in small pieces and at once."""
    packed = bomb(coding, 200_000_000)
    decoder = Decoder([coding], limit_bytes=LIMIT)
    sizes: list[int] = []
    began = time.perf_counter()
    with pytest.raises(FetchFailed, match="too_large"):
        sizes.extend(len(piece) for piece in decoder.feed(packed))
    assert time.perf_counter() - began < 5
    assert LIMIT - 2 * PIECE_BYTES <= sum(sizes) <= LIMIT
    assert max(sizes) <= 2 * PIECE_BYTES


def test_a_bomb_between_two_codings_is_cut_too() -> None:
    """The limit holds after each coding, so a bomb that the next coding would swallow is still one."""
    members = gzip.compress(b"", mtime=0) * 900 + b"\x00" * 100_000_000  # decodes to nothing at all
    assert reason(["gzip", "gzip"], gzip.compress(members, 1)) == "too_large"


@pytest.mark.parametrize(
    ("coding", "member"), [("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstd.compress(b""))]
)
def test_endless_empty_members_are_cut(coding: str, member: bytes) -> None:
    """Members that decompress to nothing cost processor time without output, and are bounded by number."""
    assert reason([coding], member * 1001) == "bad_encoding"
    assert decode([coding], member * 1000) == b""


def test_zstd_windows_are_bounded() -> None:
    """A frame that asks for more than 8 MB of window (RFC 9659, 3) is refused, and one of 8 MB is not."""

    def frame(window_log: int) -> bytes:
        packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window_log})
        return packer.compress(bytes(17_000_000)) + packer.flush()

    assert len(decode(["zstd"], frame(23), limit=20_000_000)) == 17_000_000
    assert reason(["zstd"], frame(24), limit=20_000_000) == "bad_encoding"


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", ()),
        ("identity", ()),
        ("GZip", ("gzip",)),
        ("x-gzip", ("gzip",)),
        ("gzip, br", ("gzip", "br")),
        ("gzip,,identity , zstd", ("gzip", "zstd")),
    ],
)
def test_content_encoding_headers(header: str, codings: tuple[str, ...]) -> None:
    """Codings are read in order and any case; identity and empty elements mean nothing."""
    assert parse_codings(header) == codings


@pytest.mark.parametrize("header", ["compress", "utf-8", "gzip, sdch", "gzip, gzip, gzip, gzip"])
def test_unknown_and_endless_codings_are_refused(header: str) -> None:
    """A coding that was not offered, or a fourth one, is a bad encoding."""
    with pytest.raises(FetchFailed, match="bad_encoding"):
        parse_codings(header)


@given(
    st.sampled_from([zlib.MAX_WBITS, 16 + zlib.MAX_WBITS]),
    st.binary(max_size=400),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=3),
)
def test_damage_never_passes_for_a_text(wbits: int, text: bytes, damages: list[tuple[int, int]]) -> None:
    """A damaged body is refused, or says what zlib makes of it: the checksum is looked at."""
    packer = zlib.compressobj(wbits=wbits)
    packed = bytearray(packer.compress(text * 9) + packer.flush())
    for place, flip in damages:
        packed[place % len(packed)] ^= flip
    coding = "gzip" if wbits > zlib.MAX_WBITS else "deflate"
    # A head that is no zlib's any more makes it bare deflate, which has no checksum.
    assume(coding == "gzip" or (packed[0] & 0x0F == zlib.DEFLATED and int.from_bytes(packed[:2]) % 31 == 0))
    try:
        read = decode([coding], bytes(packed))
    except FetchFailed:
        return
    assert read == zlib.decompressobj(wbits).decompress(bytes(packed))
