"""What happens beneath aiohttp in one attempt: which addresses, which connection, and whether it was seen."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from worker.errors import FetchFailed
from worker.fetch.observation import current_exchange, observe
from worker.fetch.outcome import NETWORK_ERRORS, failure_from
from worker.fetch.protocol import LoopsSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.fetch.guard import AddressGuard

_HANG_UPS = frozenset({errno.ECONNRESET, errno.ECONNABORTED})


class Unseen(FetchFailed):
    """The server cannot have seen the request, or closed an idle connection under it: ask again at once."""


@dataclass(slots=True)
class _Attempt:
    head: asyncio.Timeout  # for the response's head, once the request is sent
    headers_timeout_s: float
    reused: bool = False  # on a kept-alive connection
    sockets: int = 0  # addresses that the guard let pass
    address: str | None = None  # the last of these
    blocked: FetchFailed | None = None  # the last refusal of the guard

    def sent(self) -> None:
        self.head.reschedule(asyncio.get_running_loop().time() + self.headers_timeout_s)

    def failure(self, exc: BaseException) -> FetchFailed:
        # A host may publish a private address beside its public ones; what befell those counts.
        if self.blocked and not self.sockets:
            return self.blocked
        failure = failure_from(exc)
        return Unseen(failure.reason, failure.detail) if self._unseen(exc) else failure

    def _unseen(self, exc: BaseException) -> bool:
        match exc:
            case aiohttp.ClientConnectorDNSError():
                return exc.errno == socket.EAI_AGAIN
            case aiohttp.ClientConnectorError():
                return exc.errno in _HANG_UPS
            case aiohttp.ServerDisconnectedError(message=str()):
                return self.reused
            case aiohttp.ClientOSError() | aiohttp.ClientConnectionResetError():
                return self.reused
            case _:
                return False


#: Happy eyeballs connects in tasks of its own; they inherit the context, and so share the attempt.
_ATTEMPT: ContextVar[_Attempt] = ContextVar("attempt")


@contextmanager
def watched(head: asyncio.Timeout, headers_timeout_s: float) -> Iterator[_Attempt]:
    """Watch the one request made within; `head` gets its deadline when the request has been sent."""
    attempt = _Attempt(head, headers_timeout_s)
    token = _ATTEMPT.set(attempt)
    try:
        yield attempt
    finally:
        _ATTEMPT.reset(token)


def guarded_sockets(guard: AddressGuard) -> Callable[[Any], socket.socket]:
    """A socket factory for aiohttp, which refuses what `guard` refuses.

    It is called with the address about to be connected to, so nothing can come between the check and the use:
    neither a second DNS answer nor a literal that another parser reads otherwise.
    """

    def guarded_socket(addr_info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = addr_info
        attempt = _ATTEMPT.get()
        try:
            guard.check(address[0])
        except FetchFailed as refusal:
            attempt.blocked = refusal
            # Happy eyeballs knows OSError alone: anything else, with two addresses, becomes an IndexError.
            raise PermissionError(errno.EACCES, str(refusal)) from refusal
        attempt.sockets += 1
        attempt.address = address[0]
        opened = LoopsSocket(family, kind, protocol)
        if exchange := current_exchange():
            exchange.opened(opened)
        return opened

    return guarded_socket


async def one_request(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A middleware that makes errors ours, out of reach of aiohttp's own retry.

    aiohttp sends a second GET by itself when a connection breaks, on a fresh one too, where the server may
    well have seen the first: that would break the host's spacing.
    """
    try:
        return await handler(request)
    except NETWORK_ERRORS as exc:
        raise _ATTEMPT.get().failure(exc) from exc


def tracing_attempts() -> aiohttp.TraceConfig:
    """Tells the attempt when it got a kept-alive connection and when it was sent.

    An exchange that is observed it tells how it goes.
    """

    async def note_reuse(*_: object) -> None:
        _ATTEMPT.get().reused = True

    async def note_sent(*_: object) -> None:
        _ATTEMPT.get().sent()

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(note_reuse)
    tracing.on_request_headers_sent.append(note_sent)
    observe(tracing)
    return tracing
