"""A publisher on many loopback hosts: every path is an article, and every request is in its log."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType

_TEXT = """\
The harbour council of {place} voted on Tuesday evening to keep the old pier number {n} open for one more
winter, after fishermen argued that no other berth is sheltered from the northern swell.

Engineers had proposed to close it for two years while the pilings are replaced. The new plan spreads the work
over {n} shorter stages, each of which leaves half of the berths in use, the council said.

Residents who spoke at the meeting welcomed the compromise, although several asked how the extra cost of some
{n} thousand crowns would be met. The treasurer answered that the reserve fund is sufficient.

Work begins when the herring season ends. A first report on the state of the pilings is due in spring, and the
council of {place} will then decide whether the remaining stages go ahead as planned.
"""
_UPDATE = "An update was added by the council on the following day, after a vote. "
#: Some hundred thousand elements: over a hundred megabytes once parsed.
_EATER = b"<!doctype html><title>Pier</title><article>" + b"<p>a<b>b</b>" * 150_000

#: How long a worker that was stopped may take to send what it had begun.
_WAKING_S = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the log; times are of the monotonic clock, in seconds."""

    host: str
    path: str
    began_s: float
    ended_s: float


def article(host: str, path: str) -> str:
    """An article's page, of its own for each path."""
    number = sum(map(ord, path)) + int(path.rpartition("/")[2] or 0)
    body = "".join(f"<p>{text}</p>" for text in _TEXT.format(place=host, n=number).split("\n\n"))
    return (
        f"<!doctype html><html lang=en><head><title>Pier {path} stays open</title>"
        '<meta property="article:published_time" content="2026-03-04T05:06:07+01:00"></head>'
        f"<body><nav><a href=/>Home</a></nav><article><h1>Pier {path} stays open</h1>{body}</article>"
        "<footer>All rights reserved</footer></body></html>"
    )


class Origin:
    """Serves `/<kind>/<n>` on 127.0.2.1 … 127.0.2.`hosts`, all at one port, while it is open.

    Kinds: `a` an article; `bare` one whose page names no date; `slow` one after 0.4 s; `flaky` a 500 the
    first time; `moved` leads to the next host's `a`; `hang` never answers; `busy` is a 429; `drip` sends a
    byte a second; `gone` is a 404; `edited` says something new each time; `tagged` has an ETag; `eater` is a
    page that takes more memory to read than a process may have; `deadly` kills the process that asks for it,
    if `on_deadly` can.
    """

    def __init__(self, hosts: int) -> None:
        self.hosts = [f"127.0.2.{number + 1}" for number in range(hosts)]
        self.port = 0
        self.log: list[Request] = []
        self.hanging = asyncio.Semaphore(0)  # released once for each request that hangs
        self.on_deadly: Callable[[str, int], None] = lambda *_: None  # called with path and the client's port
        self._troubled: set[tuple[str, str]] = set()
        self._visits: Counter[str] = Counter()
        self._stack = ExitStack()
        self._runner: web.AppRunner | None = None

    def url(self, number: int) -> str:
        """The URL of that number: they go round the hosts, and one in ten makes trouble."""
        host = self.hosts[number % len(self.hosts)]
        kind = {3: "slow", 5: "flaky", 7: "moved"}.get(number // len(self.hosts) % 10, "a")
        return f"http://{host}:{self.port}/{kind}/{number}"

    async def __aenter__(self) -> Self:
        sockets = []
        for host in self.hosts:
            listener = self._stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, self.port))
            self.port = listener.getsockname()[1]
            sockets.append(listener)
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        for listener in sockets:
            await web.SockSite(self._runner, listener, backlog=256).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._stack.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        began_s = time.monotonic()
        host = request.host.partition(":")[0]
        try:
            if request.path.startswith("/drip/"):
                return await _drip(request)
            if request.path.startswith("/tagged/"):
                return _tagged(request, host)
            if request.path.startswith("/deadly/"):
                self.on_deadly(request.path, request.get_extra_info("peername")[1])
            return await self._answer(host, request.path)
        finally:
            self.log.append(Request(host, request.path, began_s, time.monotonic()))

    async def _answer(self, host: str, path: str) -> web.StreamResponse:
        kind = path.split("/")[1]
        if kind == "robots.txt":
            return web.Response(status=404)
        if kind == "hang":
            self.hanging.release()
            await asyncio.sleep(3600)
        if kind == "busy":
            return web.Response(status=429)
        if kind == "gone":
            return web.Response(status=404)
        if kind == "edited":
            self._visits[path] += 1
            page = article(host, path).replace(
                "</article>", f"<p>{_UPDATE * self._visits[path]}</p></article>"
            )
            return web.Response(text=page, content_type="text/html")
        if kind == "eater":
            return web.Response(body=_EATER, content_type="text/html")
        if kind == "bare":
            page = article(host, path).replace("article:published_time", "theme-color")
            return web.Response(text=page, content_type="text/html")
        if kind == "slow":
            await asyncio.sleep(0.4)
        if kind == "flaky" and (host, path) not in self._troubled:
            self._troubled.add((host, path))
            return web.Response(status=500)
        if kind == "moved":
            other = self.hosts[(self.hosts.index(host) + 1) % len(self.hosts)]
            return web.Response(
                status=302, headers={"Location": f"http://{other}:{self.port}/a/{path.rpartition('/')[2]}"}
            )
        return web.Response(text=article(host, path), content_type="text/html")

    def breaches(
        self, spacing_s: float, *, excused: Collection[tuple[str, str, float]] = frozenset()
    ) -> list[str]:
        """Every two requests of one host that were there at once, or closer than the spacing.

        But for those that are `excused`: a host, a path, and the instant right after which they came.
        """

        def counts(request: Request) -> bool:
            return not any(
                (host, path) == (request.host, request.path) and 0 <= request.began_s - at_s < _WAKING_S
                for host, path, at_s in excused
            )

        by_host: dict[str, list[Request]] = defaultdict(list)
        for request in sorted(filter(counts, self.log), key=lambda each: each.began_s):
            by_host[request.host].append(request)
        found = []
        for host, requests in by_host.items():
            for one, two in pairwise(requests):
                if two.began_s < one.ended_s:
                    found.append(f"{host}: {one.path} and {two.path} at once")
                elif two.began_s - one.began_s < spacing_s:
                    found.append(
                        f"{host}: {two.path} came {two.began_s - one.began_s:.3f} s after {one.path}"
                    )
        return found


def _tagged(request: web.Request, host: str) -> web.Response:
    etag = {"ETag": '"as-ever"'}
    if request.headers.get("If-None-Match") == etag["ETag"]:
        return web.Response(status=304, headers=etag)
    return web.Response(text=article(host, request.path), content_type="text/html", headers=etag)


async def _drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    while True:
        await response.write(b"<")
        await asyncio.sleep(1)
