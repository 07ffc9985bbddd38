"""What a hostile host has in its hands: a connection, and ways to misuse it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

#: Where nothing may ever connect to: outside of `ALLOWED`, and served, so that a connection would be seen.
CANARY: Final = "127.9.9.9"
ALLOWED: Final = "127.1.0.0/16"
GOOD: Final = "127.1.254.1"
#: Redirects to whatever stands after `/to?`.
ASIDE: Final = "127.1.254.2"

_DRIP_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Wire:
    """One request that has arrived, and the connection to answer on."""

    host: str
    port: int
    target: str  # path and query, as sent
    writer: asyncio.StreamWriter

    def fill(self, text: str) -> bytes:
        """`text` in UTF-8 with `@SELF@`, `@ASIDE@`, `@GOOD@`, `@CANARY@` and `@PORT@` put in."""
        return filled(text.replace("@SELF@", f"{self.host}:{self.port}"), self.port).encode()

    async def send(self, data: bytes) -> None:
        """Write, no faster than it is read. Raises ConnectionError when the client has gone."""
        self.writer.write(data)
        await self.writer.drain()
        await asyncio.sleep(0)  # drain() does not yield to a reader that is quick, and all rows share a loop

    async def drip(self, data: bytes) -> None:
        """Send a byte now and then."""
        for byte in data:
            await self.send(bytes((byte,)))
            await asyncio.sleep(_DRIP_EVERY_S)

    def reset(self) -> None:
        """End the connection by RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Answer = Callable[[Wire], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Hostile:
    """A row: what a host answers to every path but /robots.txt, and how its URL may end.

    `ends` are reasons of `worker.outcomes`, or `article`; several, joined by `|`, where timing decides.
    `fault` says what is wrong with the worker when the row is expected to fail; `alone` keeps what starves
    the worker from spoiling the other rows.
    """

    name: str
    ends: str
    answer: Answer
    robots: Answer | None = None
    fault: str | None = None
    alone: bool = False


def filled(text: str, port: int) -> str:
    """`text` with the addresses of this run."""
    for token, host in (("@ASIDE@", ASIDE), ("@GOOD@", GOOD), ("@CANARY@", CANARY)):
        text = text.replace(token, f"{host}:{port}")
    return text.replace("@PORT@", str(port))


def head(*fields: str, status: str = "200 OK", type: str = "text/html") -> bytes:  # noqa: A002
    """A response's head; no Content-Type if `type` is empty."""
    typed = (f"Content-Type: {type}",) if type else ()
    return "\r\n".join((f"HTTP/1.1 {status}", *typed, *fields, "", "")).encode()


def whole(body: bytes, *fields: str, status: str = "200 OK", type: str = "text/html") -> bytes:  # noqa: A002
    """A response with the right Content-Length."""
    return head(f"Content-Length: {len(body)}", *fields, status=status, type=type) + body


def chunk(data: bytes) -> bytes:
    """`data` as a chunk (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def says(data: bytes) -> Answer:
    """Send `data`, and take the next request."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)

    return answer


def fills(text: str) -> Answer:
    """Send `text` with the addresses of this run put in, as a head that may have a body."""

    async def answer(wire: Wire) -> None:
        await wire.send(wire.fill(text))

    return answer


def page(text: str, *, type: str = "text/html") -> Answer:  # noqa: A002
    """Send `text` with the addresses of this run put in, as a whole page."""

    async def answer(wire: Wire) -> None:
        await wire.send(whole(wire.fill(text), type=type))

    return answer


def closes(data: bytes = b"") -> Answer:
    """Send `data` and close."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)
        wire.writer.close()

    return answer


def resets(data: bytes = b"") -> Answer:
    """Send `data`, and break the connection once it has been taken."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)
        await asyncio.sleep(_DRIP_EVERY_S)  # a reset overtakes what the peer has not read yet
        wire.reset()

    return answer


def hangs(data: bytes = b"") -> Answer:
    """Send `data`, and nothing more."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)
        await asyncio.Event().wait()

    return answer


def drips(data: bytes, dripped: bytes) -> Answer:
    """Send `data` at once, and then `dripped`, a byte at a time, over and over."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)
        while True:
            await wire.drip(dripped)

    return answer


def floods(data: bytes, flood: bytes, *, times: int | None = None, end: bytes = b"") -> Answer:
    """Send `data`, then `flood` without end or so many times, then `end`."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)
        sent = 0
        while times is None or sent < times:
            await wire.send(flood)
            sent += 1
        await wire.send(end)

    return answer
