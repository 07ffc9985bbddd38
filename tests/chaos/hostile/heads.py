"""Heads of responses: slow, endless, oversized, ungrammatical, of other protocols, with statuses that lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.hostile.wire import (
    Hostile,
    closes,
    drips,
    fills,
    floods,
    hangs,
    head,
    resets,
    says,
    whole,
)
from tests.chaos.origin import article

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = article("news.example", "/a/1").encode()
_STATUS = b"HTTP/1.1 200 OK\r\n"
_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </%b>; rel=preload\r\n\r\n" % (b"x" * 4_000)
_COOKIE = "Set-Cookie: c%d=%s; Path=/; Max-Age=999999999"

#: Bytes behind a response are no response. If they arrive with its head, the parser refuses both.
_EMPTY = "empty|bad_response"


def _cookies(count: int) -> Iterator[str]:
    return (_COOKIE % (number, "v" * 250) for number in range(count))


SLOW = (
    Hostile("close without an answer", "connect", closes()),
    Hostile("reset without an answer", "connect", resets()),
    Hostile("silence", "timeout", hangs()),
    Hostile("a head that stops half-way", "timeout", hangs(_STATUS + b"Content-Ty")),
    Hostile("a head that drips", "timeout", drips(b"", b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 4_000)),
    Hostile("header lines that drip", "timeout", drips(_STATUS, b"A:b\r\n")),
    Hostile("a head cut by a close", "bad_response", closes(_STATUS + b"Content-Type: text/ht")),
    Hostile("a head cut by a reset", "bad_response|connect", resets(_STATUS + b"Content-Type: text/ht")),
    Hostile(
        "100 Continue without end",
        "timeout|bad_response",
        floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
        alone=True,
    ),
    Hostile("100 Continue that drips", "timeout|bad_response", drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    Hostile("103 Early Hints without end", "timeout|bad_response", floods(b"", _EARLY * 16), alone=True),
    Hostile("empty lines without end", "timeout|bad_response", floods(b"", b"\r\n" * 32_768)),
)

LARGE = (
    Hostile("a status line without end", "bad_response", floods(b"HTTP/1.1 200 ", b"O" * 65_536)),
    Hostile("a reason phrase of 1 MB", "bad_response", says(whole(PAGE, status="200 " + "K" * 1_000_000))),
    Hostile("a header line without end", "bad_response", floods(_STATUS + b"X-Long: ", b"x" * 65_536)),
    Hostile("a header name without end", "bad_response", floods(_STATUS, b"x" * 65_536)),
    Hostile("header lines without end", "bad_response", floods(_STATUS, b"X-Many: yes\r\n" * 5_000)),
    Hostile("one header of 1 MB", "bad_response", says(whole(PAGE, "X-Long: " + "x" * 1_000_000))),
    Hostile(
        "10,000 header lines", "bad_response", says(whole(PAGE, *(f"X-{n}: yes" for n in range(10_000))))
    ),
    Hostile("120 header lines of 8 KB", "bad_response", says(whole(PAGE, *["X-Fat: " + "x" * 8_000] * 120))),
    Hostile("90 cookies of 270 bytes", "article", says(whole(PAGE, *_cookies(90)))),
    Hostile("5,000 cookies", "bad_response", says(whole(PAGE, *_cookies(5_000)))),
    Hostile("a cookie of 100 KB", "bad_response", says(whole(PAGE, "Set-Cookie: a=" + "v" * 100_000))),
    Hostile("a type of 20 KB", "article", says(whole(PAGE, type="text/html; charset=" + "u" * 20_000))),
)

UNGRAMMATICAL = (
    Hostile("HTTP/0.9", "bad_response", closes(PAGE)),
    Hostile("an HTTP/2 preface", "bad_response", closes(_HTTP2)),
    Hostile("HTTP/3.7", "bad_response", closes(whole(PAGE).replace(b"HTTP/1.1", b"HTTP/3.7"))),
    Hostile("a TLS alert", "bad_response", closes(b"\x15\x03\x01\x00\x02\x02\x46" + bytes(40))),
    Hostile("an SSH banner", "bad_response", closes(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")),
    Hostile("an FTP greeting", "bad_response", closes(b"220 ProFTPD ready\r\n331 Password required\r\n")),
    Hostile("a Redis error", "bad_response", closes(b"-ERR unknown command 'GET'\r\n")),
    Hostile("random bytes", "bad_response", closes(bytes(range(255, 0, -1)) * 500)),
    Hostile("a header without a colon", "bad_response", says(whole(PAGE, "no colon here"))),
    Hostile("a space before the colon", "article|bad_response", says(whole(PAGE, "X-Smuggled : 1"))),
    Hostile("an empty header name", "bad_response", says(whole(PAGE, ": nothing"))),
    Hostile("NUL in a header", "bad_response", says(whole(PAGE, "X-Nul: a\0b"))),
    Hostile("a bare CR in a header", "article|bad_response", says(whole(PAGE, "X-Cr: a\rX-Hidden: b"))),
    Hostile("folded header lines", "article|bad_response", says(whole(PAGE, "X-Old: a", "  folded"))),
    Hostile("bare LF as line ends", "article|bad_response", closes(whole(PAGE).replace(b"\r\n", b"\n"))),
    Hostile(
        "invalid UTF-8 in every header",
        "article",
        says(whole(PAGE, "ETag: @", "Last-Modified: @", "Retry-After: @").replace(b"@", b'"\xff\xfe\xc0"')),
    ),
    Hostile(
        "a type of invalid UTF-8",
        "article",
        says(
            head("Content-Length: @")
            .replace(b"/html", b"/html; charset=\xff")
            .replace(b"@", b"%d" % len(PAGE))
            + PAGE
        ),
    ),
    Hostile("two types that differ", "article|not_html", says(whole(PAGE, "Content-Type: image/png"))),
)

STATUSES = (
    Hostile(
        "101 unasked",
        "http_101|bad_response",
        says(head("Upgrade: websocket", "Connection: Upgrade", status="101 Go")),
    ),
    Hostile(
        "200 that upgrades", "article|bad_response", says(whole(PAGE, "Upgrade: h2c", "Connection: Upgrade"))
    ),
    Hostile("204 with a body", _EMPTY, says(whole(PAGE, status="204 No Content"))),
    Hostile("205 with a body", _EMPTY, says(whole(PAGE, status="205 Reset Content"))),
    Hostile(
        "206 unasked",
        "http_206",
        says(whole(PAGE[:500], "Content-Range: bytes 0-499/9999", status="206 Part")),
    ),
    Hostile("304 unasked", "http_304|bad_response", says(head('ETag: "x"', status="304 Not Modified"))),
    Hostile("304 with a body", "http_304|bad_response", says(whole(PAGE, status="304 Not Modified"))),
    Hostile(
        "401 with a challenge of 20 KB",
        "http_401",
        says(whole(b"", "WWW-Authenticate: Basic realm=" + "r" * 20_000, status="401 No")),
    ),
    Hostile(
        "407 from no proxy", "http_407", says(whole(b"", "Proxy-Authenticate: NTLM", status="407 Proxy"))
    ),
    Hostile(
        "429 for 10^100 seconds",
        "http_429",
        says(whole(b"", "Retry-After: 1" + "0" * 100, status="429 Slow")),
    ),
    Hostile(
        "503 until the year 9999",
        "http_503",
        fills("HTTP/1.1 503 X\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n"),
    ),
    Hostile(
        "503 until no date",
        "http_503",
        says(whole(b"", "Retry-After: Fri, 99 Foo 2O26 25:61:61 +9999", status="503 X")),
    ),
    Hostile("status 999", "bad_response", says(whole(PAGE, status="999 Request denied"))),
    Hostile("status 600", "bad_response", says(whole(PAGE, status="600 Beyond"))),
    Hostile("status 000", "bad_response", says(whole(PAGE, status="000 Nothing"))),
    Hostile("status 42", "bad_response", says(whole(PAGE, status="42 Answer"))),
    Hostile("status 20000", "bad_response", says(whole(PAGE, status="20000 OK"))),
    Hostile("status -200", "bad_response", says(whole(PAGE, status="-200 OK"))),
    Hostile("status in letters", "bad_response", says(whole(PAGE, status="OK OK"))),
    Hostile("404 with a body without end", "http_404", floods(head(status="404 Not Found"), b"x" * 65_536)),
)

ROWS = (*SLOW, *LARGE, *UNGRAMMATICAL, *STATUSES)
