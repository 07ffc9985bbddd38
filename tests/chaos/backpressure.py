"""`python -m tests.chaos.backpressure`: a consumer group that reads nothing, while many URLs wait.

Redis has a maxmemory and evicts nothing. Two groups: one acknowledges all that comes, the other one nothing,
until claiming has paused and producers have pushed more; then it reads, acknowledges, and claiming resumes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from tests.chaos.fleet import Fleet
from tests.chaos.group import Group
from tests.chaos.origin import Origin, article
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import Ledger, read_depths, read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOOK_EVERY_S = 0.1
#: Without a new event for so long, though URLs wait, claiming has paused.
_STILL_S = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of what. `go_on` events are wanted after the pause; None: the end of all URLs."""

    urls: int = 205_000  # of which 200,000 still wait at the pause
    pushed_while_paused: int = 5_000
    go_on: int | None = 5_000
    memory_bytes: int = 256_000_000
    max_backlog: int = 0
    hosts: int = 50
    workers: int = 2
    patience_s: float = 900.0


@dataclass(slots=True)
class Watch:
    """What the driver saw; sizes in bytes. `peak` is what Redis itself holds against its maxmemory."""

    peak_bytes: int = 0
    waiting: int = 0  # URLs at the pause, in inbox and frontier
    events: int = 0  # in the stream at the pause
    paused_bytes: int = 0
    trimmed_early: int = 0  # events dropped while a group had not acknowledged them
    resumed_s: float = 0.0  # from the first acknowledgement to the first new event
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """What happened. A run is good when `faults` is empty."""

    ledger: Ledger
    seen: Watch
    paused: Mapping[str, int]  # why → claiming_paused lines of the workers
    took_s: float

    def table(self, plan: Plan) -> str:
        """The figures, for people."""
        seen, limit = self.seen, plan.memory_bytes
        rows = (
            ("Redis, peak of maxmemory", f"{seen.peak_bytes / 1e6:.1f} of {limit / 1e6:.1f} MB"),
            ("claiming paused after", f"{seen.events} events, at {seen.paused_bytes / limit:.1%} of that"),
            ("why", ", ".join(f"{why} ({count})" for why, count in self.paused.items())),
            ("URLs waiting then", f"{seen.waiting}"),
            ("trimmed while paused", f"{seen.trimmed_early}"),
            ("first event after acknowledging", f"{seen.resumed_s * 1000:.0f} ms"),
            ("trimmed in the end", f"{self.ledger.traffic.get('trimmed', 0)}"),
            ("ledger", f"{self.ledger.figures()}"),
            ("took", f"{self.took_s:.0f} s"),
        )
        return "\n".join(f"{name:<34}{value}" for name, value in rows)


class LongReads(Origin):
    """Articles of some 20 KB of text, so that a few thousand fill a Redis."""

    _MORE = "".join(
        f"<p>Paragraph {number} says what the harbour master wrote down on that day, which was much the same "
        f"as on the day before: {number} boats left with the tide, and {number} came back.</p>"
        for number in range(120)
    )

    async def _answer(self, host: str, path: str) -> web.StreamResponse:
        if not path.startswith("/a/"):
            return await super()._answer(host, path)
        page = article(host, path).replace("</article>", f"{self._MORE}</article>")
        return web.Response(text=page, content_type="text/html")


