"""Small real proxies on loopback: HTTP (requests and CONNECT, in the clear or over TLS) and SOCKS 5."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from types import TracebackType


class ProxyServer:
    """Listens on 127.0.0.1 within its block. Whatever it is asked for, it goes to `target` on 127.0.0.1.

    With `credentials` (`user:password`) it refuses requests without them; with `refusal` it refuses all: a
    status of HTTP, or a reply code of SOCKS.
    """

    def __init__(self, target: int, *, credentials: str | None = None, refusal: int | None = None) -> None:
        self.target = target
        self.credentials = credentials
        self.refusal = refusal
        self.asked: list[str] = []  # host:port of each tunnel, or the URL of each request
        self.connections = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.create_task(self._handled(reader, writer)))

    async def _handled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(Exception, asyncio.CancelledError):
                await writer.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak the proxy's protocol on one connection."""
        raise NotImplementedError

    async def relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b""
    ) -> None:
        """Carry bytes between the client and the target until either ends."""
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        back.write(first)
        try:
            await asyncio.wait(
                [asyncio.create_task(_pump(reader, back)), asyncio.create_task(_pump(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            back.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


class HttpProxy(ProxyServer):
    """RFC 9110, 9.3.6 (CONNECT), and requests for absolute URLs (RFC 9112, 3.2.2)."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, *_ = head.decode("latin-1").split()
        self.asked.append(target)
        if self.refusal is not None or not self._admits(head):
            status = self.refusal or 407
            writer.write(f"HTTP/1.1 {status} Refused\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await self.relay(reader, writer)
        else:
            await self.relay(reader, writer, head)

    def _admits(self, head: bytes) -> bool:
        if self.credentials is None:
            return True
        wanted = b"Proxy-Authorization: Basic " + base64.b64encode(self.credentials.encode())
        return wanted in head


class SocksProxy(ProxyServer):
    """RFC 1928, with user and password by RFC 1929."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        offered = await reader.readexactly(methods)
        method = 2 if self.credentials else 0
        writer.write(bytes([5, method if method in offered else 0xFF]))
        if method not in offered or (self.credentials and not await self._admits(reader, writer)):
            await writer.drain()
            return
        *_, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        port = int.from_bytes(await reader.readexactly(2))
        self.asked.append(f"{host}:{port}")
        writer.write(bytes([5, self.refusal or 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        if self.refusal is None:
            await self.relay(reader, writer)
        else:
            await writer.drain()

    async def _admits(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readexactly(1)
        user = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        admitted = f"{user.decode()}:{password.decode()}" == self.credentials
        writer.write(bytes([1, 0 if admitted else 1]))
        return admitted
