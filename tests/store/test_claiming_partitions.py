"""A claim over several partitions: those that are named, in their order, until there is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.acting import submission
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.urls import partition_of

if TYPE_CHECKING:
    from worker.clock import FakeClock
    from worker.store.connection import Connection

COUNT = 3
#: One host for each partition, by its number.
HOSTS = {partition_of(f"h{n}.example", COUNT): f"h{n}.example" for n in range(50)}


@pytest.fixture
async def frontier(connection: Connection, clock: FakeClock) -> Frontier:
    """Three partitions with a URL in each."""
    keys = Keys(partitions=COUNT)
    frontier = Frontier(connection, keys, worker="one", limits=FrontierLimits(lease_s=50), clock=clock)
    await frontier.hosts.configure(HostPolicy(spacing_s=0))
    inbox = Inbox(connection, keys, worker="one")
    await inbox.admit([(n, submission(f"http://{host}/")) for n, host in enumerate(HOSTS.values(), 1)])
    return frontier


async def test_only_what_is_named_is_asked(frontier: Frontier) -> None:
    """The others keep what they have, and nothing is said of them."""
    claim = await frontier.claim(8, [2, 0])
    assert [lease.task.host for lease in claim.leases] == [HOSTS[2], HOSTS[0]]
    assert claim.dues_s == {2: None, 0: None}
    (left,) = (await frontier.claim(8)).leases
    assert left.task.host == HOSTS[1]


async def test_those_behind_the_last_place_are_not_asked(frontier: Frontier) -> None:
    """There is more at once; what the unasked have is not known."""
    claim = await frontier.claim(1, [1, 2])
    assert [lease.task.host for lease in claim.leases] == [HOSTS[1]]
    assert (claim.dues_s, claim.next_due_s) == ({1: None}, 0.0)


async def test_all_take_turns_where_none_is_named(frontier: Frontier) -> None:
    """One place at a time, each partition is the first in its turn."""
    hosts = [(await frontier.claim(1)).leases[0].task.host for _ in range(COUNT)]
    assert hosts == [HOSTS[0], HOSTS[1], HOSTS[2]]
