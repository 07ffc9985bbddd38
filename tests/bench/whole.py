"""The whole worker, as a user runs it, against pages over loopback: wall time, CPU, memory."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.measure import RedisUse, Tree
from tests.bench.stages import admit_all
from tests.chaos.fleet import ROOT, clean_environ
from worker.store.ledger import Ledger, read_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Whole:
    """One run's figures."""

    pages: int
    wall_s: float
    cpu_s: float  # the worker and its children
    peak_rss_bytes: int  # the worker and its children, summed
    ledger: Ledger

    @property
    def pages_per_s(self) -> float:
        """Wall rate, start-up of the worker not counted."""
        return self.pages / self.wall_s


#: What headlines are made of.
_HEADLINES = (
    "minister election budget strike storm flood police court trial market shares bank inflation energy "
    "climate summit peace border satellite vaccine hospital school football coach transfer champion festival "
    "singer museum novel mayor housing railway bridge harbour rescue winter holiday farmers harvest"
)


async def run(server: RedisServer, connection: Connection, keys: Keys, urls: Sequence[str]) -> Whole:
    """Queue the URLs, start a worker, and measure from its first page to its last. Empties the server."""
    await connection.command("FLUSHALL")
    await connection.command("RPUSH", keys.queue, *urls)
    settings = {
        "INGEST_REDIS_URL": server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.3.0/24",
        "INGEST_HOST_SPACING_S": "0",
        "INGEST_HOST_SLOTS": "4",
        "INGEST_OBEY_ROBOTS": "false",
        "INGEST_LOG_FORMAT": "json",
    }
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", "run"),
        stdout=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env=clean_environ() | settings,
    )
    try:
        first = await _first_page(connection, keys)
        began, cpu = time.perf_counter(), Tree.of(worker.pid).cpu_s
        peak, ledger = 0, first
        while ledger.articles + ledger.unchanged + ledger.dead < len(urls):
            await asyncio.sleep(_LOOK_EVERY_S)
            ledger = await read_ledger(connection, keys)
            peak = max(peak, Tree.of(worker.pid).rss_bytes)
        wall_s = time.perf_counter() - began
        return Whole(
            pages=len(urls) - first.articles - first.dead,
            wall_s=wall_s,
            cpu_s=Tree.of(worker.pid).cpu_s - cpu,
            peak_rss_bytes=peak,
            ledger=ledger,
        )
    finally:
        worker.send_signal(signal.SIGTERM)
        await worker.wait()


async def _first_page(connection: Connection, keys: Keys) -> Ledger:
    while True:
        ledger = await read_ledger(connection, keys)
        if ledger.articles + ledger.unchanged + ledger.dead:
            return ledger
        await asyncio.sleep(_LOOK_EVERY_S)


def _url_of_88_bytes(number: int) -> str:
    """Like a newspaper's: a date, words, a number. Redis compresses lists, so it matters what is in them."""
    draw = random.Random(number)
    words = "-".join(draw.choices(_HEADLINES.split(), k=12))
    date = f"{draw.randint(2016, 2026)}/{draw.randint(1, 12):02}/{draw.randint(1, 28):02}"
    return f"{f'http://h{number % 100}.example/{date}/{words}':.81}-{number:06}"


async def waiting_bytes(connection: Connection, keys: Keys, count: int) -> float:
    """What a URL of 88 bytes takes while it waits, dedupe included. Empties the server."""
    await connection.command("FLUSHALL")
    empty = (await RedisUse.of(connection)).data_bytes
    for start in range(0, count, 1000):
        numbers = range(start, min(count, start + 1000))
        await connection.command("RPUSH", keys.queue, *(_url_of_88_bytes(n) for n in numbers))
    await admit_all(connection, keys)
    return ((await RedisUse.of(connection)).data_bytes - empty) / count
