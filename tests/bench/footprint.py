"""`make bench-footprint`: memory of a worker and its children, bytes a fetch in work, times of starts."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.bench.served import served, shared_pages
from tests.bench.workers import until, workers_of
from tests.chaos.fleet import ROOT, clean_environ
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.served import Served
    from tests.chaos.fleet import Fleet

_NETWORKS = {"127.0.7": 128, "127.0.8": 128}
_HELD_MS = 600_000
_SETTINGS = {
    "INGEST_ALLOW_NETWORKS": "127.0.0.0/8",
    "INGEST_HOST_SPACING_S": "0",
    "INGEST_OBEY_ROBOTS": "false",
    "INGEST_LOG_FORMAT": "json",
    "INGEST_LOG_LEVEL": "debug",
    "INGEST_DRAIN_S": "0",
}
_PATIENT = {"INGEST_TOTAL_TIMEOUT_S": "600", "INGEST_HEADERS_TIMEOUT_S": "600"}


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says."""

    starts: int
    held: Sequence[int]
    pages: int
    folder: Path | None
    json: Path


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes of one process: resident, its share of what it shares with others, and its own alone."""

    rss: int
    pss: int
    private: int

    @classmethod
    def of(cls, pid: int) -> Weight:
        """Weigh it now; off Linux only the resident size is known."""
        info = psutil.Process(pid).memory_full_info()
        return cls(info.rss, getattr(info, "pss", 0), getattr(info, "uss", 0))


@dataclass(frozen=True, slots=True)
class Start:
    """Milliseconds: of wall time, and of CPU."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Footprint:
    """All figures. `held`: the worker with so many fetches in work; `read`, `children`: after some pages."""

    helped: Start
    claimed: Start
    published: Start
    idle: Weight
    held: dict[int, Weight]
    read: Weight
    children: list[Weight]

    @property
    def bytes_a_fetch(self) -> float:
        """What one more fetch in work adds to the worker, from the least to the most that were held."""
        least, most = min(self.held), max(self.held)
        return (self.held[most].private - self.held[least].private) / max(1, most - least)


def median(starts: Sequence[Start]) -> Start:
    """Of each figure alone."""
    return Start(
        statistics.median(start.wall_ms for start in starts),
        statistics.median(start.cpu_ms for start in starts),
    )


def run_once(*words: str) -> Start:
    """Run `ingest` with these words to its end."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", *words], stdout=subprocess.DEVNULL, cwd=ROOT, env=clean_environ()
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took_s = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"ingest {' '.join(words)} ended with {process.returncode}")
    return Start(took_s * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


class Scale:
    """Workers over one Redis and one origin, to be weighed."""

    def __init__(self, server: RedisServer, connection: Connection, origin: Served) -> None:
        self._connection = connection
        self._keys = Keys()
        self._origin = origin
        self._settings = _SETTINGS | {"INGEST_REDIS_URL": server.url}

    async def started(self) -> tuple[Start, Start]:
        """From the start of a process until it has claimed a URL that waits, and until that URL's event."""
        await self._connection.command("FLUSHALL")
        await self._push(1)
        began = time.perf_counter()
        async with workers_of(1, self._settings) as fleet:
            pid = fleet.workers[0].pid

            async def has_claimed() -> bool:
                ledger = await read_ledger(self._connection, self._keys)
                return ledger.leased + ledger.articles > 0

            async def has_published() -> bool:
                return (await read_ledger(self._connection, self._keys)).articles > 0

            await until(has_claimed)
            claimed = _since(began, pid)
            await until(has_published)
            return claimed, _since(began, pid)

    async def held(self, counts: Sequence[int]) -> tuple[Weight, dict[int, Weight]]:
        """The worker alone; then with so many fetches in work, whose server does not answer."""
        await self._connection.command("FLUSHALL")
        settings = self._settings | _PATIENT | {"INGEST_CONCURRENCY": str(max(*counts, 1))}
        weights: dict[int, Weight] = {}
        async with workers_of(1, settings) as fleet:
            pid = fleet.workers[0].pid
            await _logged(fleet, "worker_started", 1)
            await self._blocked()
            idle = Weight.of(pid)
            so_far = 0
            for count in sorted(counts):
                await self._push(count - so_far, first=so_far)
                so_far = count
                await _logged(fleet, "fetch_started", count)
                weights[count] = Weight.of(pid)
        return idle, weights

    async def read(self, count: int) -> tuple[Weight, list[Weight]]:
        """The worker and its children once they have read so many pages."""
        await self._connection.command("FLUSHALL")
        async with workers_of(1, self._settings) as fleet:
            await self._push(count)

            async def has_ended() -> bool:
                ledger = await read_ledger(self._connection, self._keys)
                return ledger.articles + ledger.dead >= count

            await until(has_ended)
            worker = psutil.Process(fleet.workers[0].pid)
            return Weight.of(worker.pid), [Weight.of(child.pid) for child in worker.children()]

    async def _push(self, count: int, *, first: int = 0) -> None:
        hosts = [(network, host + 1) for network, hosts in _NETWORKS.items() for host in range(hosts)]
        urls = [self._origin.url(*hosts[n % len(hosts)], n) for n in range(first, first + count)]
        if urls:
            await self._connection.command("RPUSH", self._keys.queue, *urls)

    async def _blocked(self) -> None:
        async def waits() -> bool:
            info = await self._connection.command("INFO", "clients")
            return int(info["blocked_clients"]) > 0

        await until(waits)


