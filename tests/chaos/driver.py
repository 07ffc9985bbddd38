"""One run: URLs go in, workers are killed at random moments and started again, and then all is counted."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from tests.chaos.verdict import faults
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import Ledger, read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. The same seed kills at the same moments, as far as the machine keeps time."""

    urls: int = 600
    hosts: int = 30
    workers: int = 3
    kills: int = 6
    spacing_s: float = 0.5
    lease_s: float = 3.0
    seed: int = 1
    patience_s: float = 240.0
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What happened. A run is good when `faults` is empty."""

    ledger: Ledger
    kills: int
    took_s: float
    requests: int
    faults: list[str]


async def run(plan: Plan, folder: Path, say: Callable[[str], None] = lambda _: None) -> Report:
    """Run the plan in an empty folder."""
    began, rng, keys = time.monotonic(), random.Random(plan.seed), Keys()
    server = RedisServer(folder / "redis").start()
    fleet = Fleet(folder, _settings(plan, server))
    try:
        async with Origin(plan.hosts) as origin, Connection(server.url, patience_s=30) as connection:
            urls = [origin.url(number) for number in range(plan.urls)]
            for start in range(0, len(urls), 100):
                await connection.command("RPUSH", keys.queue, *urls[start : start + 100])
            for _ in range(plan.workers):
                fleet.start()
            killer = Killer(plan, fleet, rng, say)
            kills = await killer.kill_until_done(connection, keys)
            codes = await asyncio.to_thread(fleet.stop)
            found = await faults(connection, keys, urls)
            found += [f"a worker ended with code {code}" for code in codes if code != 0]
            found += origin.breaches(plan.spacing_s)
            found += fleet.log_faults()
            if errors := fleet.errors():
                found.append(f"stderr: {errors}")
            ledger = await read_ledger(connection, keys)
            return Report(ledger, kills, time.monotonic() - began, len(origin.log), found)
    finally:
        fleet.end()
        server.stop()


@dataclass(frozen=True, slots=True)
class Killer:
    """Kills a random worker after a random pause, again and again, and starts another in its place."""

    plan: Plan
    fleet: Fleet
    rng: random.Random
    say: Callable[[str], None]

    async def kill_until_done(self, connection: Connection, keys: Keys) -> int:
        """Returns how many were killed, once every URL has ended or patience has."""
        kills, next_kill = 0, time.monotonic() + self.rng.uniform(2.0, 4.0)
        deadline = time.monotonic() + self.plan.patience_s
        while time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_EVERY_S)
            ledger = await read_ledger(connection, keys)
            if ledger.accepted == self.plan.urls and ledger.settled:
                break
            if time.monotonic() >= next_kill and kills < self.plan.kills:
                victim = self.rng.choice(self.fleet.workers)
                await asyncio.to_thread(self.fleet.kill, victim)
                self.fleet.start()
                kills += 1
                next_kill = time.monotonic() + self.rng.uniform(1.0, 4.0)
                self.say(f"killed worker {victim.pid} (kill {kills}); {ledger.figures()}")
        return kills


def _settings(plan: Plan, server: RedisServer) -> dict[str, str]:
    return {
        "INGEST_REDIS_URL": server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": str(plan.spacing_s),
        "INGEST_LEASE_S": str(plan.lease_s),
        "INGEST_RETRY_BASE_S": "0.5",
        "INGEST_RETRY_MAX_S": "2",
        "INGEST_EXTRACT_PROCESSES": "1",
        # Enough that no innocent URL is taken for poison by the kills of this run.
        "INGEST_MAX_CRASHES": str(plan.kills + 3),
        **plan.settings,
    }
