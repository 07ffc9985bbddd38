"""How a request went, told step by step to whoever observes."""

from __future__ import annotations

import asyncio
import gzip
import socket
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, http, then_close
from tests.fetch.test_outcome import Resolves
from worker.errors import FetchFailed
from worker.fetch.guard import AddressGuard
from worker.fetch.observation import Exchange, Judged, observed
from worker.fetch.robots import fetch_robots
from worker.fetch.session import Fetcher
from worker.model import Page, Redirect

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver


async def exchanges_of(
    *urls: str, resolver: AbstractResolver | None = None, guard: AddressGuard = LOOPBACK
) -> list[Exchange]:
    """The exchanges of requests for these URLs, one after the other, failures included."""
    with observed() as exchanges:
        async with Fetcher(limits=LIMITS, guard=guard, user_agent=USER_AGENT, resolver=resolver) as fetcher:
            for url in urls:
                with suppress(FetchFailed):
                    await fetcher.request(url)
    return exchanges


async def test_each_step_of_a_request_is_measured(server: RawServer) -> None:
    """Lookup, connection, first byte and body have a time each, and together no more than the whole."""

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        answer = http(b"<p>hello</p>")
        writer.write(answer[:-3])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(answer[-3:])

    server.replies = [slowly]
    (exchange,) = await exchanges_of(server.url(host="news.example"), resolver=Resolves("127.0.0.1"))
    steps = [exchange.dns_s, exchange.connect_s, exchange.first_byte_s, exchange.body_s]
    assert None not in steps
    assert sum(step for step in steps if step is not None) <= exchange.total_s
    assert exchange.first_byte_s is not None
    assert exchange.first_byte_s >= 0.045
    assert exchange.body_s is not None
    assert exchange.body_s >= 0.045
    assert (exchange.tries, exchange.reused, exchange.peer) == (1, False, ("127.0.0.1", server.port))


async def test_the_head_and_the_answer_are_kept(server: RawServer) -> None:
    """Status, version, all headers in their order, and what the fetcher made of it."""
    body = gzip.compress(b"<p>hello</p>")
    server.replies = [http(body, content_encoding="gzip", x_a="1", X_A="2")]
    (exchange,) = await exchanges_of(server.url())
    assert (exchange.status, exchange.http_version) == (200, "1.1")
    assert [name for name, _ in exchange.headers][-2:] == ["x-a", "X-A"]
    assert (exchange.header("X-A"), exchange.header("ETag")) == ("1, 2", None)
    assert isinstance(exchange.answer, Page)
    assert (exchange.answer.wire_bytes, exchange.answer.body) == (len(body), b"<p>hello</p>")


async def test_a_kept_alive_connection_is_told(server: RawServer) -> None:
    """The second request needs no lookup and no connecting, and still has the time to its first byte."""
    server.replies = [http(status="301 Moved", location="/b"), http(b"page")]
    moved, page = await exchanges_of(server.url(), server.url("/b"))
    assert isinstance(moved.answer, Redirect)
    assert (moved.reused, page.reused) == (False, True)
    assert (page.dns_s, page.connect_s, page.peer) == (None, None, None)
    assert page.first_byte_s is not None


async def test_every_address_of_a_name_is_judged() -> None:
    """All that the name resolved to is there with the guard's word on it, also when none may be used."""
    (exchange,) = await exchanges_of("http://news.example:81/", resolver=Resolves("10.0.0.1", "127.0.0.1"))
    assert exchange.resolved == (Judged("10.0.0.1", "10.0.0.1 is private"), Judged("127.0.0.1", None))
    resolver = Resolves("10.0.0.1", "127.0.0.1")
    (exchange,) = await exchanges_of("http://news.example/", resolver=resolver, guard=AddressGuard())
    assert [judged.refusal is None for judged in exchange.resolved] == [False, False]
    assert exchange.failure is not None
    assert exchange.failure.reason == "blocked_address"
    assert (exchange.peer, exchange.status) == (None, None)


async def test_a_failure_after_the_head_keeps_the_head(server: RawServer) -> None:
    """A status that is an error, or a body that does not decompress, hides neither headers nor times."""
    server.replies = [http(status="404 Not Found", x_why="gone"), http(b"no gzip", content_encoding="gzip")]
    missing, broken = await exchanges_of(server.url(), server.url())
    assert (missing.status, missing.header("X-Why"), missing.answer) == (404, "gone", None)
    assert (broken.status, broken.failure and broken.failure.reason) == (200, "bad_encoding")
    assert broken.body_s is not None


async def test_quick_repeats_are_counted_and_the_last_is_told(server: RawServer) -> None:
    """A lookup tried again, and a stale connection replaced, are one exchange each, with their tries."""
    again = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    url = server.url(host="news.example")
    server.replies = [http(b"first"), then_close(b""), http(b"second")]
    first, second = await exchanges_of(url, url, resolver=Resolves("127.0.0.1", failures=[again]))
    assert (first.tries, second.tries) == (2, 2)
    assert (second.reused, second.peer) == (False, ("127.0.0.1", server.port))


async def test_a_host_that_is_not_there_has_no_steps() -> None:
    """A name that does not resolve, and a refused connection, leave the steps that were not reached empty."""
    unknown = Resolves(failures=[socket.gaierror(socket.EAI_NONAME, "Name or service not known")])
    (exchange,) = await exchanges_of("http://news.example/", resolver=unknown)
    assert (exchange.dns_s, exchange.connect_s, exchange.first_byte_s, exchange.body_s) == (None,) * 4
    assert exchange.total_s > 0
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        (exchange,) = await exchanges_of(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert exchange.failure is not None
    assert (exchange.failure.reason, exchange.connect_s) == ("connect", None)


async def test_robots_txt_is_observed_too(server: RawServer) -> None:
    """Requests for text are exchanges in the same list."""
    server.replies = [http(b"User-agent: *\nDisallow:", content_type="text/plain")]
    with observed() as exchanges:
        async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
            await fetch_robots(fetcher, server.url(""))
    assert [exchange.url for exchange in exchanges] == [server.url("/robots.txt")]


async def test_nothing_is_noted_after_the_observation(server: RawServer) -> None:
    """A fetcher that outlives the block goes on as any other."""
    async with AsyncExitStack() as stack:
        with observed() as exchanges:
            opened = Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT)
            fetcher = await stack.enter_async_context(opened)
        await fetcher.request(server.url())
    assert exchanges == []


async def test_a_fetcher_that_was_open_before_measures_no_steps(server: RawServer, fetcher: Fetcher) -> None:
    """It takes no part in tracing, which costs workers something; its answers are noted all the same."""
    with observed() as exchanges:
        await fetcher.request(server.url())
    assert [type(exchange.answer) for exchange in exchanges] == [Page]
    assert exchanges[0].first_byte_s is None


def test_a_proxy_is_named_without_its_password() -> None:
    """What is shown of a proxy is its scheme, host and port."""
    exchange = Exchange("https://news.example/")
    exchange.through("socks5h://user:secret@proxy.example:1080")
    assert exchange.proxy == "socks5h://proxy.example:1080"
    assert "secret" not in repr(exchange)
