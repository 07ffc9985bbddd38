"""A page whose codings are undone where it is read ends as one that was decoded as it came."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import brotli
import pytest

from tests.extract.pages import news_page
from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, Reply, http, then_close
from worker.clock import SystemClock
from worker.errors import FetchFailed
from worker.fetch.session import Fetcher
from worker.model import Page, Task
from worker.pipeline import Pipeline
from worker.reading import read_page
from worker.retry import RetryPolicy
from worker.telemetry.log import get_logger
from worker.urls import host_key
from worker.verdict import Failed, Publish, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ARTICLE = news_page().encode()
GZIP = gzip.compress(ARTICLE, mtime=0)
CUT = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + GZIP[:-20]


class InProcess:
    """Reads pages here."""

    async def call(self, function: Callable[..., Any], page: bytes, **arguments: Any) -> Any:
        return function(page=page, **arguments)


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    server = RawServer()
    await server.start()
    yield server
    await server.stop()


async def verdict_of(server: RawServer, reply: Reply, *, as_sent: bool) -> Verdict:
    server.replies = [reply]
    policy = RetryPolicy(max_attempts=3, base_s=1, max_s=10)
    url = server.url("/story")
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT, as_sent=as_sent) as fetcher:
        pipeline = Pipeline(
            fetcher,
            None,
            InProcess(),
            policy,
            max_redirects=3,
            clock=SystemClock(),
            body_limit_bytes=LIMITS.body_limit_bytes,
        )
        return await pipeline.process(Task(1, url, host_key(url), 0, 0, 0, 1, url), get_logger())


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (http(ARTICLE), None),
        (http(GZIP, content_encoding="gzip"), None),
        (http(GZIP + gzip.compress(b"<p>More.</p>"), content_encoding="x-gzip"), None),
        (http(GZIP + b"what a careless server appended", content_encoding="gzip"), None),
        (http(brotli.compress(ARTICLE), content_encoding="br"), None),
        (http(brotli.compress(GZIP), content_encoding="gzip, br"), None),
        (http(gzip.compress(bytes(10_000_000)), content_encoding="gzip"), "too_large"),
        (http(brotli.compress(bytes(10_000_000)), content_encoding="br"), "too_large"),
        (http(gzip.compress(b"x") * 3_000, content_encoding="gzip"), "bad_encoding"),
        (http(GZIP[:50] + b"\xff" * 50 + GZIP[100:], content_encoding="gzip"), "bad_encoding"),
        (http(ARTICLE, content_encoding="gzip"), "bad_encoding"),
        (http(ARTICLE, content_encoding="rot13"), "bad_encoding"),
        (http(GZIP[:-20], content_encoding="gzip"), "bad_response"),
        (then_close(CUT), "bad_response"),
        (http(b"", content_encoding="gzip"), "empty"),
        (http(gzip.compress(b""), content_encoding="gzip"), "empty"),
        (http(gzip.compress(b"%PDF-1.7\n%\xe2\xe3"), content_encoding="gzip"), "not_html"),
        (http(gzip.compress(b"<p>Hello.</p>"), content_encoding="gzip"), "not_article"),
    ],
)
async def test_it_ends_alike(server: RawServer, reply: Reply, reason: str | None) -> None:
    """Whatever its codings hold: the same event, or the same failure with the same consequence."""
    decoded, sent = [await verdict_of(server, reply, as_sent=as_sent) for as_sent in (False, True)]
    if reason is None:
        assert isinstance(decoded, Publish)
        assert isinstance(sent, Publish)
        assert sent.reading._replace(body_bytes=None) == decoded.reading
        assert (sent.page.wire_bytes, sent.page.codings) == (decoded.page.wire_bytes, ())
    else:
        assert isinstance(decoded, Failed)
        assert isinstance(sent, Failed)
        assert type(sent.next) is type(decoded.next)
        assert sent.next.reason == decoded.next.reason == reason
        assert (sent.error, sent.signal.sign) == (decoded.error, decoded.signal.sign)


async def test_codings_are_left_alone_for_who_reads_pages_alone(server: RawServer) -> None:
    """Pages come as they were sent, bounded by their size on the wire; robots.txt and feeds are read here."""
    packed = gzip.compress(b"User-agent: *\n" + bytes(200_000))
    server.replies = [http(GZIP, content_encoding="gzip")]
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT, as_sent=True) as fetcher:
        page = await fetcher.request(server.url())
        assert isinstance(page, Page)
        assert (page.body, page.codings, page.wire_bytes) == (GZIP, ("gzip",), len(GZIP))
        document = await fetcher.request_document(server.url())
        assert isinstance(document, Page)
        assert (document.body, document.codings) == (ARTICLE, ())
        server.replies = [http(packed, content_encoding="gzip")]
        text = await fetcher.request_text(server.url(), keep_bytes=14)
        assert (text.body, text.codings) == (b"User-agent: *\n", ()) if isinstance(text, Page) else None
        server.replies = [http(b"\x1f\x8b" + bytes(100_000), content_encoding="gzip")]
        with pytest.raises(FetchFailed, match="too_large"):
            await fetcher.request(server.url())


def test_the_limit_is_that_of_the_page_and_not_of_what_was_sent() -> None:
    """Some hundred bytes may become megabytes."""
    page = gzip.compress(ARTICLE + bytes(1_000_000))
    assert read_page(page, url="http://a.example/", codings=("gzip",), limit_bytes=100_000) == (
        "too_large",
        "more than 100000 bytes decompressed",
    )
