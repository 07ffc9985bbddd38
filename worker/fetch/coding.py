"""Content codings (RFC 9110, 8.4) undone incrementally, in bounded memory.

Output is asked for in pieces and counted after every coding, so that a bomb costs a few pieces of memory and
is cut at the limit, and so is one that hides between two stacked codings.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import brotli
from isal.igzip_lib import DECOMP_DEFLATE, DECOMP_GZIP, DECOMP_ZLIB, IgzipDecompressor, IsalError

from worker.errors import FetchFailed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: How much output is asked for at once. Brotli's buffer grows in steps and may hand out up to twice as much.
PIECE_BYTES = 65_536

_ALIASES = {"x-gzip": "gzip"}
_CODINGS_MAX = 3
_DEFLATED = 8  # RFC 1950, 2.2: CM
#: A gzip member may be 20 bytes that decompress to nothing: without a bound, 10 MB of them would hold the
#: loop for half a second with no output to count. Nobody sends a page in this many.
_MEMBERS_MAX = 1_000
#: RFC 9659, 3: content may not ask for more than 8 MB of window.
_ZSTD_WINDOW_LOG = 23

_Errors = tuple[type[Exception], ...]
#: The stub of isal has an instance for the class.
_DECODE_ERRORS: _Errors = (IsalError, brotli.error, zstd.ZstdError, EOFError)  # type: ignore[assignment]


def parse_codings(header: str) -> tuple[str, ...]:
    """The codings of a Content-Encoding header, in the order they were applied, without `identity`.

    RFC 9110, 8.4; `x-gzip` is gzip by 8.4.1.3.
    Raises FetchFailed("bad_encoding") for an unknown coding or more than three.
    """
    names = (name.strip().lower() for name in header.split(","))
    codings = tuple(_ALIASES.get(name, name) for name in names if name not in {"", "identity"})
    if len(codings) > _CODINGS_MAX:
        raise FetchFailed("bad_encoding", f"{len(codings)} codings on top of each other")
    for coding in codings:
        if coding not in _CODINGS:
            raise FetchFailed("bad_encoding", f"unknown coding {coding[:40]!r}")
    return codings


class Decoder:
    """Undoes a stack of content codings incrementally. Pure: bytes in, pieces out.

    Each piece is at most twice PIECE_BYTES (uncoded bytes pass as they came). The iterators are lazy: what
    is not asked for is not decompressed. After an exception, or an iterator left early, it is of no more use.
    """

    def __init__(self, codings: Sequence[str], *, limit_bytes: int) -> None:
        # Listed in the order they were applied, so the last one is taken off first.
        self._stages = [_Stage(coding, limit_bytes) for coding in reversed(codings)]
        self._limit = _Limit(limit_bytes)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` adds to the output, in pieces.

        Raises FetchFailed: `too_large` past the limit, after any coding; `bad_encoding`.
        """
        pieces: Iterator[bytes] = iter((data,))
        for stage in self._stages:
            pieces = stage.decode(pieces)
        return map(self._limit.count, pieces)

    def finish(self) -> None:
        """Say that the input has ended.

        Raises FetchFailed("bad_response") if a coding is unfinished: of a body that ends with its
        connection, this is the only sign that it was cut, and a second attempt may get all of it. So it is
        not `bad_encoding`.
        """
        for stage in self._stages:
            stage.finish()


def undone(body: bytes, codings: Sequence[str], *, limit_bytes: int) -> bytes:
    """A whole body without its codings. Raises FetchFailed as `Decoder` does."""
    if not codings:
        return body
    decoder = Decoder(codings, limit_bytes=limit_bytes)
    plain = b"".join(decoder.feed(body))
    decoder.finish()
    return plain


class _Limit:
    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._counted_bytes = 0

    def count(self, piece: bytes) -> bytes:
        self._counted_bytes += len(piece)
        if self._counted_bytes > self._limit_bytes:
            raise FetchFailed("too_large", f"more than {self._limit_bytes} bytes decompressed")
        return piece


