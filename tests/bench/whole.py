"""The whole worker, as a user runs it, against pages over loopback: wall time, CPU, memory."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from typing import TYPE_CHECKING

from tests.bench.measure import RedisUse
from tests.bench.race import lap
from tests.bench.stages import admit_all
from tests.bench.standings import Run
from tests.chaos.fleet import ROOT, clean_environ
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.race import Course, Lap
    from worker.store.connection import Connection
    from worker.store.keys import Keys
    from worker.store.ledger import Ledger

_LOOK_EVERY_S = 0.005
_CLAIM_WITHIN_S = 120.0

#: What headlines are made of.
_HEADLINES = (
    "minister election budget strike storm flood police court trial market shares bank inflation energy "
    "climate summit peace border satellite vaccine hospital school football coach transfer champion festival "
    "singer museum novel mayor housing railway bridge harbour rescue winter holiday farmers harvest"
)


async def run(course: Course, keys: Keys, *, extract_processes: int | None = None) -> tuple[Run, Ledger]:
    """Start a worker, let it warm up on a few pages, queue the URLs, and measure. Empties the server."""
    connection = course.connection
    await connection.command("FLUSHALL")
    settings = {
        "INGEST_REDIS_URL": course.server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.3.0/24",
        "INGEST_HOST_SPACING_S": "0",
        "INGEST_HOST_SLOTS": "4",
        "INGEST_OBEY_ROBOTS": "false",
        "INGEST_LOG_FORMAT": "json",
        **({"INGEST_EXTRACT_PROCESSES": str(extract_processes)} if extract_processes else {}),
    }
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", "run"),
        stdout=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env=clean_environ() | settings,
    )
    try:
        await _over(course.warm_urls, course, keys, worker.pid)
        before, redis = await read_ledger(connection, keys), (await RedisUse.of(connection)).cpu_s
        taken = await _over(course.urls, course, keys, worker.pid)
        redis_s = (await RedisUse.of(connection)).cpu_s - redis
        ledger = await read_ledger(connection, keys)
        measured = Run(
            pages=len(course.urls),
            articles=ledger.articles - before.articles,
            wall_s=taken.wall_s,
            cpu_s=taken.cpu_s,
            redis_s=redis_s,
            peak_rss_bytes=taken.peak_rss_bytes,
        )
        return measured, ledger
    finally:
        worker.send_signal(signal.SIGTERM)
        await worker.wait()


async def _over(urls: Sequence[str], course: Course, keys: Keys, pid: int) -> Lap:
    """Queue the URLs, and wait until each has ended."""
    connection = course.connection
    before = _ended(await read_ledger(connection, keys))
    target = before + len(urls)

    async def queue() -> None:
        """Ends with the first claim: an idle worker looks at its queue at intervals, which is no cost."""
        await connection.command("RPUSH", keys.queue, *urls)
        async with asyncio.timeout(_CLAIM_WITHIN_S):
            while True:
                ledger = await read_ledger(connection, keys)
                if ledger.leased + _ended(ledger) > before:
                    return
                await asyncio.sleep(_LOOK_EVERY_S)

    async def all_ended() -> bool:
        return _ended(await read_ledger(connection, keys)) >= target

    return await lap([pid], queue, all_ended, 120 + len(urls))


def _ended(ledger: Ledger) -> int:
    return ledger.articles + ledger.unchanged + ledger.dead


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