async def run(plan: Plan, folder: Path, say: Callable[[str], None] = lambda _: None) -> Report:
    """Run the plan in an empty folder."""
    began = time.monotonic()
    limits = ("--maxmemory", str(plan.memory_bytes), "--maxmemory-policy", "noeviction")
    server = RedisServer(folder / "redis", options=limits).start()
    fleet = Fleet(folder, _settings(plan, server))
    try:
        async with LongReads(plan.hosts) as origin, Connection(server.url, patience_s=30) as connection:
            stage = Stage(plan, connection, origin, say)
            for group in (stage.prompt, stage.stalled):
                await group.join()
            await stage.push(plan.urls)
            for _ in range(plan.workers):
                fleet.start()
            await stage.until_paused()
            await stage.push_while_paused()
            acknowledged = await stage.resume()
            codes = await asyncio.to_thread(fleet.stop)
            await stage.count()
            seen, lines = stage.seen, list(fleet.lines())
            seen.faults += [f"a worker ended with code {code}" for code in codes if code != 0]
            seen.faults += fleet.log_faults() + ([f"stderr: {text}"] if (text := fleet.errors()) else [])
            paused = Counter(str(line["why"]) for line in lines if line["event"] == "claiming_paused")
            names = {str(line["event"]) for line in lines if _when(line) > acknowledged}
            if not paused or "claiming_resumed" not in names:
                seen.faults.append("the log does not tell of the pause and its end")
            if "redis_unavailable" in {line["event"] for line in lines}:
                seen.faults.append("Redis refused a write")
            return Report(await read_ledger(connection, stage.keys), seen, paused, time.monotonic() - began)
    finally:
        fleet.end()
        server.stop()


