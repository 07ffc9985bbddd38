"""Bodies: lengths and chunks that lie, drips, floods, cuts, binaries under a text type."""

from __future__ import annotations

import random

from tests.chaos.hostile.heads import PAGE
from tests.chaos.hostile.wire import Hostile, chunk, closes, drips, floods, hangs, head, resets, says, whole

_CHUNKED = head("Transfer-Encoding: chunked")
_FLOOD = b"<p>The archive goes on and on, shelf after shelf.</p>\n" * 1_200
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + random.Random(1).randbytes(50_000)
NOISE = random.Random(2).randbytes(200_000)
_LENGTH = len(PAGE)

LENGTHS = (
    Hostile(
        "a length too short", "article|bad_response", says(whole(PAGE) + b"<script>garbage</script>" * 1_000)
    ),
    Hostile(
        "a second response behind the first", "article|bad_response", says(whole(PAGE) + whole(b"smuggled"))
    ),
    Hostile(
        "a length too long, then a close",
        "bad_response",
        closes(head(f"Content-Length: {_LENGTH + 9}") + PAGE),
    ),
    Hostile(
        "a length too long, then silence", "too_slow", hangs(head(f"Content-Length: {_LENGTH + 9}") + PAGE)
    ),
    Hostile("a negative length", "bad_response", says(head("Content-Length: -5") + PAGE)),
    Hostile("a length with a sign", "bad_response", says(head(f"Content-Length: +{_LENGTH}") + PAGE)),
    Hostile("a length in hex", "bad_response", says(head("Content-Length: 0x400") + PAGE)),
    Hostile("a length of letters", "bad_response", says(head("Content-Length: many") + PAGE)),
    Hostile(
        "two lengths that differ",
        "bad_response",
        says(head("Content-Length: 5", f"Content-Length: {_LENGTH}") + PAGE),
    ),
    Hostile("a list of lengths", "bad_response", says(head(f"Content-Length: 5, {_LENGTH}") + PAGE)),
    Hostile("a length of 10^30", "bad_response|too_large", says(head("Content-Length: 1" + "0" * 30) + PAGE)),
    Hostile("a length of 1 TB", "too_large", floods(head("Content-Length: 1000000000000"), _FLOOD)),
    Hostile("a length of 0 and a body", "empty|bad_response", says(head("Content-Length: 0") + PAGE)),
    Hostile(
        "a length and chunks",
        "article|bad_response",
        says(head("Content-Length: 5", "Transfer-Encoding: chunked") + chunk(PAGE) + chunk(b"")),
    ),
)

