"""A raw loopback server: it answers each request with the very bytes, pauses and breaks that a test says."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from worker.fetch.guard import AddressGuard
from worker.fetch.session import Fetcher, FetchLimits

if TYPE_CHECKING:
    import ssl

USER_AGENT = "IngestTest/1.0 (+https://example.com/bot)"
LOOPBACK = AddressGuard(allow_networks=[ip_network("127.0.0.0/8")])
LIMITS = FetchLimits(
    connect_timeout_s=5,
    stall_timeout_s=0.3,
    total_timeout_s=5,
    body_limit_bytes=100_000,
    header_limit_bytes=4096,
)

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A response with a Content-Length, as HTML unless `content_type` says otherwise ("" leaves it out)."""
    fields = {"content_type": "text/html", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    connection: int
    path: str
    headers: dict[str, str]


@dataclass
class RawServer:
    """Listens on 127.0.0.1; gives its `replies` in turn, the last one again and again."""

    replies: list[Reply] = field(default_factory=lambda: [http(b"<p>hello</p>")])
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    scheme: str = "http"
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self.scheme = "https" if tls else "http"
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # start_server's own task would log a cancelled handler as an error.
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> None:
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                self.seen.append(_parse(head, connection))
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                if isinstance(reply, bytes):
                    writer.write(reply)
                else:
                    await reply(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(Exception, asyncio.CancelledError):
                await writer.wait_closed()


def _parse(head: bytes, connection: int) -> Seen:
    request, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Seen(connection, request.split()[1], headers)


def then_close(data: bytes) -> Reply:
    """Send `data` and end the connection in good order."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    return reply


def then_reset(data: bytes) -> Reply:
    """Send `data`, and once it has been taken, break the connection."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.05)  # a reset overtakes data that the peer has not read yet
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return reply


def then_hang(data: bytes) -> Reply:
    """Send `data` and nothing more."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await asyncio.Event().wait()

    return reply


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    server = RawServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        yield fetcher
