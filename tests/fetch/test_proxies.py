"""Requests through real proxies on loopback, and what the guard sees of them."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, http
from tests.fetch.proxy_servers import HttpProxy, ProxyServer, SocksProxy
from tests.fetch.test_outcome import Resolves
from worker.errors import FetchFailed
from worker.fetch.guard import AddressGuard
from worker.fetch.proxies import Proxies, Proxy
from worker.fetch.session import Fetcher
from worker.model import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.abc import AbstractResolver

PUBLIC = "93.184.215.14"
AUTHORITY = trustme.CA()


def trusting_authority() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def presenting(*names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*names).configure_cert(context)
    return context


@asynccontextmanager
async def fetching(
    proxy: str,
    *,
    resolver: AbstractResolver | None = None,
    trusted: bool = False,
    guard: AddressGuard | None = None,
) -> AsyncIterator[Fetcher]:
    """A fetcher that goes through `proxy`; without a resolver every name is a public address."""
    async with Fetcher(
        limits=LIMITS,
        guard=guard or AddressGuard(),
        user_agent=USER_AGENT,
        proxies=Proxies(Proxy(proxy), trusted=trusted),
        resolver=resolver or Resolves(PUBLIC),
        tls=trusting_authority(),
    ) as fetcher:
        yield fetcher


async def body(fetcher: Fetcher, url: str) -> bytes:
    page = await fetcher.request(url)
    assert isinstance(page, Page)
    return page.body


async def failure(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(FetchFailed) as failed:
        await fetcher.request(url)
    return str(failed.value)


class Local(Resolves):
    """Resolves the proxy's own name to loopback and all others to one address."""

    async def resolve(self, host: str, port: int = 0, family: object = 0) -> list[object]:  # type: ignore[override]
        self._addresses = ("127.0.0.1",) if host == "proxy.example" else (PUBLIC,)
        return await super().resolve(host, port)  # type: ignore[return-value]


async def test_http_requests_go_to_an_http_proxy_whole(server: RawServer) -> None:
    """The proxy gets the absolute URL and its credentials, and its own private address is no hindrance."""
    proxied = HttpProxy(server.port, credentials="user:p@ss")
    async with proxied as proxy, fetching(f"http://user:p%40ss@127.0.0.1:{proxy.port}") as fetcher:
        assert await body(fetcher, "http://news.example/a?b") == b"<p>hello</p>"
    assert proxy.asked == ["http://news.example/a?b"]
    assert server.seen[0].headers["Host"] == "news.example"


@pytest.mark.parametrize("tls_to_proxy", [False, True])
async def test_https_requests_go_through_a_tunnel(tls_to_proxy: bool) -> None:
    """By CONNECT, in the clear or over TLS; the certificate that counts is the site's own."""
    site, scheme = RawServer(), "https" if tls_to_proxy else "http"
    await site.start(presenting("news.example"))
    proxy = HttpProxy(site.port, credentials="user:secret")
    proxy.tls = presenting("proxy.example") if tls_to_proxy else None
    async with proxy:
        url = f"{scheme}://user:secret@proxy.example:{proxy.port}"
        async with fetching(url, resolver=Local()) as fetcher:
            assert await body(fetcher, "https://news.example/") == b"<p>hello</p>"
            assert await body(fetcher, "https://news.example/2") == b"<p>hello</p>"
            if not tls_to_proxy:  # asyncio before 3.12 trips over a refused certificate inside of TLS
                assert (await failure(fetcher, "https://other.example/")).startswith("tls: Hostname")
    assert proxy.asked == ["news.example:443", "other.example:443"][: 1 if tls_to_proxy else 2]
    assert [seen.path for seen in site.seen] == ["/", "/2"]
    await site.stop()


@pytest.mark.parametrize(("scheme", "asked"), [("socks5", PUBLIC), ("socks5h", "news.example")])
async def test_socks_proxies_get_an_address_or_a_name(server: RawServer, scheme: str, asked: str) -> None:
    """`socks5` is given the address that was checked, `socks5h` the name; the connection is kept alive."""
    proxied = SocksProxy(server.port, credentials="user:p@ss")
    async with proxied as proxy, fetching(f"{scheme}://user:p%40ss@127.0.0.1:{proxy.port}") as fetcher:
        assert await body(fetcher, "http://news.example:8080/1") == b"<p>hello</p>"
        assert await body(fetcher, "http://news.example:8080/2") == b"<p>hello</p>"
    assert proxy.asked == [f"{asked}:8080"]
    assert [(seen.path, seen.headers["Host"]) for seen in server.seen] == [
        ("/1", "news.example:8080"),
        ("/2", "news.example:8080"),
    ]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_tls_through_a_socks_proxy(scheme: str) -> None:
    """The certificate is checked against the host of the URL, not against what the proxy was told."""
    site = RawServer()
    await site.start(presenting("news.example"))
    async with SocksProxy(site.port) as proxy, fetching(f"{scheme}://127.0.0.1:{proxy.port}") as fetcher:
        assert await body(fetcher, "https://news.example/") == b"<p>hello</p>"
        assert (await failure(fetcher, "https://other.example/")).startswith("tls: Hostname mismatch")
    await site.stop()


SCHEMES = ("http", "socks5", "socks5h")


