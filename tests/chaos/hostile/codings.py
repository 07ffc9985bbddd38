"""Content codings: bombs, nests, lies, cuts and garbage at the end (RFC 9110, 8.4)."""

from __future__ import annotations

import gzip
import sys
import zlib

import brotli

from tests.chaos.hostile.bodies import NOISE
from tests.chaos.hostile.heads import PAGE
from tests.chaos.hostile.wire import Answer, Hostile, closes, drips, floods, hangs, head, says, whole
from tests.site.answers import gzip_bomb

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MIB = bytes(1024 * 1024)
_GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
_EMPTY_MEMBER = gzip.compress(b"", mtime=0)
_ZSTD_SKIPPED = b"\x50\x2a\x4d\x18" + (60_000).to_bytes(4, "little") + bytes(60_000)
#: A window of 2^41 bytes (RFC 8878, 3.1.1.1.2), and a block that uses none of it.
_ZSTD_HUGE_WINDOW = b"\x28\xb5\x2f\xfd\x00\xf8" + b"\x03\x00\x10x"


def _deflated(block: bytes) -> bytes:
    """`block` as deflate that may be repeated: after a full flush nothing depends on what came before."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)


def _br(*blocks: bytes) -> bytes:
    brotlied = brotli.Compressor(quality=1)
    return b"".join((*(brotlied.process(block) for block in blocks), brotlied.finish()))


def _coded(coding: str, body: bytes, *, type: str = "text/html") -> Answer:  # noqa: A002
    return says(whole(body, f"Content-Encoding: {coding}", type=type))


_ZEROS = _deflated(_MIB)  # about a kilobyte
_GZIP_100_MIB = gzip_bomb(100)
_BR_256_MIB = _br(*[_MIB] * 256)
_ZSTD_MIB = zstd.compress(_MIB)
_PAGE_GZ = gzip.compress(PAGE, mtime=0)

BOMBS = (
    Hostile(
        "gzip of 10 GB",
        "too_large",
        floods(head("Content-Encoding: gzip") + _GZIP_HEAD, _ZEROS, times=10_000),
    ),
    Hostile("gzip of 100 MB in 10 layers of members", "too_large", _coded("gzip", _GZIP_100_MIB * 10)),
    Hostile(
        "gzip members of nothing, without end",
        "bad_encoding|too_large|timeout",
        floods(head("Content-Encoding: gzip"), _EMPTY_MEMBER * 500),
    ),
    Hostile(
        "zlib deflate of 10 GB",
        "too_large",
        floods(head("Content-Encoding: deflate") + b"\x78\x9c", _ZEROS, times=10_000),
    ),
    Hostile(
        "bare deflate of 10 GB", "too_large", floods(head("Content-Encoding: deflate"), _ZEROS, times=10_000)
    ),
    Hostile("br of 256 MB", "too_large", _coded("br", _BR_256_MIB)),
    Hostile("zstd of 900 MB", "too_large", _coded("zstd", _ZSTD_MIB * 900)),
    Hostile("zstd with a window of 2 TB", "bad_encoding", _coded("zstd", _ZSTD_HUGE_WINDOW)),
    Hostile(
        "zstd frames to be skipped, without end",
        "bad_encoding|too_large|timeout",
        floods(head("Content-Encoding: zstd"), _ZSTD_SKIPPED),
    ),
    Hostile(
        "gzip in gzip in gzip of 100 MB",
        "too_large",
        _coded("gzip, gzip, gzip", gzip.compress(gzip.compress(_GZIP_100_MIB))),
    ),
    Hostile(
        "br in zstd in gzip of 256 MB",
        "too_large",
        _coded("br, zstd, gzip", gzip.compress(zstd.compress(_BR_256_MIB))),
    ),
    Hostile(
        "gzip with a file name of 20 MB",
        "too_large|bad_encoding|timeout",
        floods(head("Content-Encoding: gzip") + b"\x1f\x8b\x08\x08" + bytes(6), b"n" * 65_536, times=320),
    ),
)

LIES = (
    Hostile("four codings", "bad_encoding", _coded("gzip, gzip, gzip, gzip", _PAGE_GZ)),
    Hostile("a thousand codings", "bad_encoding", _coded("gzip, " * 1_000 + "gzip", _PAGE_GZ)),
    Hostile("a coding that nobody knows", "bad_encoding", _coded("sdch", PAGE)),
    Hostile("a coding of 10 KB", "bad_encoding", _coded("x" * 10_000, PAGE)),
    Hostile("gzip that is none", "bad_encoding", _coded("gzip", PAGE)),
    Hostile("br that is none", "bad_encoding", _coded("br", PAGE)),
    Hostile("zstd that is none", "bad_encoding", _coded("zstd", PAGE)),
    Hostile("gzip that is br", "bad_encoding", _coded("gzip", _br(PAGE))),
    Hostile("gzip that says identity", "not_html|not_article", _coded("identity", _PAGE_GZ)),
    Hostile("gzip that says nothing", "not_html|not_article", says(whole(_PAGE_GZ))),
    Hostile(
        "gzip that says text/plain", "not_html|not_article", _coded("identity", _PAGE_GZ, type="text/plain")
    ),
    Hostile("gzip once that says twice", "bad_encoding", _coded("gzip, gzip", _PAGE_GZ)),
    Hostile("gzip twice that says once", "not_html|not_article", _coded("gzip", gzip.compress(_PAGE_GZ))),
    Hostile("gzip of noise", "not_html|not_article", _coded("gzip", gzip.compress(NOISE))),
)

BROKEN = (
    Hostile("gzip cut short", "bad_response", _coded("gzip", _PAGE_GZ[:-20])),
    Hostile("gzip cut by a close", "bad_response", closes(head("Content-Encoding: gzip") + _PAGE_GZ[:-20])),
    Hostile("gzip with a false checksum", "bad_encoding", _coded("gzip", _PAGE_GZ[:-8] + bytes(8))),
    Hostile("gzip with noise in the middle", "bad_encoding", _coded("gzip", _PAGE_GZ[:200] + NOISE)),
    Hostile("gzip and garbage", "article", _coded("gzip", _PAGE_GZ + b"garbage" * 100)),
    Hostile("deflate and garbage", "article", _coded("deflate", zlib.compress(PAGE) + b"garbage" * 100)),
    Hostile("zstd and garbage", "article", _coded("zstd", zstd.compress(PAGE) + b"garbage" * 100)),
    Hostile("br and garbage", "bad_encoding|article", _coded("br", _br(PAGE) + b"garbage" * 100)),
    Hostile("br cut short", "bad_response", _coded("br", _br(PAGE)[:-20])),
    Hostile("zstd cut short", "bad_response", _coded("zstd", zstd.compress(PAGE)[:-20])),
    Hostile("gzip of nothing", "empty", _coded("gzip", _EMPTY_MEMBER)),
    Hostile("gzip that drips", "timeout|too_slow", drips(head("Content-Encoding: gzip"), _PAGE_GZ)),
    Hostile("gzip that stops", "too_slow", hangs(head("Content-Encoding: gzip") + _PAGE_GZ[:-20])),
)

ROWS = (*BOMBS, *LIES, *BROKEN)
