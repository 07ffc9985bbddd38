"""How fast real workers admit what stands in the queue, with their parsing and log, claiming nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.frontier_fill import KEYS, Shape, url_of
from tests.bench.measure import RedisUse, Tree
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from pathlib import Path

_PUSHED_AT_ONCE = 1000
_LOOK_EVERY_S = 0.02
_WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class Admission:
    """What a number of workers made of a queue, from the first URL that they admitted."""

    workers: int
    urls: int
    wall_s: float
    worker_cpu_s: float
    redis_cpu_s: float

    def __str__(self) -> str:
        rate, cpu_us = self.urls / self.wall_s, self.worker_cpu_s / self.urls * 1e6
        redis_us = self.redis_cpu_s / self.urls * 1e6
        return (
            f"{self.workers} workers admit {rate:,.0f} URLs a second: {cpu_us:.0f} us of CPU a URL, "
            f"{redis_us:.0f} us of Redis"
        )


async def admission(workers: int, count: int, folder: Path, *, persistent: bool) -> Admission:
    """Fill a queue, start the workers, and watch them until it is in the frontier."""
    server = RedisServer(folder, options=() if persistent else ("--appendonly", "no")).start()
    running: list[asyncio.subprocess.Process] = []
    try:
        async with Connection(server.url, patience_s=60) as connection:
            shape = Shape.crowded(count, 50)
            urls = [url_of(shape.host_of(number), number) for number in range(count)]
            for start in range(0, count, _PUSHED_AT_ONCE):
                await connection.command("RPUSH", KEYS.queue, *urls[start : start + _PUSHED_AT_ONCE])
            # One event that nobody reads is a backlog, at which nothing is claimed.
            await connection.command("XADD", KEYS.articles(), "*", "id", "0")
            running = [await _worker(server.url) for _ in range(workers)]
            async with asyncio.timeout(_WITHIN_S):
                first = await _accepted(connection, 1)
                before, begun = await _spent(connection, running), time.perf_counter()
                await _accepted(connection, count)
            wall_s, after = time.perf_counter() - begun, await _spent(connection, running)
            return Admission(workers, count - first, wall_s, after[0] - before[0], after[1] - before[1])
    finally:
        for each in running:
            each.terminate()
            await each.communicate()
        server.stop()


async def _worker(url: str) -> asyncio.subprocess.Process:
    settings = {"INGEST_REDIS_URL": url, "INGEST_MAX_BACKLOG": "1", "INGEST_FRONTIER_LIMIT": "1000000000"}
    known = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", "run"),
        env=known | settings | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=asyncio.subprocess.DEVNULL,  # a pipe would have to be emptied here
    )


async def _accepted(connection: Connection, least: int) -> int:
    """Wait until so many URLs are accepted; returns how many those are by then."""
    while True:
        accepted = (await read_ledger(connection, KEYS)).accepted
        if accepted >= least:
            return accepted
        await asyncio.sleep(_LOOK_EVERY_S)


async def _spent(connection: Connection, running: list[asyncio.subprocess.Process]) -> tuple[float, float]:
    """CPU seconds of the workers with their children, and of Redis."""
    trees = [Tree.of(each.pid).cpu_s for each in running]
    return sum(trees), (await RedisUse.of(connection)).cpu_s
