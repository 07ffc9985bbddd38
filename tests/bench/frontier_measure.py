"""What a frontier of a given size does: claims and ends, reaping, a worker's start, a look at it.

Latencies are taken twice: here, around the call, and in Redis, by its slow log. Redis' CPU for a
claim is what others on the machine change least.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bench.frontier_fill import GIANT, KEYS, admit, url_of
from tests.bench.measure import RedisUse
from worker.clock import SystemClock
from worker.model import Signal, Validators, Visit
from worker.settings import HostOverride
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.inbox import Inbox
from worker.store.scripts import script
from worker.store.settling import Settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from worker.model import Lease
    from worker.store.connection import Connection

CLAIMED_AT_ONCE = 32
_LOG = 200_000  # entries of the slow log
# It takes in what scripts call, too: with a threshold of nothing it would cost more than what it measures.
_LOGGED_US = 15
_REAPED_AT_ONCE = 100  # as the reaper's
_SHORT_LEASE_S = 1.0
_OK = Signal("ok", latency_s=0.12)
_WORKER_WITHIN_S = 60
_NEW = 500_000_000  # numbers of URLs from here on are those of tasks that replace others

Event = dict[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Ending:
    """An event to end tasks with, and the prints of its article that a visit keeps; empty: no visit."""

    event: Event
    prints: str = ""

    def visit(self, lease: Lease) -> Visit | None:
        """What the next visit would need."""
        if not self.prints:
            return None
        validators = Validators('"5f3c-61a2b7d09e4c1"', "Thu, 01 Jan 2026 00:00:00 GMT")
        return Visit(lease.task.revision, lease.task.url, validators, self.prints)


SMALL = Ending({"id": "0", "data": b"{}"})


@dataclass
class Use:
    """What a block cost Redis: CPU seconds, µs of each run of a script, its longest command, spikes."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    longest: tuple[float, str] = (0.0, "")  # ms, and which command
    scans: int = 0  # commands that pass over keys
    spikes_ms: dict[str, int] = field(default_factory=dict)  # of LATENCY LATEST
    _runs: dict[str, list[int]] = field(default_factory=dict)

    def us(self, name: str, count: int) -> list[int]:
        """Microseconds in Redis of each of `count` runs of a script; of quick ones no more than is known."""
        known = self._runs.get(script(name).sha, [])
        return known + [_LOGGED_US] * (count - len(known))

    def add(self, entries: Sequence[tuple[int, int, int, list[bytes]]]) -> None:
        """Take in entries of the slow log."""
        for _, _, duration_us, words, *_ in entries:
            name = words[0].decode()
            if name == "EVALSHA":
                self._runs.setdefault(words[1].decode(), []).append(duration_us)
            self.scans += name in {"SCAN", "KEYS"}
            if name not in {"SLOWLOG", "CONFIG", "INFO"}:
                self.longest = max(self.longest, (duration_us / 1000, name))


@dataclass
class Laps:
    """Seconds around each call, and the tasks that were ended."""

    claims_s: list[float] = field(default_factory=list)
    claims_cpu_us: list[float] = field(
        default_factory=list
    )  # of Redis, the call's reading and writing included
    finishes_s: list[float] = field(default_factory=list)
    ended: int = 0


