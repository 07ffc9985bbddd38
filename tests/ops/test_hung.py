"""Workers that really hang, and workers that only wait: what `/livez` says of them, and how soon."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import orjson
import psutil
import pytest
from aiohttp import ClientSession, ClientTimeout

from tests.chaos.fleet import ROOT, clean_environ
from tests.chaos.proxy import Proxy
from tests.ops.conftest import watching
from tests.servers import RedisServer
from worker.ops.health import longest_lease_s
from worker.settings import Settings, load_settings
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.ops.conftest import Watched
    from worker.store.connection import Connection

_SHORT = {"total_timeout_s": "1", "extract_timeout_s": "1", "redis_timeout_s": "1", "retry_base_s": "0.1"}
_PROBE_S = 2.0
_A_PAGE_OF_MEMORY = 4096


@pytest.fixture
def shortest_s() -> float:
    """In how many seconds of no progress a worker of `_SHORT` is not live any more."""
    settings = load_settings({f"INGEST_{name.upper()}": value for name, value in _SHORT.items()})
    assert longest_lease_s(settings) < longest_lease_s(Settings())
    return longest_lease_s(settings)


async def probed(client: ClientSession, address: str) -> str:
    """What a probe hears of `/livez` within its patience: nothing, of a loop that does not turn."""
    try:
        async with client.get(f"http://{address}/livez", timeout=ClientTimeout(_PROBE_S)) as response:
            return f"{response.status} {await response.text()}"
    except TimeoutError:
        return "no answer"


async def hears(client: ClientSession, address: str, said: str, within_s: float) -> None:
    """Wait until a probe hears that."""
    deadline = time.monotonic() + within_s
    while said not in (found := await probed(client, address)):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.2)


async def test_a_stopped_process_answers_no_probe(watched: Watched) -> None:
    """Nothing vouches for a process that does not run; once it does, it answers again."""
    await watched.start()
    assert watched.worker is not None
    await hears(watched.client, watched.address, "200 ok", 20)
    watched.worker.send_signal(signal.SIGSTOP)
    try:
        assert await probed(watched.client, watched.address) == "no answer"
    finally:
        watched.worker.send_signal(signal.SIGCONT)
    await hears(watched.client, watched.address, "200 ok", 20)


async def test_a_loop_that_blocks_answers_no_probe(watched: Watched) -> None:
    """A log that nobody reads blocks the worker in a write: no part of it says that all is well."""
    environ = clean_environ() | watched.fleet.mark | {"INGEST_LOG_FORMAT": "json"} | watched.fleet.settings
    worker = subprocess.Popen(  # noqa: ASYNC220 - it starts at once
        [sys.executable, "-m", "worker", "run"], stdout=subprocess.PIPE, cwd=ROOT, env=environ
    )
    try:
        assert worker.stdout is not None
        fcntl.fcntl(worker.stdout, fcntl.F_SETPIPE_SZ, _A_PAGE_OF_MEMORY)
        line = {"event": ""}
        while line["event"] != "ops_listening":
            line = orjson.loads(await asyncio.to_thread(worker.stdout.readline))
        address = line["address"]
        await hears(watched.client, address, "200 ok", 20)
        urls = [watched.origin.url(number) for number in range(40)]
        await watched.connection.command("RPUSH", Keys().queue, *urls)
        await hears(watched.client, address, "no answer", 30)
        reading = asyncio.create_task(asyncio.to_thread(worker.stdout.read))
        await hears(watched.client, address, "200 ok", 30)
        worker.terminate()
        assert b"worker_stopped" in await asyncio.wait_for(reading, 30)
    finally:
        worker.kill()
        worker.communicate()


@asynccontextmanager
async def extraction_stopped(worker: psutil.Process) -> AsyncIterator[None]:
    """Within it, every process that reads pages is stopped as soon as it is there."""
    stopped: set[psutil.Process] = set()

    async def stop_all() -> None:
        while True:
            for child in worker.children():
                with suppress(psutil.NoSuchProcess):  # killed just now
                    if child not in stopped and "worker.extract.child" in child.cmdline():
                        child.suspend()
                        stopped.add(child)
            await asyncio.sleep(0.02)

    stopping = asyncio.create_task(stop_all())
    try:
        yield
    finally:
        stopping.cancel()
        for child in stopped:
            with suppress(psutil.NoSuchProcess):
                child.resume()


@pytest.mark.slow
async def test_work_that_does_not_end_is_told_in_time(watched: Watched, shortest_s: float) -> None:
    """The loop turns, but no page is read, and none can be: 503 says so within the stated time."""
    await watched.start(**_SHORT)
    assert watched.worker is not None
    await watched.answers("/readyz", 200)
    async with extraction_stopped(psutil.Process(watched.worker.pid)):
        began = time.monotonic()
        urls = [watched.origin.url(number) for number in range(3)]
        await watched.connection.command("RPUSH", Keys().queue, *urls)
        await hears(watched.client, watched.address, "503 none of", shortest_s + 20)
        assert time.monotonic() - began > shortest_s
        assert "URLs in work has ended for" in await probed(watched.client, watched.address)
    await hears(watched.client, watched.address, "200 ok", 30)
    ledger = await watched.settled(3)
    assert (ledger.articles + ledger.dead, ledger.balanced) == (3, True)


@pytest.mark.slow
async def test_waiting_is_no_fault(
    connection: Connection, redis_server: RedisServer, tmp_path: Path, shortest_s: float
) -> None:
    """Longer than a loop may hang: with nothing to do, without Redis, and with one that went silent."""
    folders = [tmp_path / name for name in ("idle", "lonely", "silent", "no-redis", "silent-redis")]
    for folder in folders:
        folder.mkdir()
    silent = RedisServer(folders[4]).start()
    try:
        async with (
            Proxy(silent.folder / "redis.sock") as proxy,
            watching(connection, redis_server.url, folders[0]) as idle,
            watching(connection, f"unix://{folders[3]}/redis.sock", folders[1]) as lonely,
            watching(connection, proxy.url, folders[2]) as waiting,
        ):
            workers = (idle, lonely, waiting)
            for worker in workers:
                await worker.start(**_SHORT)
            await idle.answers("/readyz", 200)
            await waiting.answers("/readyz", 200)
            with proxy.trouble("half_open", 1):
                ends = time.monotonic() + shortest_s + 10
                while time.monotonic() < ends:
                    for worker in workers:
                        assert await probed(worker.client, worker.address) == "200 ok\n"
                    await asyncio.sleep(0.5)
                assert await waiting.get("/readyz") != (200, "ok\n")
            await waiting.answers("/readyz", 200)
            assert (await lonely.get("/readyz"))[0] == 503
    finally:
        silent.stop(signal.SIGKILL)
