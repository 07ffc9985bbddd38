"""A primary that Sentinels know: a failover in the middle, numbers that never come twice, and WAIT."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.conformance.failover import Plan, run
from tests.conformance.topologies import SentinelSet
from tests.store.acting import EVENT, Act, submission
from worker.cli.check.findings import of_replicas
from worker.clock import FakeClock
from worker.errors import StoreUnavailable
from worker.store.connection import Connection
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.settling import Settled

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = Keys()


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelSet]:
    """A set that a test may break."""
    servers = SentinelSet(tmp_path_factory.mktemp("s"))
    try:
        yield servers.start()
    finally:
        servers.stop()


async def acting(connection: Connection) -> Act:
    """A worker on that connection."""
    frontier = Frontier(connection, KEYS, worker="one", limits=FrontierLimits(lease_s=50), clock=FakeClock())
    await frontier.hosts.configure(HostPolicy(spacing_s=0))
    return Act(connection, KEYS, Inbox(connection, KEYS, worker="one"), frontier)


async def test_numbers_leap_in_a_failover(redis: SentinelSet) -> None:
    """What the new primary gives out is no token that a worker may hold of the old one's last moments."""
    async with Connection(redis.url, timeout_s=1, patience_s=30) as connection:
        act = await acting(connection)
        old = await act.lease("http://a.example/1")
        await act.frontier.finish(old, EVENT)
        redis.fail_over()
        new = await act.lease("http://a.example/2")
        assert new.token > old.token + 1_000
        assert await act.frontier.finish(old, EVENT) is not Settled.DONE
        assert await act.frontier.finish(new, EVENT) is Settled.DONE


async def test_an_unconfirmed_write_is_asked_for_again(redis: SentinelSet) -> None:
    """With durability `wait`, what no replica has is not acknowledged, also when it is asked for again."""
    async with Connection(redis.url, timeout_s=0.4, patience_s=3, durability="wait") as connection:
        act = await acting(connection)
        lease = await act.lease()
        for replica in redis.servers[1:]:
            assert replica.process is not None
            replica.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailable, match="no replica has confirmed"):
                await act.frontier.finish(lease, EVENT)
            with pytest.raises(StoreUnavailable, match="no replica has confirmed"):
                await act.inbox.admit([(7, submission("http://b.example/"))])
            with pytest.raises(StoreUnavailable, match="no replica has confirmed"):
                await act.inbox.push(["http://c.example/"])
        finally:
            for replica in redis.servers[1:]:
                assert replica.process is not None
                replica.process.send_signal(signal.SIGCONT)
        assert await act.frontier.finish(lease, EVENT) is Settled.REPEATED
        assert await act.streams() == (1, 0)


@pytest.mark.slow
async def test_failover_with_wait_loses_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """300 URLs, replicas cut off, the primary killed in their midst: all that was acknowledged ends."""
    folder = tmp_path_factory.mktemp("f")  # short: a socket's path is bounded
    outcome = await run(Plan(durability="wait", cut_off_s=0.2), folder)
    assert (outcome.lost, outcome.new_ids, outcome.faults) == (0, 0, [])
    assert outcome.down_s > 0
    assert outcome.ledger.balanced
    assert outcome.ledger.settled


async def test_check_counts_replicas(redis: SentinelSet) -> None:
    """`ingest check` says whether anything could be confirmed."""
    async with Connection(redis.url, timeout_s=1) as connection:
        assert of_replicas(await connection.check()).level == "ok"
    assert of_replicas({"connected_slaves": "0"}).level == "fail"