class Bench:
    """One worker's calls on a full frontier. What it ends it replaces, so that the size stays."""

    def __init__(self, connection: Connection, server: str) -> None:
        self.connection = connection
        self.server = server
        self._next = _NEW
        self.frontier = self._frontier()
        self._inbox = Inbox(connection, KEYS, worker="bench", forget_after_s=0)

    def _frontier(self, lease_s: float = 600) -> Frontier:
        limits = FrontierLimits(lease_s=lease_s)
        return Frontier(self.connection, KEYS, worker="bench", limits=limits, clock=SystemClock())

    async def space(self, spacing_s: float) -> None:
        """Set the hosts' spacing, and no delay by latency; the giant has none in any case."""
        rules = {GIANT: HostOverride(spacing_s=0)}
        await self.frontier.hosts.configure(HostPolicy(spacing_s=spacing_s, delay_factor=0), rules)

    async def waiting(self) -> int:
        """How many URLs wait, by the ledger."""
        return int(await self.connection.command("HGET", KEYS.ledger(), "waiting") or 0)

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Use]:
        """Watches Redis for the block; reads what it wrote down once the block ends."""
        command, use = self.connection.command, Use()
        for name, value in (
            ("slowlog-max-len", _LOG),
            ("slowlog-log-slower-than", _LOGGED_US),
            ("latency-monitor-threshold", 1),
        ):
            await command("CONFIG", "SET", name, value)
        await command("SLOWLOG", "RESET")
        await command("LATENCY", "RESET")
        before, begun = await RedisUse.of(self.connection), time.perf_counter()
        yield use
        use.wall_s = time.perf_counter() - begun
        use.cpu_s = (await RedisUse.of(self.connection)).cpu_s - before.cpu_s
        await command("CONFIG", "SET", "slowlog-log-slower-than", -1)
        await command("CONFIG", "SET", "latency-monitor-threshold", 0)
        use.spikes_ms = {row[0].decode(): row[3] for row in await command("LATENCY", "LATEST")}
        use.add(await command("SLOWLOG", "GET", _LOG))
        await command("SLOWLOG", "RESET")

    async def laps(self, count: int, ending: Ending) -> Laps:
        """Claim and end so many tasks, one call after the other; stops where nothing is due."""
        laps = Laps()
        while laps.ended < count:
            cpu_us, begun = await self._cpu_us(), time.perf_counter()
            leases = (await self.frontier.claim(CLAIMED_AT_ONCE)).leases
            laps.claims_s.append(time.perf_counter() - begun)
            laps.claims_cpu_us.append(await self._cpu_us() - cpu_us)
            if not leases:
                break
            for lease in leases:
                begun = time.perf_counter()
                settled = await self.frontier.finish(
                    lease, ending.event, signal=_OK, visit=ending.visit(lease)
                )
                laps.finishes_s.append(time.perf_counter() - begun)
                assert settled is Settled.DONE
            laps.ended += len(leases)
            await self.replace(leases)
        return laps

    async def _cpu_us(self) -> float:
        info = await self.connection.command("INFO", "cpu")
        names = ("used_cpu_user_main_thread", "used_cpu_sys_main_thread")
        return sum(float(info[name]) for name in names) * 1e6

    async def rest(self, hosts: int) -> None:
        """Visit so many hosts, as fast as it goes, so that they rest."""
        left = hosts
        while left > 0 and (leases := (await self.frontier.claim(CLAIMED_AT_ONCE)).leases):
            await asyncio.gather(*(self.frontier.finish(lease, SMALL.event) for lease in leases))
            await self.replace(leases)
            left -= len(leases)

    async def replace(self, leases: Sequence[Lease]) -> None:
        """Put as many new URLs behind the hosts that these were of."""
        first, self._next = self._next, self._next + len(leases)
        await admit(self._inbox, [url_of(each.task.host, n) for n, each in enumerate(leases, first)])

    async def trim(self) -> int:
        """Drop all events as read, by the script of the reapers; returns how many."""
        try:
            await self.connection.command("XGROUP", "CREATE", KEYS.articles(), "bench", "$", "MKSTREAM")
        except Exception as error:
            if "BUSYGROUP" not in str(error):
                raise
            await self.connection.command("XGROUP", "SETID", KEYS.articles(), "bench", "$")
        dropped = 0
        while count := await self.frontier.trim():
            dropped += count
        return dropped

    async def reap(self, count: int) -> tuple[int, Use]:
        """Let so many leases run out, and take them back; returns how many there were, and the cost."""
        dying, held = self._frontier(_SHORT_LEASE_S), 0
        while held < count and (leases := (await dying.claim(CLAIMED_AT_ONCE)).leases):
            held += len(leases)
        await self._passed("leases")
        async with self.use() as use:
            reaped = 0
            while reaped < held:
                reaped += len(await self.frontier.reap(_REAPED_AT_ONCE))
        leases_ended: list[Lease] = []
        while lease := await self.frontier.claim_suspect():
            await self.frontier.finish(lease, SMALL.event)
            leases_ended.append(lease)
        await self.replace(leases_ended)
        return held, use

    async def rested(self) -> None:
        """Wait until every host may be asked."""
        await self._passed("ready")

    async def _passed(self, name: str) -> None:
        """Wait until all scores of a zset, instants, have passed."""
        while True:
            last = await self.connection.command("ZRANGE", KEYS.part(0, name), 0, 0, "REV", "WITHSCORES")
            seconds, micros = await self.connection.command("TIME")
            left_s = float(last[1]) / 1000 - int(seconds) - int(micros) / 1e6 if last else 0
            if left_s < 0 or not last:
                return
            await asyncio.sleep(left_s + 0.001)

    async def start(self) -> Use:
        """From the start of `ingest run` to the end of its first task; it asks nothing of anyone."""
        async with self.use() as use:
            worker = await self._command("run", INGEST_DENY_HOSTS="example", INGEST_LOG_FORMAT="json")
            assert worker.stdout is not None
            async with asyncio.timeout(_WORKER_WITHIN_S):
                while b'"url_buried"' not in (line := await worker.stdout.readline()):
                    assert line, "the worker ended"
        worker.terminate()
        await worker.communicate()
        return use

    async def status(self, *options: str) -> Use:
        """`ingest status`, from its start to its end."""
        async with self.use() as use:
            shown = await self._command("status", *options)
            await shown.communicate()
        assert shown.returncode == 0
        return use

    async def _command(self, *words: str, **settings: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker", *words),
            env={name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
            | {"INGEST_REDIS_URL": self.server, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            | settings,
            stdout=asyncio.subprocess.PIPE,
        )