def proxy_of(scheme: str, server: RawServer) -> ProxyServer:
    return HttpProxy(server.port) if scheme == "http" else SocksProxy(server.port)


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "host", ["10.0.0.1", "0x7f.1", "[::1]", "[64:ff9b::7f00:1]", "localhost", "a.localhost", "metadata.goog"]
)
async def test_no_proxy_is_asked_for_private_literals(
    server: RawServer, scheme: str, host: str, trusted: bool
) -> None:
    """An address in the URL, and a name that can only be local, is refused whoever would resolve it."""
    proxied = proxy_of(scheme, server)
    async with proxied as proxy, fetching(f"{scheme}://127.0.0.1:{proxy.port}", trusted=trusted) as fetcher:
        assert (await failure(fetcher, f"http://{host}/")).startswith("blocked_address")
    assert proxy.connections == 0


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_no_proxy_is_asked_for_names_of_private_addresses(server: RawServer, scheme: str) -> None:
    """The name is resolved here first; where the proxy would choose, one private address is enough."""
    async with proxy_of(scheme, server) as proxy:
        url = f"{scheme}://127.0.0.1:{proxy.port}"
        async with fetching(url, resolver=Resolves("10.0.0.1")) as fetcher:
            assert (await failure(fetcher, "http://news.example/")).startswith("blocked_address")
        async with fetching(url, resolver=Resolves("10.0.0.1", PUBLIC)) as fetcher:
            if scheme == "socks5":
                assert await body(fetcher, "http://news.example/") == b"<p>hello</p>"
            else:
                assert (await failure(fetcher, "http://news.example/")).startswith("blocked_address")
    assert proxy.asked == ([f"{PUBLIC}:80"] if scheme == "socks5" else [])


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_trusted_proxy_resolves_alone(server: RawServer, scheme: str) -> None:
    """No name is looked up here, which works where only the proxy has DNS."""
    resolver = Resolves("10.0.0.1")
    async with proxy_of(scheme, server) as proxy:
        url = f"{scheme}://127.0.0.1:{proxy.port}"
        async with fetching(url, resolver=resolver, trusted=True) as fetcher:
            assert await body(fetcher, "http://news.example/") == b"<p>hello</p>"
    assert resolver.asked == 0


async def test_the_most_specific_rule_decides(server: RawServer) -> None:
    """A rule stands for its host and those below; the longest counts, and `direct` goes past the proxy."""
    async with SocksProxy(server.port) as proxy:
        proxies = Proxies.from_settings(
            f"socks5h://127.0.0.1:{proxy.port}",
            {"example.com": "http://127.0.0.1:1", "news.example.com": "direct"},
            trusted=True,
        )
        async with Fetcher(
            limits=LIMITS,
            guard=LOOPBACK,
            user_agent=USER_AGENT,
            proxies=proxies,
            resolver=Resolves("127.0.0.1"),
        ) as fetcher:
            assert await body(fetcher, server.url(host="www.news.example.com")) == b"<p>hello</p>"
            assert (proxy.asked, len(server.seen)) == ([], 1)
            assert await failure(fetcher, "http://example.com/") == "proxy: no connection to the proxy"
            assert await body(fetcher, "http://notexample.com/") == b"<p>hello</p>"
    assert proxy.asked == ["notexample.com:80"]


@pytest.mark.parametrize(
    ("scheme", "refusal", "url", "expected"),
    [
        ("http", 403, "https://news.example/", "proxy: the proxy answered 403"),
        ("http", 407, "https://news.example/", "proxy: the proxy answered 407"),
        ("http", 407, "http://news.example/", "proxy: the proxy wants other credentials"),
        ("socks5", 2, "http://news.example/", "proxy: the proxy refused, or did not answer"),
        ("socks5h", 4, "http://news.example/", "connect: the proxy finds no way to the host"),
        ("socks5", 5, "http://news.example/", "connect: the connection was refused, says the proxy"),
    ],
)
async def test_refusals_of_proxies(
    server: RawServer, scheme: str, refusal: int, url: str, expected: str
) -> None:
    """What a proxy says of itself is `proxy`; what it says of the site is the site's."""
    async with proxy_of(scheme, server) as proxy:
        proxy.refusal = refusal
        async with fetching(f"{scheme}://127.0.0.1:{proxy.port}") as fetcher:
            assert await failure(fetcher, url) == expected
    assert server.seen == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_failures_of_proxies_quote_no_password(server: RawServer, scheme: str) -> None:
    """Wrong credentials, and a proxy that is not there, are `proxy`, and the password is nowhere."""
    proxy = proxy_of(scheme, server)
    proxy.credentials = "user:right"
    async with proxy:
        url = f"{scheme}://user:wrong-secret@127.0.0.1:{proxy.port}"
        async with fetching(url) as fetcher:
            wrong = await failure(fetcher, "http://news.example/")
    async with fetching(url) as fetcher:
        gone = await failure(fetcher, "http://news.example/")
    assert wrong.startswith("proxy: ")
    assert gone == "proxy: no connection to the proxy"
    assert "secret" not in wrong + gone + repr(Proxies(Proxy(url))) + repr(Proxy(url))


async def test_a_page_of_a_proxied_site_is_read_as_any_other(server: RawServer) -> None:
    """Failures and redirects of the site keep their meaning."""
    server.replies = [http(b"", status="404 Not Found")]
    async with HttpProxy(server.port) as proxy, fetching(f"http://127.0.0.1:{proxy.port}") as fetcher:
        assert (await failure(fetcher, "http://news.example/")).startswith("http_404")
