"""Does trouble on a few hosts cost the others anything? The same URLs, with hosts in trouble and without.

Four workers, 60 hosts: 56 ordinary ones, one with a queue of thousands, and three in trouble: one answers
429, one hangs, one sends a byte a second. Run as `python -m tests.chaos.fairness`; 1 if the ordinary hosts
take more than 1.15 times as long beside the three, or if any host is asked closer than the spacing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TROUBLES = ("busy", "hang", "drip")
_LOOK_EVERY_S = 0.1
_MOST = 1.15


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. The last three of `hosts` are those in trouble, the one before has `crowd`."""

    hosts: int = 60
    workers: int = 4
    urls: int = 40  # on each ordinary host
    crowd: int = 20_000  # on the one with many
    troubled: int = 100  # on each in trouble
    spacing_s: float = 0.25
    patience_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one run showed. `crowd` is how many of the many were done when the ordinary ones were."""

    ordinary_s: float
    crowd: int
    requests: int
    faults: list[str]


def urls_of(plan: Plan, origin: Origin, *, troubled: bool) -> Iterator[str]:
    """The URLs in the order of the queue: those of the crowd and of trouble first, in everybody's way."""
    *ordinary, crowded = origin.hosts[: -len(_TROUBLES)]
    for number in range(plan.crowd):
        yield f"http://{crowded}:{origin.port}/a/{number}"
    for host, kind in zip(origin.hosts[-len(_TROUBLES) :], _TROUBLES, strict=True):
        for number in range(plan.troubled if troubled else 0):
            yield f"http://{host}:{origin.port}/{kind}/{number}"
    for number in range(plan.urls):
        for host in ordinary:
            yield f"http://{host}:{origin.port}/a/{number}"


async def run(plan: Plan, folder: Path, *, troubled: bool) -> Run:
    """Feed the queue, start the workers, and wait for the ordinary hosts' URLs."""
    keys = Keys()
    server = RedisServer(folder / "redis").start()
    fleet = Fleet(folder, _settings(plan, server))
    try:
        async with Origin(plan.hosts) as origin, Connection(server.url, patience_s=30) as connection:
            urls = list(urls_of(plan, origin, troubled=troubled))
            for start in range(0, len(urls), 1000):
                await connection.command("RPUSH", keys.queue, *urls[start : start + 1000])
            for _ in range(plan.workers):
                fleet.start()
            ordinary = set(urls[-plan.urls * (plan.hosts - len(_TROUBLES) - 1) :])
            crowded = origin.hosts[-len(_TROUBLES) - 1]
            took_s, ended = await _ended(connection, keys, ordinary, plan.patience_s)
            codes = await asyncio.to_thread(fleet.stop)
            faults = origin.breaches(plan.spacing_s) + fleet.log_faults()
            faults += [f"a worker ended with code {code}" for code in codes if code != 0]
            faults += [f"not done: {url}" for url in sorted(ordinary - ended)[:5]]
            return Run(took_s, sum(f"//{crowded}:" in url for url in ended), len(origin.log), faults)
    finally:
        fleet.end()
        server.stop()


async def _ended(
    connection: Connection, keys: Keys, awaited: set[str], patience_s: float
) -> tuple[float, set[str]]:
    """Seconds from the first event to the last of `awaited`, and all URLs that had ended by then."""
    ended: set[str] = set()
    began: float | None = None
    deadline, after = time.monotonic() + patience_s, b"-"
    while time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_EVERY_S)
        entries = await connection.command("XRANGE", keys.articles(), after, "+", "COUNT", 5000)
        for entry_id, fields in entries:
            after = b"(" + entry_id
            ended.add(fields[b"subject"].decode())
        began = began or (time.monotonic() if ended else None)
        if began and awaited <= ended:
            return time.monotonic() - began, ended
    return patience_s, ended


def _settings(plan: Plan, server: RedisServer) -> dict[str, str]:
    return {
        "INGEST_REDIS_URL": server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": str(plan.spacing_s),
        "INGEST_CONCURRENCY": "32",
        "INGEST_TOTAL_TIMEOUT_S": "5",
        "INGEST_DRAIN_S": "1",
        "INGEST_EXTRACT_PROCESSES": "1",
    }


def verdict(without: Run, beside: Run) -> list[str]:
    """What is wrong with the two runs together."""
    found = [*without.faults, *beside.faults]
    if beside.ordinary_s > _MOST * without.ordinary_s:
        found.append(f"{beside.ordinary_s:.1f} s beside hosts in trouble, {without.ordinary_s:.1f} s without")
    if beside.crowd * _MOST < without.crowd:
        found.append(f"{beside.crowd} of the crowd beside hosts in trouble, {without.crowd} without")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.fairness", description=__doc__)
    usual = Plan()
    parser.add_argument("--urls", type=int, default=usual.urls, help=f"on each ordinary host ({usual.urls})")
    parser.add_argument("--hosts", type=int, default=usual.hosts, help=f"in all ({usual.hosts})")
    parser.add_argument("--crowd", type=int, default=usual.crowd, help=f"on one host ({usual.crowd})")
    given = parser.parse_args(arguments)
    plan = Plan(hosts=given.hosts, urls=given.urls, crowd=given.crowd)
    with tempfile.TemporaryDirectory(prefix="ingest-fairness-") as folder:
        without_folder, beside_folder = Path(folder) / "without", Path(folder) / "beside"
        without_folder.mkdir()
        beside_folder.mkdir()
        without = asyncio.run(run(plan, without_folder, troubled=False))
        beside = asyncio.run(run(plan, beside_folder, troubled=True))
    found = verdict(without, beside)
    print(
        orjson.dumps(
            {
                "ordinary_s": [round(without.ordinary_s, 2), round(beside.ordinary_s, 2)],
                "ratio": round(beside.ordinary_s / without.ordinary_s, 3),
                "of_the_crowd": [without.crowd, beside.crowd],
                "requests": [without.requests, beside.requests],
                "faults": found[:20],
            },
            option=orjson.OPT_INDENT_2,
        ).decode()
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