CHUNKS = (
    Hostile("a chunk size of 20 digits", "bad_response", says(_CHUNKED + b"F" * 20 + b"\r\n" + PAGE)),
    Hostile(
        "a chunk of 2^63 bytes",
        "too_large|bad_response|timeout",
        floods(_CHUNKED + b"7fffffffffffffff\r\n", _FLOOD),
    ),
    Hostile("a chunk size without end", "bad_response|timeout|too_slow", floods(_CHUNKED, b"0" * 65_536)),
    Hostile("a chunk size that is no hex", "bad_response", says(_CHUNKED + b"zz\r\n" + PAGE)),
    Hostile("a negative chunk size", "bad_response", says(_CHUNKED + b"-10\r\n" + PAGE)),
    Hostile(
        "a chunk longer than its size", "bad_response", says(_CHUNKED + b"5\r\n" + PAGE + b"\r\n0\r\n\r\n")
    ),
    Hostile("chunks without an end, then a close", "bad_response", closes(_CHUNKED + chunk(PAGE))),
    Hostile("chunks without an end, then silence", "too_slow", hangs(_CHUNKED + chunk(PAGE))),
    Hostile("chunks, then a reset", "bad_response", resets(_CHUNKED + chunk(PAGE))),
    Hostile(
        "trailers without end",
        "bad_response|timeout|too_large|too_slow",
        floods(_CHUNKED + chunk(PAGE) + b"0\r\n", b"X-Trailer: yes\r\n" * 4_000),
    ),
    Hostile("trailers, then silence", "too_slow", hangs(_CHUNKED + chunk(PAGE) + b"0\r\nX-Trailer: yes\r\n")),
    Hostile(
        "a trailer without end",
        "bad_response|timeout|too_large|too_slow",
        floods(_CHUNKED + chunk(PAGE) + b"0\r\nX-T: ", b"t" * 65_536),
    ),
    Hostile(
        "a chunk extension without end",
        "bad_response|timeout|too_large|too_slow",
        floods(_CHUNKED + b"5;ext=", b"e" * 65_536),
    ),
    Hostile(
        "a million chunks of a byte",
        "not_article|too_slow|timeout|not_html",
        floods(_CHUNKED, chunk(b"x") * 10_000, times=100, end=chunk(b"")),
    ),
    Hostile(
        "an unknown transfer coding",
        "bad_response|article|not_article",
        closes(head("Transfer-Encoding: xyz") + PAGE),
    ),
    Hostile(
        "chunked twice",
        "bad_response|article",
        closes(head("Transfer-Encoding: chunked, chunked") + chunk(PAGE) + chunk(b"")),
    ),
    Hostile(
        "gzip as a transfer coding",
        "bad_response|not_article|not_html",
        closes(head("Transfer-Encoding: gzip, chunked") + chunk(NOISE) + chunk(b"")),
    ),
)

STREAMS = (
    Hostile("a body that drips", "timeout|too_slow", drips(head(f"Content-Length: {_LENGTH}"), PAGE)),
    Hostile("chunks that drip", "timeout|too_slow", drips(_CHUNKED, chunk(b"x"))),
    Hostile("a body without end", "too_large|timeout", floods(head(), _FLOOD)),
    Hostile("chunks without end", "too_large|timeout", floods(_CHUNKED, chunk(_FLOOD))),
    Hostile("a reset in a body of known length", "bad_response", resets(whole(PAGE)[:-100])),
    Hostile("a reset in a body of unknown length", "bad_response", resets(head() + PAGE[:-100])),
    Hostile("a close in the first paragraph", "not_article|article", closes(head() + PAGE[:500])),
    Hostile("no body at all", "empty", closes(head())),
    Hostile("a megabyte of spaces", "not_article|empty", says(whole(b" " * 1_000_000))),
)

LYING_TYPES = (
    Hostile("a PNG as HTML", "not_html|not_article", says(whole(_PNG))),
    Hostile("noise as HTML", "not_html|not_article", says(whole(NOISE))),
    Hostile("noise as text", "not_html|not_article", says(whole(NOISE, type="text/plain"))),
    Hostile("noise of no type", "not_html", says(whole(NOISE, type=""))),
    Hostile("a PDF as text", "not_html|not_article", says(whole(b"%PDF-1.7\n" + NOISE, type="text/plain"))),
    Hostile("a program as HTML", "not_html|not_article", says(whole(b"\x7fELF\x02\x01\x01" + NOISE))),
    Hostile("a zip of no known type", "not_html", says(whole(b"PK\x03\x04" + NOISE, type="*/*"))),
    Hostile("a video without end", "not_html", floods(head(type="video/mp4"), NOISE)),
    Hostile(
        "multipart without end",
        "not_html",
        floods(head(type="multipart/x-mixed-replace; boundary=b"), b"--b\r\n\r\nx\r\n" * 5_000),
    ),
    Hostile("server-sent events", "not_html", drips(head(type="text/event-stream"), b"data: x\n\n")),
    Hostile("HTML as an image", "not_html|article", says(whole(PAGE, type="image/jpeg"))),
)

ROWS = (*LENGTHS, *CHUNKS, *STREAMS, *LYING_TYPES)
