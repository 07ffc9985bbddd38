"""Fixtures of the store: a frontier and an inbox over the real server, and a guard against leaked keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.verdict import DOCUMENTED
from tests.store.acting import Act
from worker.store.feeds import Feeds
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worker.clock import FakeClock
    from worker.store.connection import Connection
    from worker.store.keys import Keys


@pytest.fixture(autouse=True)
async def only_documented_keys(connection: Connection) -> AsyncIterator[None]:
    """A test that leaves a key of an unknown name behind fails."""
    yield
    names = [name.decode() async for page in connection.scan("*", count=1000) for name in page]
    assert [name for name in names if not DOCUMENTED.fullmatch(name)] == []


@pytest.fixture
def inbox(connection: Connection, keys: Keys) -> Inbox:
    """Worker one's inbox."""
    return Inbox(connection, keys, worker="one")


@pytest.fixture
async def frontier(connection: Connection, keys: Keys, clock: FakeClock) -> Frontier:
    """Worker one's frontier: one request at a time and no spacing, leases of 50 s."""
    frontier = Frontier(connection, keys, worker="one", limits=FrontierLimits(lease_s=50), clock=clock)
    await frontier.hosts.configure(HostPolicy(spacing_s=0))
    return frontier


@pytest.fixture
def act(connection: Connection, keys: Keys, inbox: Inbox, frontier: Frontier) -> Act:
    """Short words for what tests do again and again."""
    return Act(connection, keys, inbox, frontier)


@pytest.fixture
def feeds(connection: Connection, keys: Keys) -> Feeds:
    """Leases of a minute."""
    return Feeds(connection, keys, lease_s=60, seen_days=90)