def _since(began: float, pid: int) -> Start:
    times = psutil.Process(pid).cpu_times()
    return Start((time.perf_counter() - began) * 1000, (times.user + times.system) * 1000)


async def _logged(fleet: Fleet, event: str, count: int) -> None:
    async def is_there() -> bool:
        return [line["event"] for line in fleet.lines()].count(event) >= count

    await until(is_there)


async def measure(given: Given) -> Footprint:
    """All of it, one after the other."""
    folder = [f"--folder={given.folder}"] if given.folder else []
    helped = median([run_once("--help") for _ in range(given.starts)])
    with tempfile.TemporaryDirectory(prefix="ingest-footprint-") as place:
        server = RedisServer(Path(place) / "r").start()
        try:
            async with Connection(server.url, timeout_s=30) as connection:
                async with served(_NETWORKS, *folder) as origin:
                    scale = Scale(server, connection, origin)
                    starts = [await scale.started() for _ in range(given.starts)]
                    read, children = await scale.read(given.pages)
                async with served(_NETWORKS, "--tiny", f"--delay-ms={_HELD_MS}") as origin:
                    idle, held = await Scale(server, connection, origin).held(given.held)
        finally:
            server.stop()
    claimed, published = (median(each) for each in zip(*starts, strict=True))
    return Footprint(helped, claimed, published, idle, held, read, children)


def lines(found: Footprint) -> list[str]:
    """The figures, to be read."""
    starts = {
        "ingest --help": found.helped,
        "ingest run, until it claims": found.claimed,
        "ingest run, until its first event": found.published,
    }
    weights = {"worker, idle": found.idle}
    weights |= {f"worker, {count} fetches in work": weight for count, weight in found.held.items()}
    weights["worker, after pages"] = found.read
    weights |= {f"extraction child {n + 1}, after pages": each for n, each in enumerate(found.children)}
    return [
        f"{'start, median':36}{'wall ms':>10}{'CPU ms':>10}",
        *(f"{name:36}{start.wall_ms:10.0f}{start.cpu_ms:10.0f}" for name, start in starts.items()),
        f"{'memory, MB':36}{'RSS':>10}{'PSS':>10}{'private':>10}",
        *(
            f"{name:36}{each.rss / 1e6:10.1f}{each.pss / 1e6:10.1f}{each.private / 1e6:10.1f}"
            for name, each in weights.items()
        ),
        f"{'a fetch in work, kB':36}{found.bytes_a_fetch / 1e3:10.1f}",
    ]


def parsed(words: Sequence[str] | None = None) -> Given:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-footprint", description=__doc__)
    parser.add_argument("--starts", type=int, default=11, help="starts of which the median is printed (11)")
    parser.add_argument("--held", type=int, nargs="+", default=[64, 256], help="fetches at once (64 256)")
    parser.add_argument("--pages", type=int, default=250, help="pages before children are weighed (250)")
    parser.add_argument("--folder", type=Path, default=shared_pages(), help="pages to serve")
    out = ROOT / ".ingest" / "bench" / "footprint.json"
    parser.add_argument("--json", type=Path, default=out, help="where to write the figures")
    return Given(**vars(parser.parse_args(words)))


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    given = parsed(words)
    found = asyncio.run(measure(given))
    print("\n".join(lines(found)))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(asdict(found), indent=1), "utf-8")
    print(f"written: {given.json}")


if __name__ == "__main__":
    main()
