"""A worker process, a publisher and a Redis of their own for each end-to-end test."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from tests.e2e.desk import Desk
from tests.e2e.newsroom import Newsroom
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import Ledger, read_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

# In one step: a time that a worker writes in between would be moved, too.
_STEP = """
local part, by = ARGV[1], tonumber(ARGV[2])
for _, name in ipairs({'ready', 'later', 'leases', 'settled'}) do
  for _, member in ipairs(redis.call('ZRANGE', part .. name, 0, -1)) do
    redis.call('ZINCRBY', part .. name, by, member)
  end
end
redis.call('HINCRBY', part .. 'clock', 'last', by)
for _, host in ipairs(redis.call('KEYS', part .. 'host:*')) do
  redis.call('HINCRBY', host, 'at', by)
end
"""


@dataclass
class Scene:
    """All that an end-to-end test has to do with."""

    server: RedisServer
    connection: Connection
    fleet: Fleet
    origin: Origin
    keys: Keys

    async def push(self, *items: str | bytes) -> None:
        """RPUSH, as any producer does."""
        await self.connection.command("RPUSH", self.keys.queue, *items)

    async def ledger_when(self, done: str, patience_s: float = 60) -> Ledger:
        """The ledger once `done`, an expression over it, holds; the test fails when it does not in time."""
        deadline = time.monotonic() + patience_s
        while True:
            ledger = await read_ledger(self.connection, self.keys)
            figures = ledger.figures() | {"ended": ledger.articles + ledger.dead + ledger.unchanged}
            if eval(done, {}, figures):  # noqa: S307 - the test's own expression
                return ledger
            assert time.monotonic() < deadline, f"not {done}: {ledger}\n{self.fleet.errors()}"
            await asyncio.sleep(0.05)

    async def dead_letters(self) -> list[dict[str, Any]]:
        """The data of all dead letters, oldest first."""
        entries = await self.connection.command("XRANGE", self.keys.dead(), "-", "+")
        return [orjson.loads(fields[b"data"]) for _, fields in entries]

    async def step_clock(self, step_ms: int) -> None:
        """Step Redis' clock: all times it stores move the other way, which is the same to the scripts."""
        await self.connection.command("EVAL", _STEP, 0, self.keys.part(0, ""), -step_ms)

    async def logged(self, event: str, patience_s: float = 30) -> dict[str, object]:
        """The first log line of that event, once there is one."""
        deadline = time.monotonic() + patience_s
        while True:
            for line in self.fleet.lines():
                if line["event"] == event:
                    return line
            assert time.monotonic() < deadline, f"no {event} in the log\n{self.fleet.errors()}"
            await asyncio.sleep(0.05)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that a test may stop and start."""
    server = RedisServer(tmp_path / "redis").start()
    yield server
    server.stop(signal.SIGKILL)


@pytest.fixture
async def scene(server: RedisServer, tmp_path: Path) -> AsyncIterator[Scene]:
    """Eight hosts, no worker yet; whatever the workers logged must fit the catalogue."""
    settings = {
        "INGEST_REDIS_URL": server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": "0.1",
        "INGEST_LEASE_S": "3",
        "INGEST_REDIS_TIMEOUT_S": "1",
        "INGEST_RETRY_BASE_S": "0.5",
        "INGEST_RETRY_MAX_S": "2",
        "INGEST_EXTRACT_PROCESSES": "1",
    }
    fleet = Fleet(tmp_path, settings)
    try:
        async with Origin(8) as origin, Connection(server.url, patience_s=60) as connection:
            yield Scene(server, connection, fleet, origin, Keys())
        assert fleet.log_faults() == []
        assert fleet.errors() == ""
    finally:
        fleet.end()


@pytest.fixture
async def desk(server: RedisServer, tmp_path: Path) -> AsyncIterator[Desk]:
    """Nothing is watched yet, and no process runs; whatever is logged must fit the catalogue."""
    settings = {
        "redis_url": server.url,
        "allow_networks": "127.0.2.0/24",
        "host_spacing_s": "0.05",
        "lease_s": "2",
        "redis_timeout_s": "0.6",
        "extract_processes": "1",
        "feed_interval_min_s": "0.2",
        "feed_interval_max_s": "0.5",
    }
    fleet = Fleet(tmp_path, {f"INGEST_{name.upper()}": value for name, value in settings.items()})
    try:
        async with Newsroom() as room, Connection(server.url, patience_s=60) as connection:
            yield Desk(server, room, fleet, connection, settings, Keys())
        assert fleet.log_faults() == []
        assert fleet.errors() == ""
    finally:
        fleet.end()
