"""How a request gets to its server: pools of connections, directly or through proxies, past the guard."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import yarl
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random

from worker.errors import FetchFailed
from worker.fetch.attempt import Unseen, guarded_sockets, one_request, tracing_attempts, watched
from worker.fetch.body import READ_BYTES
from worker.fetch.dns import resolver_of_the_system
from worker.fetch.observation import current_exchange, observing_resolver
from worker.fetch.protocol import LoopsSocket, StrictConnection
from worker.fetch.proxies import Proxies, Proxy, SocksConnector

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from aiohttp.abc import AbstractResolver

    from worker.clock import Clock
    from worker.fetch.guard import AddressGuard
    from worker.fetch.limits import FetchLimits

_CODINGS_ACCEPTED = "gzip, deflate, br, zstd"
#: For bytes that are kept: few readers of archives know the others, and warcio 1.8 fails at br.
_CODINGS_OF_OLD = "gzip, deflate"
_PROXY_AUTHENTICATION_REQUIRED = 407
_QUICK_TRIES = 3
_ADDRESSES_KNOWN = 10_000
_QUICK_PAUSE_S = (0.02, 0.2)


def trusting(ca_file: Path) -> ssl.SSLContext:
    """The system's trust, and the authorities of a PEM file. Raises OSError for a bad file (TLS' too)."""
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Transport:
    """A pool of connections for direct requests, and one for each proxy, as an async context manager.

    It keeps no cookies and uses neither credentials nor proxies of the environment. `tls` replaces the
    system's trust store; `connections` bounds each pool, 0 does not. `kept`: others will read the bytes.
    """

    _resolver: AbstractResolver
    _sessions: dict[Proxy | None, aiohttp.ClientSession]

    def __init__(
        self,
        *,
        guard: AddressGuard,
        proxies: Proxies,
        user_agent: str,
        limits: FetchLimits,
        connections: int,
        clock: Clock,
        resolver: AbstractResolver | None,
        tls: ssl.SSLContext | None,
        kept: bool,
    ) -> None:
        self._guard = guard
        self._proxies = proxies
        self._user_agent = user_agent
        self._limits = limits
        self._clock = clock
        self._given_resolver = resolver
        self._connections = connections
        self._tls = tls
        self._codings = _CODINGS_OF_OLD if kept else _CODINGS_ACCEPTED
        self._exits = AsyncExitStack()
        self._addresses: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        resolver = self._given_resolver or resolver_of_the_system(self._clock)
        self._exits.push_async_callback(resolver.close)
        self._resolver = observing_resolver(resolver, self._guard)
        self._sessions = {
            proxy: await self._exits.enter_async_context(self._session(proxy))
            for proxy in (None, *self._proxies.all())
        }
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    def _connector(self, proxy: Proxy | None) -> aiohttp.TCPConnector:
        options: dict[str, Any] = {
            "limit": self._connections,
            "ssl": self._tls or True,
            "use_dns_cache": False,  # aiohttp's own knows no TTL
            "resolver": self._resolver,
        }
        connector: aiohttp.TCPConnector
        if proxy is None:
            connector = aiohttp.TCPConnector(socket_factory=guarded_sockets(self._guard), **options)
        elif proxy.is_socks:
            connector = SocksConnector(proxy, self._guard, **options)
        else:
            # Its connections go to the proxy, nowhere else.
            connector = aiohttp.TCPConnector(socket_factory=lambda info: LoopsSocket(*info[:3]), **options)
        # There is no other way in.
        connector._factory = partial(StrictConnection, asyncio.get_running_loop())  # type: ignore[assignment]  # noqa: SLF001
        return connector

    def _session(self, proxy: Proxy | None) -> aiohttp.ClientSession:
        limits = self._limits
        return aiohttp.ClientSession(
            connector=self._connector(proxy),
            proxy=None if proxy is None or proxy.is_socks else proxy.url,
            headers={"User-Agent": self._user_agent, "Accept-Encoding": self._codings},
            timeout=aiohttp.ClientTimeout(
                total=None, connect=limits.connect_timeout_s, sock_read=limits.stall_timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            read_bufsize=READ_BYTES,
            max_line_size=limits.header_limit_bytes,
            max_field_size=limits.header_limit_bytes,
            max_headers=limits.header_limit_lines,
            middlewares=(one_request,),
            trace_configs=[tracing_attempts()],
        )

    async def get(self, url: yarl.URL, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """The response's head, of whatever status.

        Tries again at once only what the server cannot have seen or answered. Raises FetchFailed, and those
        of NETWORK_ERRORS that happen outside of aiohttp.
        """
        proxy = self._proxies.of(url.raw_host or "")
        if proxy is not None and (exchange := current_exchange()):
            exchange.through(proxy.url)
        if proxy is not None and proxy.resolves and not self._proxies.trusted:
            await self._check_addresses(url)
        try:
            return await self._attempt(url, headers, proxy)
        except Unseen as failure:
            # What repeats takes a fifth of a request's CPU, and hardly any request needs it.
            return await self._repeated(failure, url, headers, proxy)

    async def _repeated(
        self, first: Unseen, url: yarl.URL, headers: Mapping[str, str], proxy: Proxy | None
    ) -> aiohttp.ClientResponse:
        """Go on with a request whose first try has failed."""
        failures = [first]

        async def tried() -> aiohttp.ClientResponse:
            if failures:
                raise failures.pop()
            return await self._attempt(url, headers, proxy)

        quick = AsyncRetrying(
            retry=retry_if_exception_type(Unseen),
            stop=stop_after_attempt(_QUICK_TRIES),
            wait=wait_random(*_QUICK_PAUSE_S),
            reraise=True,
        )
        return await quick(tried)

    async def _check_addresses(self, url: yarl.URL) -> None:
        """Judge all that the name resolves to here: which of them a proxy will choose is not known."""
        async with asyncio.timeout(self._limits.connect_timeout_s):
            found = await self._resolver.resolve(url.raw_host or "", url.port or 0)
        for entry in found:
            self._guard.check(entry["host"])

    async def _attempt(
        self, url: yarl.URL, headers: Mapping[str, str], proxy: Proxy | None
    ) -> aiohttp.ClientResponse:
        session = self._sessions[proxy]
        try:
            async with asyncio.timeout(None) as head:
                with watched(head, self._limits.headers_timeout_s) as attempt:
                    response = await session.get(url, headers=headers, allow_redirects=False)
        except TimeoutError as exc:
            if not head.expired():
                raise
            detail = f"the headers took more than {self._limits.headers_timeout_s:g} s"
            raise FetchFailed("timeout", detail) from exc
        if proxy is None and attempt.address:
            self._note_address(url.raw_host or "", attempt.address)
        if proxy is not None and response.status == _PROXY_AUTHENTICATION_REQUIRED:
            response.close()
            raise FetchFailed("proxy", "the proxy wants other credentials", status=response.status)
        return response

    def address_of(self, url: str) -> str | None:
        """The IP address at which the URL's host was last reached directly; None where none is known."""
        return self._addresses.get(yarl.URL(url, encoded=True).raw_host or "")

    def peer_of(self, url: str, response: aiohttp.ClientResponse) -> str | None:
        """The IP address that answered; None beyond a proxy, and where it is not known."""
        if self._proxies.of(yarl.URL(url, encoded=True).raw_host or "") is not None:
            return None
        transport = response.connection.transport if response.connection else None
        peer = transport.get_extra_info("peername") if transport else None
        return str(peer[0]) if peer else self.address_of(url)  # a small response has let its connection go

    def _note_address(self, host: str, address: str) -> None:
        self._addresses.pop(host, None)
        self._addresses[host] = address
        if len(self._addresses) > _ADDRESSES_KNOWN:
            del self._addresses[next(iter(self._addresses))]
