from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import brotli
import pytest

from tests.fetch.conftest import USER_AGENT, RawServer, Reply, http, then_close, then_hang
from worker.errors import FetchFailed
from worker.model import NotModified, Page, Redirect, Validators

if TYPE_CHECKING:
    from worker.fetch.session import Fetcher

HTML = "<!doctype html><title>Größe</title><p>Text".encode("latin-1")


async def page(fetcher: Fetcher, url: str) -> Page:
    fetched = await fetcher.request(url)
    assert isinstance(fetched, Page)
    return fetched


async def failed(fetcher: Fetcher, url: str) -> FetchFailed:
    with pytest.raises(FetchFailed) as failure:
        await fetcher.request(url)
    return failure.value


async def test_a_page(server: RawServer, fetcher: Fetcher) -> None:
    """A page carries its bytes untouched, its type with the charset, and its validators."""
    server.replies = [
        http(
            HTML,
            content_type="text/html; charset=iso-8859-1",
            etag='"v1"',
            last_modified="Thu, 01 Jan 2026 12:00:00 GMT",
        )
    ]
    fetched = await page(fetcher, server.url("/a"))
    assert fetched.duration_ms >= 0
    assert fetched == Page(
        url=server.url("/a"),
        status=200,
        body=HTML,
        content_type="text/html; charset=iso-8859-1",
        wire_bytes=len(HTML),
        duration_ms=fetched.duration_ms,
        etag='"v1"',
        last_modified="Thu, 01 Jan 2026 12:00:00 GMT",
    )


async def test_what_the_server_is_told(server: RawServer, fetcher: Fetcher) -> None:
    """The request names us, wants HTML first, offers four codings, and asks for no language."""
    await page(fetcher, server.url("/a%2Fb/%C3%BC?q=%41&q=a+b#part"))
    (seen,) = server.seen
    assert seen.path == "/a%2Fb/%C3%BC?q=%41&q=a+b"
    assert seen.headers == {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": USER_AGENT,
        "Accept": "text/html,application/xhtml+xml;q=0.9,text/plain;q=0.8,*/*;q=0.1",
        "Accept-Encoding": "gzip, deflate, br, zstd",
    }


async def test_a_conditional_request(server: RawServer, fetcher: Fetcher) -> None:
    """Both validators are sent as they came, and 304 says that the page has not changed."""
    server.replies = [http(b"", status="304 Not Modified", etag='W/"v2"', content_length="")]
    known = Validators('W/"v1"', "Thu, 01 Jan 2026 12:00:00 GMT")
    answer = await fetcher.request(server.url("/a"), validators=known)
    assert isinstance(answer, NotModified)
    assert answer == NotModified(server.url("/a"), 304, answer.duration_ms, 'W/"v2"', None)
    assert server.seen[0].headers["If-None-Match"] == 'W/"v1"'
    assert server.seen[0].headers["If-Modified-Since"] == "Thu, 01 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("validators", "sent"),
    [
        (Validators(), set()),
        (Validators(etag='"v"'), {"If-None-Match"}),
        (Validators(last_modified="yesterday"), {"If-Modified-Since"}),
        (Validators(etag='"\ufffd"', last_modified="a\r\nb: c"), set()),
    ],
)
async def test_conditions_that_can_be_sent(
    server: RawServer, fetcher: Fetcher, validators: Validators, sent: set[str]
) -> None:
    """What is missing, or was no ASCII and would match nothing, is no condition; the page comes as ever."""
    answer = await fetcher.request(server.url(), validators=validators)
    assert isinstance(answer, Page)
    assert server.seen[0].headers.keys() & {"If-None-Match", "If-Modified-Since"} == sent


async def test_headers_that_pages_and_redirects_hand_on(server: RawServer, fetcher: Fetcher) -> None:
    """Every X-Robots-Tag of a page, and every Set-Cookie of a redirect, in their order."""
    tags = b"X-Robots-Tag: noindex\r\nX-Robots-Tag: otherbot: nofollow\r\n"
    cookies = b"Location: /b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=\xff; Path=/\r\n"
    server.replies = [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + tags + b"Content-Length: 1\r\n\r\nx",
        b"HTTP/1.1 302 Found\r\n" + cookies + b"Content-Length: 0\r\n\r\n",
    ]
    fetched, redirect = await page(fetcher, server.url()), await fetcher.request(server.url())
    assert fetched.robots_tag == ("noindex", "otherbot: nofollow")
    assert isinstance(redirect, Redirect)
    assert redirect.set_cookies == ("a=1", "b=\ufffd; Path=/")


async def test_cookies_are_not_kept(server: RawServer, fetcher: Fetcher) -> None:
    """A cookie set by one response is not sent with the next request."""
    server.replies = [http(b"x", set_cookie="session=1; Path=/")]
    await page(fetcher, server.url())
    await page(fetcher, server.url())
    assert "Cookie" not in server.seen[1].headers


async def test_proxies_of_the_environment_are_not_used(
    server: RawServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would connect to addresses that the guard never sees."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    await page(fetcher, server.url())
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(HTML, mtime=0)),
        ("deflate", zlib.compress(HTML)),
        ("br", brotli.compress(HTML)),
        ("gzip, br", brotli.compress(gzip.compress(HTML, mtime=0))),
    ],
)
async def test_coded_bodies(server: RawServer, fetcher: Fetcher, coding: str, packed: bytes) -> None:
    """A coded body arrives decoded, once, with its size on the wire."""
    server.replies = [http(packed, content_encoding=coding)]
    fetched = await page(fetcher, server.url())
    assert (fetched.body, fetched.wire_bytes) == (HTML, len(packed))


