"""The sample news site: one small server on fourteen loopback hosts and one port, with a log of its visitors.

Linux answers on all of 127.0.0.0/8. Elsewhere the addresses must be added to the loopback interface first.
"""

from __future__ import annotations

import errno
import socket
import time
from collections import Counter
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import TYPE_CHECKING, Self

from aiohttp import web

from tests.site.answers import Ask
from tests.site.catalogue import CATALOGUE
from tests.site.routes import HOSTS, NOT_FOUND, routes
from tests.site.visits import Visit

if TYPE_CHECKING:
    from types import TracebackType

#: The status in the log of a request whose client left before the end of the answer; nginx uses the same.
CLIENT_LEFT = 499

_PORT_TRIES = 20


class SampleSite:
    """An async context manager that serves the sample site while it is open.

    `port` 0 takes a port that is free on every host. What a server remembers (its log, which troubles it
    has already made) lives as long as the object: a new one begins afresh.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port  # the real one, once open
        self.log: list[Visit] = []  # in order of ending
        self._asked: Counter[tuple[str, str]] = Counter()
        self._closing = AsyncExitStack()

    def url(self, host: str, path: str) -> str:
        """The URL of `path` on one of the hosts."""
        return f"http://{host}:{self.port}{path}"

    def urls(self) -> list[str]:
        """The URLs of the catalogue, in its order."""
        return [row.url(self.port) for row in CATALOGUE]

    async def __aenter__(self) -> Self:
        """Open all hosts. Raises OSError when an address or the port cannot be had."""
        listeners = _listen_everywhere(self.port)
        self.port = listeners[0].getsockname()[1]
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        async with AsyncExitStack() as opening:
            opening.push_async_callback(runner.cleanup)
            await runner.setup()
            for listener in listeners:
                await web.SockSite(runner, listener).start()
            self._closing = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all hosts and drop what is still being answered."""
        await self._closing.aclose()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        start_s = time.monotonic()
        host = _local_address(request)
        key = (host, request.path)
        answer = routes()[host].get(request.path, NOT_FOUND)
        ask = Ask(request, host, self.port, earlier=self._asked[key])
        self._asked[key] += 1
        response: web.StreamResponse = web.Response(status=CLIENT_LEFT)
        end_s: float | None = None
        try:
            # A client that leaves is this site's daily bread: the log says so, by status and early end.
            with suppress(ConnectionError):
                response = await answer.respond(ask)
                await response.prepare(request)
                end_s = time.monotonic()
                await response.write_eof()
        finally:
            ended_s = time.monotonic() if end_s is None else end_s
            agent = request.headers.get("User-Agent", "")
            self.log.append(Visit(host, request.path_qs, start_s, ended_s, response.status, agent))
        return response


def _local_address(request: web.Request) -> str:
    """The address that the client connected to: the Host header is only what it says."""
    if request.transport is None:
        raise ConnectionResetError("the client left before its request was read")
    return str(request.transport.get_extra_info("sockname")[0])


def _listen_everywhere(port: int) -> list[socket.socket]:
    """A listening socket for each host, all on one port. Raises OSError."""
    for tries_left in reversed(range(_PORT_TRIES)):
        with ExitStack() as opened:
            try:
                listeners = [opened.enter_context(_bind(HOSTS[0], port))]
                common_port = listeners[0].getsockname()[1]
                listeners += [opened.enter_context(_bind(host, common_port)) for host in HOSTS[1:]]
            except OSError as error:
                # A port free on the first host may be taken on another: only then is a new draw of use.
                if port or error.errno != errno.EADDRINUSE or not tries_left:
                    raise
            else:
                opened.pop_all()
                return listeners
    raise AssertionError("unreachable: the last try returns or raises")


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        error.add_note(f"the sample site needs {host}:{port}; off Linux: sudo ifconfig lo0 alias {host}")
        raise
    return listener
