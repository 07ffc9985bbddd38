"""A failover in the middle of a run, and what of what was acknowledged is lost or comes twice.

Replication on loopback hardly lags, so a run may cut the replicas off for a while before the primary dies:
all that is written meanwhile goes down with it, as with a primary that was partitioned or overloaded.
`python -m tests.conformance.failover --runs 5 --cut-off-s 0.3 --durability wait` measures.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from tests.conformance.topologies import SentinelSet, ask
from worker.store.connection import Connection
from worker.store.durability import Unconfirmed
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.ledger import Ledger, read_ledger

if TYPE_CHECKING:
    from tests.servers import RedisServer

KEYS = Keys()
_PATIENCE_S = 90.0
_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. `cut_off_s` is for how long the replicas are behind when the primary dies."""

    durability: Literal["none", "wait"] = "none"
    cut_off_s: float = 0.0
    urls: int = 300
    pushed_before: int = 120  # when the primary's end begins


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a consumer saw, of what a producer had been told was there."""

    acknowledged: int
    lost: int  # acknowledged, and never ended
    repeated: int  # URLs that ended more than once before the consumer's eyes
    new_ids: int  # of those, under another event id: a consumer that keeps ids cannot drop these
    down_s: float  # from the kill to the first URL that was acknowledged by the new primary
    ledger: Ledger
    faults: list[str]  # of the workers: how they ended, what they logged and what they wrote to stderr


class Consumer:
    """Reads both streams by their last entry, and keeps what it saw whatever Redis forgets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = {KEYS.articles(): "0-0", KEYS.dead(): "0-0"}
        self.ids: dict[str, Counter[str]] = {}

    async def read(self) -> None:
        """Take what is new."""
        for stream, last in self._last.items():
            for entry, fields in await self._connection.command("XRANGE", stream, f"({last}", "+"):
                self._last[stream] = entry.decode()
                ids = self.ids.setdefault(fields[b"subject"].decode(), Counter())
                ids[fields[b"id"].decode()] += 1


async def run(plan: Plan, folder: Path) -> Outcome:
    """Run the plan in an empty folder."""
    redis = SentinelSet(folder / "redis")
    settings = {
        "INGEST_REDIS_URL": redis.url,
        "INGEST_DURABILITY": plan.durability,
        "INGEST_REDIS_TIMEOUT_S": str(_TIMEOUT_S),
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": "0.05",
        "INGEST_LEASE_S": "4",
        "INGEST_EXTRACT_PROCESSES": "1",
    }
    fleet = Fleet(folder, settings)
    try:
        redis.start()
        async with (
            Origin(30) as origin,
            Connection(redis.url, timeout_s=_TIMEOUT_S, patience_s=60, durability=plan.durability) as store,
        ):
            urls = [origin.url(number) for number in range(plan.urls)]
            for _ in range(2):
                fleet.start()
            consumer = Consumer(store)
            down_s = await _push_through(plan, redis, store, urls, consumer)
            ledger = await _settled(store, consumer)
            codes = await asyncio.to_thread(fleet.stop)
        ends = {url: consumer.ids.get(url, Counter()) for url in urls}
        repeated = [ids for ids in ends.values() if ids.total() > 1]
        return Outcome(
            acknowledged=len(urls),
            lost=sum(not ids for ids in ends.values()),
            repeated=len(repeated),
            new_ids=sum(len(ids) > 1 for ids in repeated),
            down_s=down_s,
            ledger=ledger,
            faults=_faults(fleet, codes),
        )
    finally:
        fleet.end()
        redis.stop()


def _faults(fleet: Fleet, codes: list[int]) -> list[str]:
    found = [f"a worker ended with code {code}" for code in codes if code] + fleet.untold + fleet.log_faults()
    found += [f"log: {line}" for line in fleet.lines() if line["event"] == "internal_error"]
    return found + ([f"stderr: {errors}"] if (errors := fleet.errors()) else [])


async def _push_through(
    plan: Plan, redis: SentinelSet, store: Connection, urls: list[str], consumer: Consumer
) -> float:
    """Push URL by URL, each once the last is acknowledged, while the primary dies; returns for how long."""
    inbox = Inbox(store, KEYS, worker="producer")
    ending: asyncio.Task[None] | None = None
    killed_at = asyncio.get_running_loop().create_future()
    down_s = 0.0
    for number, url in enumerate(urls):
        while number == plan.pushed_before and len(consumer.ids) < plan.pushed_before // 2:
            await consumer.read()  # the workers are up, and at it
            await asyncio.sleep(0.05)
        if number == plan.pushed_before:
            ending = asyncio.create_task(_end_of_primary(plan, redis, killed_at))
        await _push(inbox, url)
        if killed_at.done() and not down_s:
            down_s = time.monotonic() - killed_at.result()
        await consumer.read()
        await asyncio.sleep(0.01)
        if number == len(urls) - 60 and ending:
            await ending  # some URLs are pushed to the new primary in any case
    return down_s


async def _push(inbox: Inbox, url: str) -> None:
    """Until it is acknowledged: workers refuse the second of two."""
    while True:
        with suppress(Unconfirmed):
            return await inbox.push([url])


async def _end_of_primary(plan: Plan, redis: SentinelSet, killed_at: asyncio.Future[float]) -> None:
    primary = redis.primary()
    if plan.cut_off_s:
        await asyncio.to_thread(_cut_off, primary)
        await asyncio.sleep(plan.cut_off_s)
    await asyncio.to_thread(redis.fail_over, lambda: killed_at.set_result(time.monotonic()))


def _cut_off(primary: RedisServer) -> None:
    ask(primary, "ACL SETUSER", "default", "-psync", "-sync")  # else they are back within a millisecond
    ask(primary, "CLIENT KILL", "TYPE", "replica")


async def _settled(store: Connection, consumer: Consumer) -> Ledger:
    deadline, quiet = time.monotonic() + _PATIENCE_S, 0
    while True:
        await consumer.read()
        ledger = await read_ledger(store, KEYS)
        inbox = Inbox(store, KEYS, worker="producer")
        is_empty = ledger.settled and await inbox.length() + await inbox.taken() == 0
        quiet = quiet + 1 if is_empty else 0
        if quiet == 10 or time.monotonic() > deadline:
            return ledger
        await asyncio.sleep(0.2)


def main() -> None:
    """Measure some runs and print each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cut-off-s", type=float, default=0.0)
    parser.add_argument("--durability", choices=("none", "wait"), default="none")
    chosen = parser.parse_args()
    plan = Plan(chosen.durability, chosen.cut_off_s)
    for number in range(chosen.runs):
        with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
            outcome = asyncio.run(run(plan, Path(folder)))
        print(
            f"run {number + 1}, durability {plan.durability}, replicas cut off {plan.cut_off_s} s: "
            f"acknowledged {outcome.acknowledged}, lost {outcome.lost}, repeated {outcome.repeated} "
            f"({outcome.new_ids} under a new id), pushes down for {outcome.down_s:.1f} s; "
            f"ledger {outcome.ledger.figures()}",
            *outcome.faults,
            sep="\n  ",
            flush=True,
        )


if __name__ == "__main__":
    main()
