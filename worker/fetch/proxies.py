"""Which proxy a request goes through, and what the address guard can still promise there.

Directly, and through `socks5`, we resolve names, and the address connected to is the one that was checked.
`socks5h`, `http` and `https` proxies are given names. Those are resolved and checked here first, and refused
if any of their addresses is; but the proxy asks again, and may be told another address. With `trusted` they
are not resolved here at all, as where only the proxy has DNS: what it may reach is then the proxy's to say.
Whatever the proxy, a URL with a literal address, a denied host or a name of `AddressGuard.check_name` is
refused. The proxy's own address is the operator's choice, and is not judged.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

import aiohttp
import python_socks
from aiohttp.abc import AbstractResolver, ResolveResult
from python_socks.async_.asyncio import Proxy as SocksClient

from worker.errors import FetchFailed
from worker.fetch.protocol import LoopsSocket
from worker.fetch.targets import covers

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from typing import Any

    from worker.fetch.guard import AddressGuard

#: RFC 1928, 6: what a SOCKS proxy says of the target and not of itself.
_OF_THE_TARGET = {
    3: "the proxy finds no way to the network",
    4: "the proxy finds no way to the host",
    5: "the connection was refused, says the proxy",
    6: "the proxy's packets went too far",
}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy by its URL; user and password, percent-encoded there, never show."""

    url: str = field(repr=False)

    @property
    def is_socks(self) -> bool:
        """SOCKS 5, which carries connections; the others carry requests too."""
        return self.url.startswith("socks5")

    @property
    def resolves(self) -> bool:
        """Whether the proxy is given names and not addresses."""
        return not self.url.startswith("socks5:")

    def socks_client(self) -> SocksClient:
        """A client of this SOCKS proxy, which resolves nothing itself."""
        parts = urlsplit(self.url)
        return SocksClient(
            python_socks.ProxyType.SOCKS5,
            host=parts.hostname or "",
            port=parts.port or 1080,
            username=unquote(parts.username or "") or None,
            password=unquote(parts.password or "") or None,
            rdns=True,
        )


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxy of each host: `by_host` names stand for the hosts below them too, the longest one counts.

    None is a direct connection. `trusted`: see the module.
    """

    default: Proxy | None = None
    by_host: tuple[tuple[str, Proxy | None], ...] = ()
    trusted: bool = False

    @classmethod
    def from_settings(cls, proxy: str | None, by_host: Mapping[str, str], *, trusted: bool) -> Self:
        """From URLs; None, and `direct` for a host, mean no proxy."""
        rules = tuple((name, None if url == "direct" else Proxy(url)) for name, url in by_host.items())
        return cls(Proxy(proxy) if proxy else None, rules, trusted)

    def of(self, host: str) -> Proxy | None:
        """The proxy for requests to `host`."""
        matches = [(len(name), proxy) for name, proxy in self.by_host if covers(name, host)]
        return max(matches, key=lambda match: match[0])[1] if matches else self.default

    def all(self) -> frozenset[Proxy]:
        """Every proxy that a request may go through."""
        proxies = (self.default, *(proxy for _, proxy in self.by_host))
        return frozenset(proxy for proxy in proxies if proxy is not None)


class SocksConnector(aiohttp.TCPConnector):
    """aiohttp's connector, with every connection made through one SOCKS 5 proxy.

    Where names are resolved here, each address goes past the guard before the proxy is asked for it.
    """

    def __init__(
        self, proxy: Proxy, guard: AddressGuard, *, resolver: AbstractResolver, **options: Any
    ) -> None:
        super().__init__(resolver=_Verbatim() if proxy.resolves else resolver, **options)
        self._proxy = proxy
        self._guard = guard

    # The one place between aiohttp's resolving and its TLS; aiohttp-socks overrides the same.
    async def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: list[Any],
        req: Any,
        **options: Any,
    ) -> tuple[asyncio.Transport, Any]:
        del options["timeout"], options["client_error"]  # all of connecting has one timeout already
        sock = LoopsSocket.of(await self._connect(addr_infos))
        try:
            return await self._loop.create_connection(*args, **options, sock=sock)
        except ssl.SSLCertVerificationError as exc:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, exc) from exc
        except OSError as exc:
            raise aiohttp.ClientConnectorError(req.connection_key, exc) from exc

    async def _connect(self, addr_infos: list[Any]) -> socket.socket:
        """A connection to the first address that can be had; an IPv4 one first, as few proxies know IPv6."""
        addresses = sorted((info[4][:2] for info in addr_infos), key=lambda address: ":" in address[0])
        failures: list[FetchFailed] = []
        for host, port in addresses if self._proxy.resolves else self._allowed(addresses):
            try:
                return await self._proxy.socks_client().connect(host, port)
            except _PROXY_ERRORS as exc:
                failures.append(_failure_from(exc))
        raise failures[-1]

    def _allowed(self, addresses: list[Any]) -> list[Any]:
        """Those that the guard lets pass. Raises FetchFailed("blocked_address") without any."""
        allowed: list[Any] = []
        for address in addresses:
            try:
                self._guard.check(address[0])
                allowed.append(address)
            except FetchFailed:
                if address is addresses[-1] and not allowed:
                    raise
        return allowed


class _Verbatim(AbstractResolver):
    """Names as they are, for a proxy to resolve."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing to close."""


_PROXY_ERRORS = (python_socks.ProxyConnectionError, python_socks.ProxyTimeoutError, python_socks.ProxyError)


def _failure_from(exc: Exception) -> FetchFailed:
    match exc:
        case python_socks.ProxyConnectionError():
            return FetchFailed("proxy", "no connection to the proxy")
        case python_socks.ProxyError(error_code=code) if code in _OF_THE_TARGET:
            return FetchFailed("connect", _OF_THE_TARGET[code])
        case _:
            return FetchFailed("proxy", "the proxy refused, or did not answer")
