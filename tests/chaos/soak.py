"""`make soak MINUTES=60`: workers at full speed over loopback, watched for anything that grows.

The same few thousand URLs are visited over and over (`force`), their pages change now and then, and a
consumer acknowledges all that comes: so Redis, too, has a steady state. Samples go to a CSV and an SVG; the
exit code is 1 if a series grows by more than its noise after the warm-up. Ctrl-C ends it early, with what
there is so far.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import psutil

from tests.chaos.fleet import ROOT, Fleet
from tests.chaos.group import Group
from tests.chaos.soak_picture import draw
from tests.chaos.soak_samples import Sample, table, trends, write_csv
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.dead_letters import DeadLetters
from worker.store.keys import Keys
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_LOOK_EVERY_S = 5.0
_LONG_ENOUGH_MIN = 20
_WAITING = 2_000  # URLs to keep before the workers
_HOSTS = 50
_PAGES_CHANGE_EVERY_S = 60.0
_CHILD = "worker.extract.child"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, and with how much."""

    minutes: float = 60.0
    workers: int = 2
    urls: int = 5_000

    @property
    def warm_up_s(self) -> float:
        """Until every URL was visited, children were renewed, and Redis forgets what it keeps for minutes."""
        return max(min(60.0, self.minutes * 30), self.minutes * 10)


class Soak:
    """A run; `samples` is what was seen so far, also of one that was interrupted."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._keys = Keys()
        self._next = 0
        self._read_to: dict[Path, int] = {}
        self._tasks: dict[Path, int] = {}
        self.samples: list[Sample] = []

    async def run(self) -> None:
        """Feed, consume and look until the time is up; leaves no process behind."""
        server = RedisServer(self._folder / "redis").start()
        fleet = Fleet(self._folder, _settings(server))
        try:
            async with _origin() as port, Connection(server.url, patience_s=30) as connection:
                consumer = Group(connection, self._keys.articles(), "soak")
                await consumer.join()
                await self._feed(connection, port)
                for _ in range(self._plan.workers):
                    fleet.start()
                await self._watch(fleet, server, connection, consumer, port)
                await asyncio.to_thread(fleet.stop)
        finally:
            fleet.end()
            server.stop()

    async def _watch(
        self, fleet: Fleet, server: RedisServer, connection: Connection, consumer: Group, port: int
    ) -> None:
        began = next_look = time.monotonic()
        letters = DeadLetters(connection, self._keys)
        while (now := time.monotonic()) < began + self._plan.minutes * 60:
            while await consumer.read():
                pass
            await self._feed(connection, port)
            if now >= next_look:
                # As an operator does now and then: one page in ten of the sample site is no article.
                await letters.purge([letter async for letter in letters.all()])
                next_look += _LOOK_EVERY_S
                self.samples.append(await self._look(now - began, fleet, server, connection))
                if len(self.samples) % 12 == 1:
                    print(f"  {self.samples[-1]}", flush=True)
            await asyncio.sleep(0.25)

    async def _feed(self, connection: Connection, port: int) -> None:
        """Keep some thousand URLs waiting, all of them again and again."""
        queued = int(await connection.command("LLEN", self._keys.queue))
        waiting = queued + (await read_ledger(connection, self._keys)).waiting
        if waiting > _WAITING // 2:
            return
        numbers = [number % self._plan.urls for number in range(self._next, self._next + _WAITING // 2)]
        self._next = (numbers[-1] + 1) % self._plan.urls
        items = [{"url": f"http://127.0.3.{n % _HOSTS + 1}:{port}/{n}", "force": True} for n in numbers]
        await connection.command("RPUSH", self._keys.queue, *map(orjson.dumps, items))

    async def _look(self, at_s: float, fleet: Fleet, server: RedisServer, connection: Connection) -> Sample:
        workers = [psutil.Process(worker.pid) for worker in fleet.workers]
        children = [
            child
            for worker in workers
            for child in worker.children(recursive=True)
            if _CHILD in _command(child)
        ]
        info = await connection.command("INFO")
        ledger = await read_ledger(connection, self._keys)
        assert server.process is not None
        redis = psutil.Process(server.process.pid)
        return Sample(
            at_s=round(at_s, 1),
            pages=ledger.articles + ledger.unchanged + ledger.dead,
            worker_rss_mb=sum(map(_rss_mb, workers)),
            child_rss_mb=sum(map(_rss_mb, children)),
            children=len(children),
            open_files=sum(_files(process) for process in (*workers, *children, redis)),
            tasks=self._latest_tasks(),
            redis_used_mb=int(info["used_memory"]) / 1e6,
            redis_rss_mb=_rss_mb(redis),
            redis_clients=int(info["connected_clients"]),
            redis_keys=int(await connection.command("DBSIZE")),
        )

    def _latest_tasks(self) -> int:
        """From the workers' newest worker_stats; what was read of a log is given back to the disk."""
        for log in self._folder.glob("worker-*.log"):
            with log.open("rb") as file:
                file.seek(self._read_to.get(log, 0))
                new = file.read()
            self._read_to[log] = self._read_to.get(log, 0) + len(new)
            # The worker goes on writing where it was: all before that becomes a hole in the file.
            os.truncate(log, 0)
            for line in new.splitlines():
                if b'"worker_stats"' in line:
                    with suppress(orjson.JSONDecodeError):  # half a line, or begun before the hole
                        self._tasks[log] = orjson.loads(line)["tasks"]
        return sum(self._tasks.values())


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _rss_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss / 1e6)
    except psutil.NoSuchProcess:
        return 0.0