async def test_bodies_framed_in_each_way(server: RawServer, fetcher: Fetcher) -> None:
    """Chunks, and a body that ends with its connection, are whole pages too."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    chunks = b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nTrailer: x\r\n\r\n"
    server.replies = [head + chunks, then_close(head + b"\r\nabcde")]
    assert (await page(fetcher, server.url())).body == b"abcde"
    assert (await page(fetcher, server.url())).body == b"abcde"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/plain", b"Just words."), ("application/xhtml+xml", HTML), ("", HTML), ("", b"Just words.")],
)
async def test_types_that_are_pages(
    server: RawServer, fetcher: Fetcher, content_type: str, body: bytes
) -> None:
    """HTML and text are pages by their type, or without one by their first bytes."""
    server.replies = [http(body, content_type=content_type)]
    assert (await page(fetcher, server.url())).content_type == (content_type or None)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (http(b"%PDF-1.7", content_type="application/pdf"), "not_html"),
        (http(b"%PDF-1.7", content_type=""), "not_html"),
        (http(b"GIF\x00", content_type=""), "not_html"),
        (http(b"\x00\x01", content_type="text/plain"), "not_html"),
        (http(b""), "empty"),
        (http(b"", status="204 No Content"), "empty"),
        (http(b"", status="205 Reset Content"), "empty"),
        (http(gzip.compress(b"", mtime=0), content_encoding="gzip"), "empty"),
        (http(b"half", status="206 Partial Content"), "http_206"),
        (http(b"", status="304 Not Modified"), "bad_response"),
        (http(b"gone", status="410 Gone"), "http_410"),
        (http(b"", status="999 Request denied"), "bad_response"),
        (http(b"x" * 100_001), "too_large"),
        (http(gzip.compress(bytes(10_000_000), mtime=0), content_encoding="gzip"), "too_large"),
        (http(brotli.compress(bytes(10_000_000)), content_encoding="br"), "too_large"),
    ],
)
async def test_responses_without_a_page(
    server: RawServer, fetcher: Fetcher, reply: Reply, reason: str
) -> None:
    """What cannot become an article ends with its row of the table."""
    server.replies = [reply]
    failure = await failed(fetcher, server.url())
    assert failure.reason == reason
    assert failure.status == (int(reason[5:]) if reason.startswith("http_") else None)


async def test_an_announced_length_over_the_limit_is_not_read(server: RawServer, fetcher: Fetcher) -> None:
    """A Content-Length over the limit ends the request before any of the body has come."""
    server.replies = [then_hang(http(b"", content_length="100001"))]
    assert (await failed(fetcher, server.url())).reason == "too_large"


async def test_a_body_without_end_is_cut(server: RawServer, fetcher: Fetcher) -> None:
    """A body that announces no length is cut at the limit."""
    server.replies = [then_hang(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"x" * 300_000)]
    assert (await failed(fetcher, server.url())).reason == "too_large"


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308", "300"])
async def test_redirects_are_not_followed(server: RawServer, fetcher: Fetcher, status: str) -> None:
    """A redirect is handed back with its absolute target after one request, its body unread."""
    server.replies = [then_hang(http(b"", status=f"{status} X", location="../b?x=1", content_length="9999"))]
    fetched = await fetcher.request(server.url("/a/c"))
    assert fetched == Redirect(server.url("/a/c"), int(status), server.url("/b?x=1"))
    assert len(server.seen) == 1


@pytest.mark.parametrize("location", ["", "javascript:alert(1)", "ftp://example.com/a"])
async def test_redirects_to_nowhere(server: RawServer, fetcher: Fetcher, location: str) -> None:
    """A redirect without a Location for http(s) is a bad redirect."""
    server.replies = [http(status="302 Found", location=location)]
    assert (await failed(fetcher, server.url())).reason == "bad_redirect"


async def test_retry_after_is_read(server: RawServer, fetcher: Fetcher) -> None:
    """A failing status carries the server's wish for patience, in seconds or by its own clock."""
    server.replies = [
        http(status="429 Too Many Requests", retry_after="7"),
        http(
            status="503 Service Unavailable",
            date="Thu, 01 Jan 2026 12:00:00 GMT",
            retry_after="Thu, 01 Jan 2026 12:02:00 GMT",
        ),
    ]
    throttled, troubled = await failed(fetcher, server.url()), await failed(fetcher, server.url())
    assert (throttled.reason, throttled.status, throttled.retry_after_s) == ("http_429", 429, 7.0)
    assert (troubled.reason, troubled.retry_after_s) == ("http_503", 120.0)


async def test_headers_that_are_no_utf8(server: RawServer, fetcher: Fetcher) -> None:
    """Header values become text that can be written as JSON, whatever their bytes."""
    server.replies = [http(HTML).replace(b"text/html", b"text/html; x=\xe4")]
    assert (await page(fetcher, server.url())).content_type == "text/html; x=\ufffd"


async def test_text_of_any_type_can_be_had_in_part(server: RawServer, fetcher: Fetcher) -> None:
    """`request_text` takes any type and emptiness, and no more than the wanted bytes of a long body."""
    server.replies = [
        http(b"x" * 250_000, content_type="application/octet-stream"),
        http(b"", content_type=""),
    ]
    long, empty = [await fetcher.request_text(server.url(), keep_bytes=200_000) for _ in range(2)]
    assert isinstance(long, Page)
    assert isinstance(empty, Page)
    assert (len(long.body), empty.body) == (200_000, b"")
