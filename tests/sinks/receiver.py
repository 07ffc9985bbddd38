"""A receiver of webhooks on a loopback address, which answers as it is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import orjson
from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

#: Status, and headers.
Told = tuple[int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Its webhook-id."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, object]:
        """The event in it."""
        parsed: dict[str, object] = orjson.loads(self.body)
        return parsed


class Receiver:
    """Keeps every request. `answer` says what becomes of one; status 0 never answers."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.requests: list[Received] = []
        self.answer: Callable[[Received], Told] = lambda _: (204, {})
        self.says = ""  # what stands in its answers
        self.port = 0
        self._came = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it receives."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of all requests."""
        return [each.id for each in self.requests]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; at the same port as before, if there was one."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/hook", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def until(self, true: Callable[[Receiver], bool], patience_s: float = 30) -> None:
        """Wait until `true` of what came."""
        async with asyncio.timeout(patience_s), self._came:
            await self._came.wait_for(lambda: true(self))

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.headers, await request.read())
        status, headers = self.answer(received)
        async with self._came:
            self.requests.append(received)
            self._came.notify_all()
        if not status:
            await asyncio.Event().wait()
        return web.Response(status=status, headers=headers, text=self.says or None)
