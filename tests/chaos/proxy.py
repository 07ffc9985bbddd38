"""A TCP proxy on loopback between every process and Redis, that does what networks do.

It knows nothing of Redis' protocol but this: a client has at most one command under way, so what the server
sends after a client has sent something is the reply to it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_PIECE_BYTES = 65_536

Trouble = Literal["lost_reply", "cut", "latency", "half_open"]


@dataclass(slots=True, eq=False)
class _Link:
    """One client and its connection to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    doomed: bool = False  # the next reply is dropped, and both sides are closed
    dead: bool = False  # half-open: nothing passes any more, and nobody is told

    def close(self) -> None:
        self.client.close()
        self.server.close()


@dataclass(slots=True)
class Proxy:
    """Listens on 127.0.0.1 while it is open. Each trouble hits one piece of a client's bytes in so many.

    `lost_reply`: the command is carried out, its reply is dropped, and the connection is closed. `cut`: it is
    closed before the command is forwarded. `latency`: the command is held back for up to `latency_s`.
    `half_open`: the connection swallows what it is sent, for good.
    """

    backend: Path  # the server's unix socket
    rng: random.Random = field(default_factory=random.Random)
    latency_s: float = 0.06
    done: Counter[str] = field(default_factory=Counter)  # how often each trouble was made
    port: int = 0
    _troubles: list[tuple[Trouble, float]] = field(default_factory=list)  # the same may be made twice at once
    _server: asyncio.Server | None = None
    _links: set[_Link] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"redis://127.0.0.1:{self.port}/0"

    @contextmanager
    def trouble(self, kind: Trouble, chance: float) -> Iterator[None]:
        """Make this trouble for as long as the context lasts."""
        self._troubles.append((kind, chance))
        try:
            yield
        finally:
            self._troubles.remove((kind, chance))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for link in tuple(self._links):
            link.close()

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_unix_connection(self.backend)
        except OSError:
            to_client.close()  # as a server that is down refuses
            return
        link = _Link(to_client, to_server)
        self._links.add(link)
        forward = asyncio.create_task(self._forward(link, from_client))
        back = asyncio.create_task(_back(link, from_server))
        try:
            await asyncio.wait({forward, back}, return_when=asyncio.FIRST_COMPLETED)
            if link.dead and not forward.done():
                await asyncio.wait({forward})  # the server may give up; the client is not told
        finally:
            for pump in (forward, back):
                pump.cancel()
            await asyncio.gather(forward, back, return_exceptions=True)
            link.close()
            self._links.discard(link)

    async def _forward(self, link: _Link, from_client: asyncio.StreamReader) -> None:
        while data := await from_client.read(_PIECE_BYTES):
            if self._strikes("half_open"):
                link.dead = True
            if link.dead:
                continue
            if self._strikes("cut"):
                return
            if self._strikes("latency"):
                await asyncio.sleep(self.rng.uniform(0, self.latency_s))
            if self._strikes("lost_reply"):
                link.doomed = True
            link.server.write(data)
            await link.server.drain()

    def _strikes(self, kind: Trouble) -> bool:
        chance = max((chance for each, chance in self._troubles if each == kind), default=0.0)
        if not chance or self.rng.random() >= chance:
            return False
        self.done[kind] += 1
        return True


async def _back(link: _Link, from_server: asyncio.StreamReader) -> None:
    while data := await from_server.read(_PIECE_BYTES):
        if link.doomed:
            return
        if not link.dead:
            link.client.write(data)
            await link.client.drain()
