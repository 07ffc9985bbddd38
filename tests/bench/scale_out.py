"""`make bench-scale`: pages a second by 1, 2, 4 and 8 workers without CPU, and partitions over three nodes.

Workers share nothing but Redis: so many times the workers read so many times the pages, until Redis' core, or
those of this machine, are used up. Reading a page is left out (`tests.bench.fetch_only`) and few URLs are in
work at once, so that two cores do for all of them; servers answer late, as those on the web do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import capacity
from tests.bench.race import cpu_of
from tests.bench.served import served
from tests.bench.workers import programs, until
from tests.chaos.fleet import ROOT
from tests.conformance.topologies import SLOTS, Cluster, ask
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Iterator, Sequence

    from tests.bench.served import Served
    from worker.store.ledger import Ledger

_NETWORK, _HOSTS = "127.0.9", 200
#: URLs queued for each second and worker, in parts of what the delay alone would let through: never too few.
_QUEUED = 2.0
_AT_ONCE = 1000
_START_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says."""

    workers: Sequence[int]
    concurrency: int
    delay_ms: float
    seconds: float
    partitions: int
    json: Path


@dataclass(frozen=True, slots=True)
class Pace:
    """What so many workers did. CPU is of all of them, and of all servers of Redis."""

    workers: int
    partitions: int
    pages_a_s: float
    worker_ms: float  # CPU a page
    redis_us: float  # CPU a page
    commands: float  # a page


@dataclass(frozen=True, slots=True)
class Node:
    """A primary's share of a run."""

    partitions: int
    keys: int
    commands: int
    cpu_s: float
    inbox: bool


@dataclass(frozen=True, slots=True)
class Use:
    """What a set of servers has done so far."""

    cpu_s: float
    commands: int

    @classmethod
    async def of(cls, connection: Connection) -> Use:
        """Read it now, over all primaries."""
        infos = await connection.of_primaries("INFO")
        cpu_s = sum(float(info["used_cpu_user"]) + float(info["used_cpu_sys"]) for info in infos)
        return cls(cpu_s, sum(int(info["total_commands_processed"]) for info in infos))


def settings(url: str, given: Given, partitions: int) -> dict[str, str]:
    """Those of a run: no politeness, or it would be all that is measured; no stories, since all are one."""
    return {
        "INGEST_REDIS_URL": url,
        "INGEST_PARTITIONS": str(partitions),
        "INGEST_CONCURRENCY": str(given.concurrency),
        "INGEST_ALLOW_NETWORKS": "127.0.0.0/8",
        "INGEST_HOST_SPACING_S": "0",
        "INGEST_HOST_DELAY_FACTOR": "0",
        "INGEST_HOST_SLOTS": "8",
        "INGEST_OBEY_ROBOTS": "false",
        "INGEST_CLUSTER_DAYS": "0",
        "INGEST_DRAIN_S": "0",
        "INGEST_LOG_FORMAT": "json",
    }


class Course:
    """One Redis, or one cluster, and one origin, over which fleets of several sizes run in turn."""

    def __init__(self, url: str, connection: Connection, origin: Served, given: Given) -> None:
        self._url = url
        self._connection = connection
        self._origin = origin
        self._given = given

    async def run(self, workers: int, partitions: int) -> Pace:
        """Empty the servers, queue more than can be read, and count for so many seconds."""
        given, keys, connection = self._given, Keys(partitions=partitions), self._connection
        await connection.of_primaries("FLUSHALL")
        await self._queue(keys, workers)
        with tempfile.TemporaryDirectory(prefix="ingest-scale-") as folder:
            environ = settings(self._url, given, partitions)
            async with programs(workers, environ, Path(folder) / "workers.err") as fleet:
                await self._all_at_work(keys, fleet)
                pids = [worker.pid for worker in fleet]
                ledger, use, cpu_s = await self._now(keys, pids)
                began = time.perf_counter()
                await asyncio.sleep(given.seconds)
                took_s = time.perf_counter() - began
                after, used, spent_s = await self._now(keys, pids)
        if not after.waiting:
            raise RuntimeError("the queue ran dry: what was counted is less than could have been")
        pages = max(1, after.articles - ledger.articles)
        return Pace(
            workers,
            partitions,
            pages / took_s,
            (spent_s - cpu_s) / pages * 1000,
            (used.cpu_s - use.cpu_s) / pages * 1e6,
            (used.commands - use.commands) / pages,
        )

    async def _now(self, keys: Keys, pids: Sequence[int]) -> tuple[Ledger, Use, float]:
        ledger = await read_ledger(self._connection, keys)
        return ledger, await Use.of(self._connection), cpu_of(pids)

    async def _queue(self, keys: Keys, workers: int) -> None:
        given = self._given
        a_second = workers * given.concurrency * 1000 / max(1.0, given.delay_ms)
        count = int(a_second * _QUEUED * (given.seconds + workers))
        urls = [self._origin.url(_NETWORK, n % _HOSTS + 1, n) for n in range(count)]
        for start in range(0, count, _AT_ONCE):
            await self._connection.command("RPUSH", keys.queue, *urls[start : start + _AT_ONCE])

    async def _all_at_work(self, keys: Keys, fleet: Sequence[Process]) -> None:
        """Wait until all is admitted, and every worker is there. Raises RuntimeError for one that ended."""

        async def are() -> bool:
            if any(worker.returncode is not None for worker in fleet):
                raise RuntimeError("a worker ended by itself")
            ledger = await read_ledger(self._connection, keys)
            here = int(await self._connection.command("ZCARD", keys.workers))
            admitted = not await self._connection.command("LLEN", keys.queue)
            return admitted and here == len(fleet) and ledger.articles > 0

        await until(are, _START_WITHIN_S)


