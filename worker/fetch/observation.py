"""How requests went, for whoever asks: `ingest fetch`. Nothing is measured while nobody does.

with observed() as exchanges:
    async with Fetcher(…) as fetcher:
        await fetcher.request(url)
print(exchanges[-1].first_byte_s)
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

from ada_url import URL
from aiohttp.abc import AbstractResolver

from worker.errors import FetchFailed

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    import aiohttp
    from aiohttp.abc import ResolveResult

    from worker.fetch.guard import AddressGuard
    from worker.model import NotModified, Page, Redirect

_P = ParamSpec("_P")
_Self = TypeVar("_Self")
_Answer = TypeVar("_Answer", bound="Page | Redirect | NotModified")


@dataclass(frozen=True, slots=True)
class Judged:
    """An address that a name resolved to, and why the guard refuses it; None if it does not."""

    address: str
    refusal: str | None


@dataclass(slots=True)
class Exchange:
    """One request, from its start to the end of the body; filled in while it goes.

    Steps are in seconds, and None where there was none: a literal address and a cached answer need no lookup,
    a kept-alive connection no connecting. What was repeated at once is told of the last try.
    """

    url: str
    tries: int = 0
    resolved: tuple[Judged, ...] = ()
    dns_s: float | None = None
    connect_s: float | None = None  # TCP and TLS
    first_byte_s: float | None = None  # from a connection being there to the response's head being here
    body_s: float | None = None
    total_s: float = 0.0
    reused: bool = False
    peer: tuple[str, int] | None = None  # what was connected to; not known beyond a proxy
    proxy: str | None = None  # without its password
    http_version: str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()  # as sent, in their order
    answer: Page | Redirect | NotModified | None = None
    failure: FetchFailed | None = None
    _sockets: list[socket.socket] = field(default_factory=list, init=False, repr=False)
    _began_s: float = field(default_factory=time.monotonic, init=False, repr=False)
    _step_began_s: float = field(default_factory=time.monotonic, init=False, repr=False)

    def header(self, name: str) -> str | None:
        """The values of a header, joined as RFC 9110, 5.3 has it; None without one."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def began(self) -> None:
        """A try begins, maybe not the first."""
        self.tries += 1
        self.dns_s = self.connect_s = self.peer = None
        self.reused = False
        self.begin_step()

    def begin_step(self) -> None:
        """Measure from now."""
        self._step_began_s = time.monotonic()

    def looked_up(self) -> None:
        """The name server has answered."""
        self.dns_s = self._end_step()

    def through(self, proxy_url: str) -> None:
        """A proxy is used."""
        parts = urlsplit(proxy_url)
        self.proxy = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def opened(self, opened: socket.socket) -> None:
        """A socket was made; happy eyeballs may make several, and keeps one."""
        self._sockets.append(opened)

    def connected(self) -> None:
        """One of the sockets is connected, and the others are closed."""
        self.connect_s = self._end_step()
        self.peer = next((each.getpeername()[:2] for each in self._sockets if each.fileno() != -1), None)
        self._sockets.clear()

    def kept_alive(self) -> None:
        """There was a connection already."""
        self.reused = True
        self.begin_step()

    def answered(self, response: aiohttp.ClientResponse) -> None:
        """The head of the response is here."""
        self.first_byte_s = self._end_step()
        self.status = response.status
        if version := response.version:
            self.http_version = f"{version.major}.{version.minor}"
        self.headers = tuple((_text(name), _text(value)) for name, value in response.raw_headers)

    def ended(self) -> None:
        """The body is here, or the request failed."""
        if self.status is not None:
            self.body_s = self._end_step()
        self.total_s = time.monotonic() - self._began_s
        self._sockets.clear()

    def _end_step(self) -> float:
        began_s, self._step_began_s = self._step_began_s, time.monotonic()
        return self._step_began_s - began_s


_EXCHANGES: ContextVar[list[Exchange] | None] = ContextVar("exchanges", default=None)
#: Lookups and happy eyeballs run in tasks of their own; they inherit the context, and so share the exchange.
_EXCHANGE: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def observed() -> Iterator[list[Exchange]]:
    """The requests of every Fetcher that is opened within, in their order, robots.txt included."""
    exchanges: list[Exchange] = []
    token = _EXCHANGES.set(exchanges)
    try:
        yield exchanges
    finally:
        _EXCHANGES.reset(token)


def current_exchange() -> Exchange | None:
    """The exchange under way, if it is observed."""
    return _EXCHANGE.get()


def noted(
    request: Callable[Concatenate[_Self, str, _P], Awaitable[_Answer]],
) -> Callable[Concatenate[_Self, str, _P], Coroutine[Any, Any, _Answer]]:
    """A method that makes a request for a URL, noted as an exchange while somebody observes."""

    @wraps(request)
    async def noting(self: _Self, url: str, /, *args: _P.args, **kwargs: _P.kwargs) -> _Answer:
        if (exchanges := _EXCHANGES.get()) is None:
            return await request(self, url, *args, **kwargs)
        exchange = Exchange(url)
        exchanges.append(exchange)
        token = _EXCHANGE.set(exchange)
        try:
            answer = await request(self, url, *args, **kwargs)
        except FetchFailed as failure:
            exchange.failure = failure
            raise
        finally:
            exchange.ended()
            _EXCHANGE.reset(token)
        exchange.answer = answer
        return answer

    return noting


def observing_resolver(resolver: AbstractResolver, guard: AddressGuard) -> AbstractResolver:
    """`resolver`, whose answers are noted with the guard's word on each address while somebody observes."""
    return resolver if _EXCHANGES.get() is None else _ObservingResolver(resolver, guard)


class _ObservingResolver(AbstractResolver):
    def __init__(self, resolver: AbstractResolver, guard: AddressGuard) -> None:
        self._resolver = resolver
        self._guard = guard

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        exchange = _EXCHANGE.get()
        if exchange is not None and host == URL(exchange.url).hostname:  # a proxy's name is not judged
            exchange.resolved = tuple(self._judged(entry["host"]) for entry in found)
        return found

    def _judged(self, address: str) -> Judged:
        try:
            self._guard.check(address)
        except FetchFailed as refusal:
            return Judged(address, refusal.detail)
        return Judged(address, None)

    async def close(self) -> None:
        await self._resolver.close()


def observe(tracing: aiohttp.TraceConfig) -> None:
    """Have the steps of requests noted, while somebody observes; else add nothing to `tracing`."""
    if _EXCHANGES.get() is None:
        return
    tracing.on_request_start.append(_noting(lambda exchange, _: exchange.began()))
    tracing.on_connection_create_start.append(_noting(lambda exchange, _: exchange.begin_step()))
    tracing.on_dns_resolvehost_start.append(_noting(lambda exchange, _: exchange.begin_step()))
    tracing.on_dns_resolvehost_end.append(_noting(lambda exchange, _: exchange.looked_up()))
    tracing.on_connection_create_end.append(_noting(lambda exchange, _: exchange.connected()))
    tracing.on_connection_reuseconn.append(_noting(lambda exchange, _: exchange.kept_alive()))
    tracing.on_request_end.append(_noting(lambda exchange, end: exchange.answered(end.response)))


def _noting(note: Callable[[Exchange, Any], None]) -> Callable[[object, object, Any], Awaitable[None]]:
    async def callback(_: object, __: object, params: Any) -> None:
        if exchange := _EXCHANGE.get():
            note(exchange, params)

    return callback


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
