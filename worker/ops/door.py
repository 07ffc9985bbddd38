"""Who may come in at the ops port: what other pages make a browser ask is turned away, unread.

The port has no login: it is shown to whoever reaches it. The browser of somebody who does must not lend that
reach to other pages: by a name that now leads here (DNS rebinding), in a frame, or by a script elsewhere.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from worker.fetch.targets import covers

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable

    from aiohttp.typedefs import Middleware

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: All watchers, probes and scrapers of a team, several times over. They are file descriptors of the worker.
MOST_CONNECTIONS = 64
#: For the first request's head to arrive, and for the next one's on the same connection.
KEEP_ALIVE_S = 30.0
_SAME = frozenset({"same-origin", "none"})
_LOCAL = "localhost"


def door(names: Iterable[str]) -> Middleware:
    """Turns away what is not meant for this port, or was asked for by another site's page.

    An address is always meant for us, for nobody can make a name's page speak in an address's name; so is
    `localhost`. A browser always sends Host, so what has none (HTTP/1.0 probes) is no browser.
    """
    known = frozenset(names)

    @web.middleware
    async def at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
        hosts = request.headers.getall(hdrs.HOST, [])
        if len(hosts) > 1:
            return refusal(400, "one Host header, please (RFC 9112, 3.2)")
        if hosts and not is_ours(hosts[0], known):
            return refusal(
                421, "this port answers to its address, to localhost, and to the names in INGEST_OPS_HOSTS"
            )
        if is_foreign(request):
            return refusal(403, "a page of another site asked for this")
        return await handler(request)

    return at_the_door


def is_ours(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header (RFC 9110, 7.2) is an address, `localhost`, or one of `names` or below it."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    name = name.removesuffix(".")
    return name == _LOCAL or any(covers(known, name) for known in names) or _is_address(name)


def is_foreign(request: web.Request) -> bool:
    """Whether another site's page asked for this, other than by a link that somebody followed.

    By Fetch Metadata (W3C), which browsers send over TLS and to loopback. Elsewhere Origin tells, which comes
    with whatever changes something.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        followed = request.method == hdrs.METH_GET and request.headers.get("Sec-Fetch-Dest") == "document"
        return site not in _SAME and not followed
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is not None and origin.partition("://")[2] != request.headers.get(hdrs.HOST)


def bounded(server: web.Server) -> Callable[[], asyncio.Protocol]:
    """The server's connections, of which the oldest end where there are too many: a probe always gets in."""

    def accepted() -> asyncio.Protocol:
        connections = server.connections
        for oldest in connections[: max(0, len(connections) - MOST_CONNECTIONS + 1)]:
            oldest.force_close()
        return server()

    return accepted


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def refusal(status: int, why: str) -> web.Response:
    """An answer that says what is wrong."""
    return web.json_response({"fault": why}, status=status)
