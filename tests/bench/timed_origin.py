"""`python -m tests.bench.timed_origin NETWORK=HOSTS… [--folder FOLDER] [--delay-ms MS]`: pages, each timed.

Serves `/<n>` and a `/robots.txt` that allows all on NETWORK.1 … NETWORK.HOSTS, such as 127.0.4=20. Prints the
port once it listens. When its stdin ends it prints what each URL took, from its request's headers to the end
of its answer, as one JSON object of seconds, and ends. With --tiny, every page is the same small one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from tests.bench.origin import BenchPage, bound, pages, port_of

_PLACES = ("harbour", "market", "station", "library")
_TINY = "<html><body><article><h1>A ferry comes back</h1>" + "".join(
    f"<p>The ferry left the {place} at {hour} and came back by noon with all of its passengers aboard, as it "
    f"does on every day of the week but one, when nobody at the {place} has anywhere to go to.</p>"
    for hour, place in enumerate(_PLACES, 1)
)


class Origin:
    """The pages, and what serving each took."""

    def __init__(self, served: list[BenchPage], delay_s: float) -> None:
        self.took_s: defaultdict[str, float] = defaultdict(float)
        self._served = served
        self._delay_s = delay_s

    async def page(self, request: web.Request) -> web.StreamResponse:
        """One page, late by the delay."""
        began = time.perf_counter()
        await asyncio.sleep(self._delay_s)
        page = self._served[int(request.match_info["n"]) % len(self._served)]
        headers = {"Content-Encoding": "gzip"} if page.is_gzip else {}
        response = web.Response(body=page.wire, content_type="text/html", headers=headers)
        return await self._written(request, response, began)

    async def robots(self, request: web.Request) -> web.StreamResponse:
        """A file that allows all."""
        began = time.perf_counter()
        await asyncio.sleep(self._delay_s)
        return await self._written(request, web.Response(text="User-agent: *\nAllow: /\n"), began)

    async def _written(
        self, request: web.Request, response: web.Response, began: float
    ) -> web.StreamResponse:
        with suppress(ConnectionError):  # a worker that was stopped
            await response.prepare(request)
            await response.write_eof()
        self.took_s[f"http://{request.host}{request.path}"] += time.perf_counter() - began
        return response


def tiny_page() -> BenchPage:
    """A page that costs next to nothing."""
    return BenchPage("http://tiny.example/1", _TINY.encode(), is_gzip=False)


async def serve(origin: Origin, networks: dict[str, int]) -> None:
    """Serve until stdin ends."""
    app = web.Application()
    app.router.add_get("/{n:[0-9]+}", origin.page)
    app.router.add_get("/robots.txt", origin.robots)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    for listener in (listeners := bound(networks)):
        await web.SockSite(runner, listener, backlog=512).start()
    print(port_of(listeners), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(origin.took_s), flush=True)
    await runner.cleanup()


def main() -> None:
    """Serve what the command line says."""
    parser = argparse.ArgumentParser(prog="timed_origin")
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    networks = {name: int(hosts) for name, _, hosts in (each.partition("=") for each in given.networks)}
    served = [tiny_page()] if given.tiny else pages(given.folder)
    asyncio.run(serve(Origin(served, given.delay_ms / 1000), networks))


if __name__ == "__main__":
    main()
