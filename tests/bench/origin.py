"""`python -m tests.bench.origin HOSTS [FOLDER [PERIOD_S]] [--delay-ms MS]`: pages over loopback, not counted.

Serves `/<n>` on 127.0.3.1 … 127.0.3.HOSTS; prints the port once it listens, and ends with its stdin. An
empty FOLDER is our own sample site. With a period, every URL has another page after each so many seconds;
with a delay, every answer comes that much later.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

_OWN_PAGES = Path(__file__).parents[1] / "site" / "pages"


@dataclass(frozen=True, slots=True)
class BenchPage:
    """A page as it is on the wire, and the URL that it had when it was public."""

    url: str
    wire: bytes
    is_gzip: bool

    @property
    def body(self) -> bytes:
        """The page as a browser would see it."""
        return gzip.decompress(self.wire) if self.is_gzip else self.wire


def pages(folder: Path | None) -> list[BenchPage]:
    """The real pages of `folder`, or those of our own sample site."""
    if folder is None:
        return [
            BenchPage(f"http://sample.example/{path.stem}", path.read_bytes(), is_gzip=False)
            for path in sorted(_OWN_PAGES.rglob("*.html"))
        ]
    with (folder / "expected.jsonl").open() as rows:
        expected = [json.loads(row) for row in rows]
    return [BenchPage(row["url"], (folder / row["file"]).read_bytes(), is_gzip=True) for row in expected]


async def serve(hosts: int, folder: Path | None, period_s: float = 0, delay_s: float = 0) -> None:
    """Serve until stdin ends."""
    served = pages(folder)

    async def answer(request: web.Request) -> web.Response:
        if delay_s:
            await asyncio.sleep(delay_s)
        turn = int(time.monotonic() / period_s) if period_s else 0
        page = served[(int(request.path[1:]) + turn) % len(served)]
        headers = {"Content-Encoding": "gzip"} if page.is_gzip else {}
        return web.Response(body=page.wire, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/{n:[0-9]+}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = 0
    for number in range(1, hosts + 1):
        listener = socket.socket()
        listener.bind((f"127.0.3.{number}", port))
        port = listener.getsockname()[1]
        await web.SockSite(runner, listener, backlog=512).start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="origin")
    parser.add_argument("hosts", type=int)
    parser.add_argument("folder", nargs="?", default="")
    parser.add_argument("period_s", nargs="?", type=float, default=0)
    parser.add_argument("--delay-ms", type=float, default=0)
    given = parser.parse_args()
    known = Path(given.folder) if given.folder else None
    asyncio.run(serve(given.hosts, known, given.period_s, given.delay_ms / 1000))
