"""How a worker ends: by itself, when it is told, and when it is told twice."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import orjson
import pytest
from aiohttp import web

from tests.chaos.fleet import ROOT
from tests.chaos.origin import article
from tests.cli.conftest import COMMAND, environ
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys


class Held:
    """A site whose page is sent when `go` is set."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.url = ""

    async def respond(self, _request: web.Request) -> web.Response:
        self.asked.set()
        await self.go.wait()
        return web.Response(text=article("a.example", "/a/1"), content_type="text/html")


@pytest.fixture
async def held() -> AsyncIterator[Held]:
    """The site, open."""
    site, app = Held(), web.Application()
    app.router.add_get("/page", site.respond)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.3.1", 0).start()
    site.url = f"http://127.0.3.1:{runner.addresses[0][1]}/page"
    yield site
    await runner.cleanup()


@asynccontextmanager
async def worker(server: RedisServer, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`ingest run` as a process, killed if the test leaves it behind."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "run"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=environ(
            redis_url=server.url,
            log_format="json",
            allow_networks="127.0.3.0/24",
            obey_robots="false",
            extract_processes="1",
            **settings,
        ),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> list[str]:
    """The names of the log events up to the end, which must be a clean one."""
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, err) == (0, b"")
    return [orjson.loads(line)["event"] for line in out.splitlines()]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_one_signal_lets_work_end(
    redis_server: RedisServer, connection: Connection, keys: Keys, held: Held, signum: signal.Signals
) -> None:
    """What was begun is finished and published before the worker exits 0."""
    await connection.command("RPUSH", keys.queue, held.url)
    async with worker(redis_server) as process:
        await asyncio.wait_for(held.asked.wait(), 20)
        process.send_signal(signum)
        assert process.stdout is not None
        while b"worker_stopping" not in await asyncio.wait_for(process.stdout.readline(), 20):
            pass
        held.go.set()
        assert "article_published" in await ended(process)
    ledger = await read_ledger(connection, keys)
    assert (ledger.articles, ledger.leased, ledger.balanced) == (1, 0, True)


async def test_a_second_signal_gives_work_back_at_once(
    redis_server: RedisServer, connection: Connection, keys: Keys, held: Held
) -> None:
    """Nothing is waited for: the URL waits again, uncounted, long before the drain's time is over."""
    await connection.command("RPUSH", keys.queue, held.url)
    async with worker(redis_server, drain_s="60") as process:
        await asyncio.wait_for(held.asked.wait(), 20)
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        while b"worker_stopping" not in await asyncio.wait_for(process.stdout.readline(), 20):
            pass
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert "leases_released" in await ended(process)
    assert time.monotonic() - began < 20
    ledger = await read_ledger(connection, keys)
    assert (ledger.waiting, ledger.leased, ledger.balanced) == (1, 0, True)
    assert "retried" not in ledger.traffic