async def over_workers(given: Given) -> list[Pace]:
    """By each number of workers in turn, over one server."""
    with tempfile.TemporaryDirectory(prefix="ingest-scale-") as folder:
        server = RedisServer(Path(folder) / "r").start()
        try:
            async with _course(server.url, given) as course:
                return [await course.run(count, 1) for count in given.workers]
        finally:
            server.stop()


async def over_nodes(given: Given) -> tuple[Pace, list[Node]]:
    """By the second number of workers over a cluster of three primaries, and what each of those did."""
    with tempfile.TemporaryDirectory(prefix="ingest-scale-") as folder:
        cluster = Cluster(Path(folder))
        try:
            cluster.start()
            async with _course(cluster.url, given) as course:
                before = [await asyncio.to_thread(ask, node, "INFO") for node in cluster.nodes]
                pace = await course.run(given.workers[:2][-1], given.partitions)
                after = [await asyncio.to_thread(ask, node, "INFO") for node in cluster.nodes]
            return pace, list(_nodes(cluster, given.partitions, before, after))
        finally:
            cluster.stop()


@asynccontextmanager
async def _course(url: str, given: Given) -> AsyncIterator[Course]:
    options = ("--tiny", f"--delay-ms={given.delay_ms}")
    async with served({_NETWORK: _HOSTS}, *options) as origin, Connection(url, timeout_s=30) as connection:
        yield Course(url, connection, origin, given)


def _nodes(
    cluster: Cluster, partitions: int, before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]
) -> Iterator[Node]:
    keys, share = Keys(partitions=partitions), -(-SLOTS // len(cluster.nodes))
    *holders, inbox = (
        int(ask(cluster.nodes[0], "CLUSTER KEYSLOT", key)) // share for key in (*keys.tags, keys.queue)
    )
    for number, (earlier, later) in enumerate(zip(before, after, strict=True)):
        cpu = [float(info["used_cpu_user"]) + float(info["used_cpu_sys"]) for info in (earlier, later)]
        yield Node(
            partitions=holders.count(number),
            keys=later.get("db0", {}).get("keys", 0),
            commands=later["total_commands_processed"] - earlier["total_commands_processed"],
            cpu_s=cpu[1] - cpu[0],
            inbox=inbox == number,
        )


def table(paces: Sequence[Pace]) -> Iterator[str]:
    """A line for each number of workers, beside what so many times the first would be."""
    names = ("pages/s", "of linear", "worker ms", "Redis µs", "commands")
    yield f"{'workers':>8}{'partitions':>12}" + "".join(f"{name:>11}" for name in names)
    first = paces[0]
    for pace in paces:
        linear = pace.pages_a_s / (first.pages_a_s / first.workers * pace.workers)
        yield (
            f"{pace.workers:8}{pace.partitions:12}{pace.pages_a_s:11.1f}{linear:11.2f}"
            f"{pace.worker_ms:11.2f}{pace.redis_us:11.0f}{pace.commands:11.1f}"
        )


def nodes_table(nodes: Sequence[Node]) -> Iterator[str]:
    """A line for each primary."""
    yield f"{'node':>8}{'partitions':>12}{'keys':>11}{'commands':>11}{'CPU s':>11}"
    for number, node in enumerate(nodes, 1):
        says = "   and the inbox" if node.inbox else ""
        yield f"{number:8}{node.partitions:12}{node.keys:11,}{node.commands:11,}{node.cpu_s:11.2f}{says}"


def parsed(words: Sequence[str] | None = None) -> Given:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8], help="fleets (1 2 4 8)")
    parser.add_argument("--concurrency", type=int, default=2, help="URLs in work in each worker (2)")
    parser.add_argument("--delay-ms", type=float, default=50, help="every answer comes that much later (50)")
    parser.add_argument("--seconds", type=float, default=10, help="for which each fleet is counted (10)")
    parser.add_argument("--partitions", type=int, default=12, help="over the three nodes of a cluster (12)")
    out = ROOT / ".ingest" / "bench" / "scale.json"
    parser.add_argument("--json", type=Path, default=out, help="where to write the figures")
    return Given(**vars(parser.parse_args(words)))


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    given = parsed(words)
    paces = asyncio.run(over_workers(given))
    print("\n".join(table(paces)))
    pace, nodes = asyncio.run(over_nodes(given))
    print("\nthree nodes\n" + "\n".join((*table([pace]), *nodes_table(nodes))))
    print("\na billion pages a day, by the constants of tests/bench/capacity.py")
    print("\n".join(capacity.lines(capacity.plan(capacity.Constants(), capacity.Demand()))))
    figures = {"workers": [*map(asdict, paces)], "cluster": asdict(pace), "nodes": [*map(asdict, nodes)]}
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(figures, indent=1), "utf-8")
    print(f"written: {given.json}")


if __name__ == "__main__":
    main()