class Stage:
    """The steps of a run, each of which writes down what it saw."""

    def __init__(
        self, plan: Plan, connection: Connection, origin: Origin, say: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._connection = connection
        self._origin = origin
        self._say = say
        self._deadline = time.monotonic() + plan.patience_s
        self.keys = Keys()
        self.prompt = Group(connection, self.keys.articles(), "prompt")
        self.stalled = Group(connection, self.keys.articles(), "stalled")
        self.seen = Watch()
        self.pushed: list[str] = []

    async def push(self, count: int) -> None:
        """As producers do; a refusal would raise."""
        first = len(self.pushed)
        hosts, port = self._origin.hosts, self._origin.port
        urls = [f"http://{hosts[n % len(hosts)]}:{port}/a/{n}" for n in range(first, first + count)]
        for start in range(0, count, 1000):
            await self._connection.command("RPUSH", self.keys.queue, *urls[start : start + 1000])
        self.pushed += urls

    async def until_paused(self) -> None:
        """Until no event has come for a while, though URLs wait."""
        events, last = 0, time.monotonic()
        while not events or time.monotonic() - last < _STILL_S:
            await self._look()
            while await self.prompt.read():
                pass
            if (length := await self._length()) != events:
                events, last = length, time.monotonic()
            if time.monotonic() > self._deadline:
                self.seen.faults.append("claiming never paused")
                break
        self.seen.events, self.seen.paused_bytes = events, await self._used_bytes()
        self.seen.waiting = await self._waiting()
        self._say(f"paused after {events} events; {self.seen.waiting} URLs wait")
        await self._nothing_trimmed()

    async def push_while_paused(self) -> None:
        """More URLs: the queue grows by as many, and none of them is begun."""
        before = await self._waiting()
        await self.push(self._plan.pushed_while_paused)
        await asyncio.sleep(1)
        grown = await self._waiting() - before
        if grown != self._plan.pushed_while_paused:
            self.seen.faults.append(f"the queue grew by {grown} and not by {self._plan.pushed_while_paused}")
        await self._nothing_trimmed()

    async def resume(self) -> float:
        """Let the stalled group read on until as many events as wanted have come; returns when it began."""
        wall, began, resumed = time.time(), time.monotonic(), False
        ledger = await read_ledger(self._connection, self.keys)
        events = ledger.articles
        wanted = len(self.pushed) if self._plan.go_on is None else events + self._plan.go_on
        while ledger.articles + ledger.dead < wanted:
            for group in (self.stalled, self.prompt):
                await group.read()
            ledger = await read_ledger(self._connection, self.keys)
            if ledger.articles > events and not resumed:
                resumed, self.seen.resumed_s = True, time.monotonic() - began
                self._say(f"resumed after {self.seen.resumed_s:.2f} s")
            if time.monotonic() > self._deadline:
                self.seen.faults.append(f"only {ledger.articles} of {wanted} articles came")
                break
            await self._look()
        return wall

    async def count(self) -> None:
        """With the workers gone: each URL is in one place, and each group has had each event once."""
        for group in (self.stalled, self.prompt):
            while await group.read():
                pass
        ledger = await read_ledger(self._connection, self.keys)
        found, ended = self.seen.faults, ledger.articles + ledger.dead
        for group in (self.stalled, self.prompt):
            if len(group.subjects) != ledger.articles or group.subjects.total() != ledger.articles:
                found.append(f"a group saw {group.subjects.total()} events of {len(group.subjects)} URLs")
        if not ledger.balanced or ledger.leased or ledger.dead or ledger.refused:
            found.append(f"the ledger is off: {ledger}")
        lost = set(self.stalled.subjects) - set(self.pushed)
        if lost or ended + await self._waiting() != len(self.pushed):
            found.append(f"{len(self.pushed)} URLs pushed, {ended} ended, {await self._waiting()} wait")
        if self.seen.peak_bytes > self._plan.memory_bytes:
            found.append(f"Redis held {self.seen.peak_bytes} bytes")

    async def _nothing_trimmed(self) -> None:
        ledger = await read_ledger(self._connection, self.keys)
        self.seen.trimmed_early = ledger.articles - await self._length()
        if self.seen.trimmed_early or ledger.traffic.get("trimmed", 0):
            self.seen.faults.append(f"events were trimmed that a group has not acknowledged: {ledger}")

    async def _waiting(self) -> int:
        """URLs that wait, counted from the lists themselves: in the inbox, with a worker, at their hosts."""
        names = [self.keys.part(0, f"wait:{host}:{self._origin.port}") for host in self._origin.hosts]
        taken = await self._connection.command("KEYS", "{ingest:queue}:taken:*")
        lists = [int(await self._connection.command("LLEN", name)) for name in (*names, *taken)]
        depths = await read_depths(self._connection, self.keys, taken=0)
        return sum(lists) + depths.inbox + depths.later + depths.suspects + depths.leases

    async def _length(self) -> int:
        return int(await self._connection.command("XLEN", self.keys.articles()))

    async def _used_bytes(self) -> int:
        info = await self._connection.command("INFO", "memory")
        return int(info["used_memory"]) - int(info["mem_not_counted_for_evict"])

    async def _look(self) -> None:
        self.seen.peak_bytes = max(self.seen.peak_bytes, await self._used_bytes())
        await asyncio.sleep(_LOOK_EVERY_S)


def _when(line: Mapping[str, object]) -> float:
    return datetime.fromisoformat(str(line["timestamp"])).timestamp()


def _settings(plan: Plan, server: RedisServer) -> dict[str, str]:
    return {
        "INGEST_REDIS_URL": server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": "0",
        "INGEST_HOST_SLOTS": "8",
        "INGEST_HOST_DELAY_FACTOR": "0",
        "INGEST_OBEY_ROBOTS": "false",
        "INGEST_CONCURRENCY": "8",  # what is in work at the pause must fit in the rest of maxmemory
        "INGEST_LEASE_S": "4",  # acknowledged events are dropped four times in it
        "INGEST_MAX_BACKLOG": str(plan.max_backlog),
        "INGEST_EXTRACT_PROCESSES": "1",
    }


def main() -> int:
    """Run once; 1 if there was a fault."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.backpressure", description=__doc__)
    parser.add_argument("--urls", type=int, default=usual.urls, help="URLs in the queue at the start")
    parser.add_argument("--memory", type=int, default=usual.memory_bytes, help="Redis' maxmemory, in bytes")
    parser.add_argument("--backlog", type=int, default=usual.max_backlog, help="INGEST_MAX_BACKLOG; 0: none")
    given = parser.parse_args()
    plan = Plan(urls=given.urls, memory_bytes=given.memory, max_backlog=given.backlog)
    with tempfile.TemporaryDirectory(prefix="ingest-backpressure-") as folder:
        report = asyncio.run(run(plan, Path(folder), say=lambda line: print(f"  {line}", flush=True)))
    print(report.table(plan))
    for fault in report.seen.faults[:50]:
        print(f"  {fault}")
    print("ok" if not report.seen.faults else f"{len(report.seen.faults)} FAULTS")
    return 1 if report.seen.faults else 0


if __name__ == "__main__":
    sys.exit(main())
