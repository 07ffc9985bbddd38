"""Fixtures that all tests share: a real redis-server, emptied before each test."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conformance.topologies import Cluster, SentinelSet
from tests.servers import TOPOLOGY, RedisServer
from worker.clock import FakeClock
from worker.habits.habit import Habit
from worker.habits.rhythm import Rhythm, Span
from worker.habits.shares import Shares
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.sources import Change, Sources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

#: The last article of `silent_source`.
SINCE = "2026-01-02T03:04:05+00:00"
SHARED = Path(os.environ.get("INGEST_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer | Cluster | SentinelSet]:
    """The session's server, or servers. Short folder name: a socket's path is bounded."""
    form = {"": RedisServer, "cluster": Cluster, "sentinel": SentinelSet}[TOPOLOGY]
    server = form(tmp_path_factory.mktemp("r"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
async def connection(redis_server: RedisServer) -> AsyncIterator[Connection]:
    """A connection to the emptied server."""
    async with Connection(redis_server.url, patience_s=2) as connection:
        await connection.command("FLUSHALL")
        yield connection


@pytest.fixture
def keys() -> Keys:
    """The default namespace, one partition."""
    return Keys()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves when told."""
    return FakeClock()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("no shared data beside this checkout (INGEST_SHARED names it)")
    return SHARED


@pytest.fixture
async def silent_source(connection: Connection) -> str:
    """A source whose silence was told: its articles came hourly, the last one at SINCE."""
    hour_ms = 3_600_000
    rhythm = Rhythm(0, 100 * hour_ms, silent_ms=114 * hour_ms, now=Span(pause_ms=hour_ms, articles=100))
    since = datetime.fromisoformat(SINCE)
    habit = Habit(rhythm, Shares(), {}, int(since.timestamp()), told_ms=114 * hour_ms)
    change = Change("silent.example", b"", habit.encoded(), None, hour_ms, habit.last_article_s)
    assert await Sources(connection, Keys()).learn(0, [change]) == [True]
    return change.source
