"""A raw server on an address for each row, an honest publisher, an open redirector, and the canaries."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

from tests.chaos.hostile.wire import ASIDE, CANARY, GOOD, Answer, Hostile, Wire, head, whole
from tests.chaos.origin import article

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from types import TracebackType

    _Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]

_BIND_TRIES = 20
_ROBOTS = "/robots.txt"
_NO_ROBOTS = whole(b"", status="404 Not Found")


async def publish(wire: Wire) -> None:
    """An honest article, of its own for each path."""
    number = sum(map(ord, wire.target))
    await wire.send(whole(article(wire.host, f"/a/{number}").encode()))


async def lead_on(wire: Wire) -> None:
    """An open redirector."""
    await wire.send(
        head(f"Location: {wire.target.partition('?')[2]}", "Content-Length: 0", status="302 Found")
    )


class HostileHosts:
    """Serves each of `rows` on an address of its own, all at one port, while it is open.

    `reached` names every connection that a canary has seen; `faults` are the rows' own.
    """

    def __init__(self, rows: Sequence[Hostile]) -> None:
        self.port = 0
        self.reached: list[str] = []
        self.faults: list[str] = []
        self._rows = {f"127.1.{number // 200}.{number % 200 + 1}": row for number, row in enumerate(rows)}
        self._stack = ExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []

    @property
    def urls(self) -> dict[str, str]:
        """The URL of each row, by its name."""
        return {row.name: f"http://{host}:{self.port}/news/1" for host, row in self._rows.items()}

    def good_url(self, path: str) -> str:
        """A page of the honest publisher."""
        return f"http://{GOOD}:{self.port}{path}"

    async def __aenter__(self) -> Self:
        # A canary on the addresses that odd notations lead to; the rest of the machine may hold the port.
        for _ in range(_BIND_TRIES):
            with ExitStack() as undo:
                canary = undo.enter_context(_listener(CANARY, 0))
                self.port = int(canary.getsockname()[1])
                with suppress(OSError):
                    canaries = [canary, undo.enter_context(_listener("127.0.0.1", self.port))]
                    self._stack = undo.pop_all()
                    break
        else:
            raise OSError("no port is free on both canaries")
        with suppress(OSError):  # a machine without IPv6 cannot be reached by it either
            canaries.append(self._stack.enter_context(_listener("::1", self.port)))
        for listener in canaries:
            await self._listen(listener, self._cry)
        for host in (*self._rows, GOOD, ASIDE):
            await self._listen(self._stack.enter_context(_listener(host, self.port)), self._serve)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._stack.close()

    async def _listen(self, listener: socket.socket, serve: _Serve) -> None:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # start_server's own task would log a cancelled handler as an error.
            task = asyncio.create_task(serve(reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

        self._servers.append(await asyncio.start_server(accept, sock=listener))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.faults.append(repr(error))

    async def _cry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")
        request = await reader.read(200)
        self.reached.append(f"{address[0]}: {request!r}")
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = str(writer.get_extra_info("sockname")[0])
        try:
            while not writer.is_closing():
                request = await reader.readuntil(b"\r\n\r\n")
                target = request.split(maxsplit=2)[1].decode("ascii")
                await self._answer(host, target)(Wire(host, self.port, target, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has had enough
        finally:
            writer.close()

    def _answer(self, host: str, target: str) -> Answer:
        row = self._rows.get(host)
        if target == _ROBOTS:
            return row.robots if row and row.robots else _without_robots
        if row:
            return row.answer
        return lead_on if host == ASIDE else publish


async def _without_robots(wire: Wire) -> None:
    await wire.send(_NO_ROBOTS)


def _listener(host: str, port: int) -> socket.socket:
    return socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128
    )