def _files(process: psutil.Process) -> int:
    try:
        return int(process.num_fds())
    except psutil.NoSuchProcess:
        return 0


@asynccontextmanager
async def _origin() -> AsyncIterator[int]:
    """The bench's pages in a process of their own; yields its port."""
    origin = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.origin", str(_HOSTS), "", str(_PAGES_CHANGE_EVERY_S)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,  # ^C is for the driver: this one ends with its stdin
    )
    assert origin.stdin is not None
    assert origin.stdout is not None
    try:
        yield int(await origin.stdout.readline())
    finally:
        origin.stdin.close()
        await origin.wait()


def _settings(server: RedisServer) -> dict[str, str]:
    return {
        "INGEST_REDIS_URL": server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.3.0/24",
        "INGEST_HOST_SPACING_S": "0",
        # With more, kept-alive connections of a host grow for an hour towards the most it ever had at once.
        "INGEST_HOST_SLOTS": "1",
        "INGEST_HOST_DELAY_FACTOR": "0",
        "INGEST_LEASE_S": "8",  # acknowledged events are dropped four times in it
        "INGEST_SEEN_DAYS": "1",
        "INGEST_VISIT_DAYS": "1",
        "INGEST_EXTRACT_PROCESSES": "1",
        "INGEST_STATS_INTERVAL_S": "5",
    }


def report(plan: Plan, samples: list[Sample], out: Path) -> bool:
    """Print the trends, write CSV and SVG; whether all is flat. Raises ValueError for too few samples."""
    out.mkdir(parents=True, exist_ok=True)
    write_csv(samples, out / "soak.csv")
    found = trends(samples, plan.warm_up_s)
    first, last = samples[0], samples[-1]
    rate = (last.pages - first.pages) / max(last.at_s - first.at_s, 1)
    caption = f"{last.at_s / 60:.0f} min, {last.pages:.0f} pages, {rate:.0f} a second, {plan.workers} workers"
    (out / "soak.svg").write_text(draw(samples, found, plan.warm_up_s, caption))
    print(f"{caption}; the first {plan.warm_up_s:.0f} s are warm-up\n{table(found)}")
    if plan.minutes < _LONG_ENOUGH_MIN:
        print(f"under {_LONG_ENOUGH_MIN} minutes what is still filling up looks like growth")
    print(f"written: {out / 'soak.csv'}, {out / 'soak.svg'}")
    return not any(each.grows for each in found.values())


def main() -> int:
    """Run once; 1 if anything grew."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=usual.minutes, help="how long (60)")
    parser.add_argument("--workers", type=int, default=usual.workers, help="worker processes (2)")
    parser.add_argument("--urls", type=int, default=usual.urls, help="URLs to visit over and over (5000)")
    parser.add_argument("--out", type=Path, default=Path(".ingest/soak"), help="folder of CSV and SVG")
    given = parser.parse_args()
    plan = Plan(given.minutes, given.workers, given.urls)
    with tempfile.TemporaryDirectory(prefix="ingest-soak-") as folder:
        soak = Soak(plan, Path(folder))
        try:
            asyncio.run(soak.run())
        except KeyboardInterrupt:
            print("interrupted")
    if not soak.samples or soak.samples[-1].at_s < plan.warm_up_s + 3 * _LOOK_EVERY_S:
        print("too short to say anything")
        return 1
    return 0 if report(plan, soak.samples, given.out) else 1


if __name__ == "__main__":
    sys.exit(main())
