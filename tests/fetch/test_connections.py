"""Which connections are made: guarded, kept alive, and tried again only where the server cannot tell."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, http, then_close, then_reset
from tests.fetch.nameserver import Nameserver
from tests.fetch.test_outcome import Resolves
from worker.clock import FakeClock
from worker.errors import FetchFailed
from worker.fetch.dns import CachingResolver
from worker.fetch.guard import AddressGuard
from worker.fetch.resolver import AresLookup
from worker.fetch.session import Fetcher

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver


def fetcher_with(resolver: AbstractResolver | None = None, guard: AddressGuard = LOOPBACK) -> Fetcher:
    return Fetcher(limits=LIMITS, guard=guard, user_agent=USER_AGENT, resolver=resolver)


async def reason(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(FetchFailed) as failure:
        await fetcher.request(url)
    return failure.value.reason


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "127.0.0.1.",
        "0177.0.0.1",
        "0x7f000001",
        "127.0.1",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "news.example@127.0.0.1",
        "news.example:80@127.0.0.1",
        "news.example%2F@127.0.0.1",
        "news.example\\@127.0.0.1",
        "[::127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "localhost",
        "a.localhost",
        "localhost.",
        "LOCALHOST",
        "ⓛocalhost",
        "localhost6",
    ],
)
async def test_literal_addresses_are_refused(server: RawServer, host: str) -> None:
    """A URL that spells a private address in any way a browser reads is refused, and nothing is sent."""
    host = "localhost" if "\\" in host else host  # browsers end the host at a backslash
    async with fetcher_with(guard=AddressGuard()) as fetcher:
        assert await reason(fetcher, server.url(host=host)) == "blocked_address"
    assert server.connections == 0


async def test_names_of_private_addresses_are_refused(server: RawServer) -> None:
    """`localhost`, resolved by the system, is refused unless allowed."""
    async with fetcher_with(guard=AddressGuard()) as fetcher:
        assert await reason(fetcher, server.url(host="localhost")) == "blocked_address"
    assert server.connections == 0
    async with fetcher_with(
        guard=AddressGuard([ip_network("127.0.0.0/8"), ip_network("::1/128")])
    ) as fetcher:
        await fetcher.request(server.url(host="localhost"))
    assert server.connections == 1


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["10.0.0.1", "::1", "fe80::1"]]
)
async def test_dns_answers_are_refused(server: RawServer, addresses: list[str]) -> None:
    """One private address or several, of one family or both: the request ends as `blocked_address`."""
    async with fetcher_with(Resolves(*addresses), AddressGuard()) as fetcher:
        assert await reason(fetcher, server.url(host="news.example")) == "blocked_address"
    assert server.connections == 0


async def test_a_public_address_beside_a_private_one_is_used(server: RawServer) -> None:
    """A host that publishes both is reached by the public one, and if that fails, its failure counts."""
    async with fetcher_with(Resolves("10.0.0.1", "127.0.0.1")) as fetcher:
        await fetcher.request(server.url(host="news.example"))
        await server.stop()
    assert server.connections == 1
    async with fetcher_with(Resolves("10.0.0.1", "127.0.0.1")) as fetcher:
        assert await reason(fetcher, server.url(host="news.example")) == "connect"


async def test_connections_are_kept_alive(server: RawServer, fetcher: Fetcher) -> None:
    """Pages, redirects and failures whose bodies are all there leave the connection for the next request."""
    server.replies = [
        http(b"page"),
        http(b"moved", status="301 Moved", location="/b"),
        http(b"sorry", status="404 Not Found"),
        http(b"page"),
    ]
    await fetcher.request(server.url())
    await fetcher.request(server.url())
    assert await reason(fetcher, server.url()) == "http_404"
    await fetcher.request(server.url())
    assert [seen.connection for seen in server.seen] == [1, 1, 1, 1]


async def test_cut_bodies_end_their_connection(server: RawServer, fetcher: Fetcher) -> None:
    """A body over the limit is not read to its end for the sake of the connection."""
    server.replies = [http(b"x" * 200_000), http(b"page")]
    assert await reason(fetcher, server.url()) == "too_large"
    await fetcher.request(server.url())
    assert [seen.connection for seen in server.seen] == [1, 2]


@pytest.mark.parametrize("hang_up", [then_close(b""), then_reset(b"")])
async def test_a_stale_connection_is_replaced(server: RawServer, fetcher: Fetcher, hang_up: object) -> None:
    """When the server ends an idle connection under the second request, it is sent again on a new one."""
    assert callable(hang_up)
    server.replies = [http(b"first"), hang_up, http(b"second")]
    await fetcher.request(server.url("/1"))
    await fetcher.request(server.url("/2"))
    assert [(seen.path, seen.connection) for seen in server.seen] == [("/1", 1), ("/2", 1), ("/2", 2)]


async def test_a_half_answer_on_a_kept_connection_is_not_repeated(
    server: RawServer, fetcher: Fetcher
) -> None:
    """A server that began to answer has seen the request, on whatever connection."""
    server.replies = [http(b"first"), then_close(b"HTTP/1.1 200 OK\r\nCon"), http(b"second")]
    await fetcher.request(server.url())
    assert await reason(fetcher, server.url()) == "bad_response"
    assert len(server.seen) == 2


@pytest.mark.parametrize("hang_up", [then_close(b""), then_reset(b"")])
async def test_a_new_connection_that_breaks_is_not_repeated(
    server: RawServer, fetcher: Fetcher, hang_up: object
) -> None:
    """The server may have seen the request, so the host's spacing must pass before another: not even aiohttp
    sends its second GET.
    """
    assert callable(hang_up)
    server.replies = [hang_up, http(b"second")]
    assert await reason(fetcher, server.url()) == "connect"
    assert len(server.seen) == 1


async def test_dns_hiccups_are_tried_again(server: RawServer) -> None:
    """A resolver that asks to try again is asked up to twice more."""
    again = [socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution") for _ in range(5)]
    twice = Resolves("127.0.0.1", failures=list(again[:2]))
    async with fetcher_with(twice) as fetcher:
        await fetcher.request(server.url(host="news.example"))
    always = Resolves("127.0.0.1", failures=list(again))
    async with fetcher_with(always) as fetcher:
        assert await reason(fetcher, server.url(host="news.example")) == "dns"
    assert (twice.asked, always.asked) == (3, 3)


async def test_names_that_do_not_exist_are_asked_once() -> None:
    """A definite answer of the resolver is not doubted."""
    unknown = Resolves(failures=[socket.gaierror(socket.EAI_NONAME, "Name or service not known")])
    async with fetcher_with(unknown) as fetcher:
        assert await reason(fetcher, "http://news.example/") == "dns"
    assert unknown.asked == 1


async def test_a_connection_reset_while_opening_is_tried_again(server: RawServer) -> None:
    """A reset before the connection is open is no request, and may be followed by one at once."""

    class ResetsOnce(AddressGuard):
        tries = 0

        def check(self, address: str) -> None:
            self.tries += 1
            if self.tries == 2:  # the first check is of the literal in the URL
                raise OSError(errno.ECONNRESET, "Connection reset by peer")

    guard = ResetsOnce()
    async with fetcher_with(guard=guard) as fetcher:
        await fetcher.request(server.url())
    assert (guard.tries, len(server.seen)) == (3, 1)


async def test_dns_answers_are_cached(server: RawServer) -> None:
    """Two requests to one host cost one lookup."""
    server.replies = [then_close(http(b"page", connection="close"))]
    async with Nameserver({"news.example": (["127.0.0.1"], 300)}) as dns:
        fetcher = fetcher_with(CachingResolver(AresLookup([dns.address]), FakeClock()))
        async with fetcher:
            await fetcher.request(server.url(host="news.example"))
            await fetcher.request(server.url(host="news.example"))
    assert (dns.asked_for("news.example"), server.connections) == (1, 2)


async def test_an_address_that_changes_after_the_check_is_refused(server: RawServer) -> None:
    """Rebinding: a name that was allowed when first asked for, and is private at the next request."""
    clock = FakeClock()
    server.replies = [then_close(http(b"page", connection="close"))]
    async with Nameserver({"news.example": (["127.0.0.1"], 0)}) as dns:
        fetcher = fetcher_with(CachingResolver(AresLookup([dns.address]), clock))
        async with fetcher:
            await fetcher.request(server.url(host="news.example"))
            dns.names["news.example"] = (["10.0.0.1"], 0)
            clock.advance(3600)
            assert await reason(fetcher, server.url(host="news.example")) == "blocked_address"
    assert server.connections == 1