class _Engine(Protocol):
    """One gzip member, zstd frame, deflate or br stream being decompressed, as zstd and isal offer it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Brotli:
    unused_data = b""  # bytes after the stream are an error to this library

    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._brotli.is_finished())

    @property
    def needs_input(self) -> bool:
        return bool(self._brotli.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return bytes(self._brotli.process(data, output_buffer_limit=max_length))


def _zstd_engine(_: bytes) -> _Engine:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


def _deflate_engine(data: bytes) -> _Engine:
    """RFC 9110, 8.4.1.2 means zlib's wrapper, and notes that some servers send bare deflate."""
    wrapped = data[0] & 0x0F == _DEFLATED and int.from_bytes(data[:2]) % 31 == 0
    return IgzipDecompressor(DECOMP_ZLIB if wrapped else DECOMP_DEFLATE)


def _is_gzip(data: bytes) -> bool | None:
    return None if data == b"\x1f" else data[:2] == b"\x1f\x8b"


def _is_zstd(data: bytes) -> bool | None:
    """A frame, or a skippable frame (RFC 8878, 3.1)."""
    if len(data) < 4:
        return None
    return data[:4] == b"\x28\xb5\x2f\xfd" or (data[0] & 0xF0 == 0x50 and data[1:4] == b"\x2a\x4d\x18")


@dataclass(frozen=True, slots=True)
class _Coding:
    begins: Callable[[bytes], bool | None]  # None: these bytes are too few to tell
    engine: Callable[[bytes], _Engine]
    tail: Literal["members", "ignored", "refused"]  # what bytes after the first member are


_CODINGS = {
    "gzip": _Coding(_is_gzip, lambda _: IgzipDecompressor(DECOMP_GZIP), tail="members"),
    "deflate": _Coding(lambda data: len(data) >= 2 or None, _deflate_engine, tail="ignored"),
    "br": _Coding(lambda _: True, lambda _: _Brotli(), tail="refused"),
    "zstd": _Coding(_is_zstd, _zstd_engine, tail="members"),
}


class _Stage:
    """One coding of the stack: a series of members, then whatever a careless server appended."""

    def __init__(self, name: str, limit_bytes: int) -> None:
        self._name = name
        self._coding = _CODINGS[name]
        self._limit = _Limit(limit_bytes)
        self._engine: _Engine | None = None
        self._undecided = b""  # the first bytes of what may be a member
        self._members = 0
        self._ended = False

    def decode(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self._decode(piece)

    def finish(self) -> None:
        if self._engine is not None or (self._undecided and not self._members):
            raise FetchFailed("bad_response", f"the {self._name} body is cut short")

    def _decode(self, data: bytes) -> Iterator[bytes]:
        while data and not self._ended:
            if self._engine is None:
                data, self._undecided = self._undecided + data, b""
                match self._coding.begins(data):
                    case None:
                        self._undecided = data
                        return
                    case False:
                        self._end_of_members()
                        return
                    case True:
                        self._engine = self._coding.engine(data)
            yield from self._drain(self._engine, data)
            if not self._engine.eof:
                return
            data, self._engine = self._engine.unused_data, None
            self._count_member()
        if data and self._coding.tail == "refused":
            raise FetchFailed("bad_encoding", f"bytes after the {self._name} body")

    def _drain(self, engine: _Engine, data: bytes) -> Iterator[bytes]:
        try:
            while True:
                if piece := engine.decompress(data, PIECE_BYTES):
                    yield self._limit.count(piece)
                # Some ask for input with output still inside, when a piece was just filled.
                if engine.eof or (engine.needs_input and len(piece) < PIECE_BYTES):
                    return
                data = b""
        except _DECODE_ERRORS as exc:
            raise FetchFailed("bad_encoding", f"the {self._name} body is broken") from exc

    def _count_member(self) -> None:
        self._members += 1
        self._ended = self._coding.tail != "members"
        if self._members > _MEMBERS_MAX:
            raise FetchFailed("bad_encoding", f"more than {_MEMBERS_MAX} {self._name} members")

    def _end_of_members(self) -> None:
        if not self._members:
            raise FetchFailed("bad_encoding", f"the body is not {self._name}")
        self._ended = True  # browsers and gzip(1) ignore what follows, and so do we
