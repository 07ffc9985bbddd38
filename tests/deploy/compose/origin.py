"""A publisher in the project's network, in a container: `/a/<n>` is an article, whatever the host is called.

Run as `python -m tests.deploy.compose.origin`. It answers slowly, so that
killed workers have URLs in work.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from tests.chaos.origin import article

PORT = 8080
HOSTS = tuple(f"site-{number}.test" for number in range(1, 9))
_ANSWERS_AFTER_S = 1.0


def url(number: int) -> str:
    """The URL of that number; they go round the hosts."""
    return f"http://{HOSTS[number % len(HOSTS)]}:{PORT}/a/{number}"


async def _serve(request: web.Request) -> web.Response:
    if request.path == "/robots.txt":
        return web.Response(status=404)
    await asyncio.sleep(_ANSWERS_AFTER_S)
    return web.Response(text=article(request.host.partition(":")[0], request.path), content_type="text/html")


def main() -> None:
    """Serve until SIGTERM."""
    app = web.Application()
    app.router.add_get("/{path:.*}", _serve)
    web.run_app(app, port=PORT, access_log=None, print=None)


if __name__ == "__main__":
    main()
