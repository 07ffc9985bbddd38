"""A real cluster of three primaries: partitions on all of them, and URLs from the queue to their events."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from tests.chaos.verdict import faults
from tests.conformance.topologies import Cluster, ask
from tests.store.acting import EVENT, Act, submission
from tests.store.test_connection import Told
from worker.clock import FakeClock
from worker.errors import StoreUnavailable, StoreUnusable
from worker.store.connection import Connection
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.host_states import read_hosts
from worker.store.hosts import HostPolicy
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.ledger import read_ledger
from worker.store.settling import Settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.servers import RedisServer

KEYS = Keys(partitions=16)
HOSTS = 60


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The module's cluster."""
    cluster = Cluster(tmp_path_factory.mktemp("c"))
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture
async def act(cluster: Cluster) -> AsyncIterator[Act]:
    """A worker over sixteen partitions of the emptied cluster."""
    async with Connection(cluster.url, patience_s=5) as connection:
        await connection.command("FLUSHALL")
        frontier = Frontier(
            connection, KEYS, worker="one", limits=FrontierLimits(lease_s=50), clock=FakeClock()
        )
        await frontier.hosts.configure(HostPolicy(spacing_s=0))
        yield Act(connection, KEYS, Inbox(connection, KEYS, worker="one"), frontier)


def keys_by_node(cluster: Cluster) -> list[int]:
    """How many keys each node holds."""
    return [int(ask(node, "DBSIZE")) for node in cluster.nodes]


async def test_partitions_spread_over_all_nodes(act: Act, cluster: Cluster) -> None:
    """Sixteen partitions put keys on every node, and each URL of each is claimed and ended once."""
    await act.admit(*(f"http://h{n}.example/" for n in range(HOSTS)))
    assert min(keys_by_node(cluster)) > HOSTS / 10
    leases = [lease for _ in range(2) for lease in (await act.frontier.claim(HOSTS)).leases]
    assert sorted(lease.task.host for lease in leases) == sorted(f"h{n}.example" for n in range(HOSTS))
    assert len((await read_hosts(act.connection, KEYS, limit=HOSTS)).hosts) == HOSTS
    for lease in leases:
        assert await act.frontier.finish(lease, EVENT) is Settled.DONE
        assert await act.frontier.finish(lease, EVENT) is Settled.REPEATED
    ledger = await act.ledger()
    assert (ledger.accepted, ledger.articles, ledger.settled) == (HOSTS, HOSTS, True)


async def test_scripts_are_taught_to_each_node(act: Act, cluster: Cluster) -> None:
    """Nodes that have forgotten the scripts, one by one, learn them by the next call."""
    for node in cluster.nodes:
        ask(node, "SCRIPT FLUSH")
        await act.admit(*(f"http://h{n}.example/{node.port}" for n in range(HOSTS)))
    assert (await act.ledger()).accepted == 3 * HOSTS


async def test_a_moved_slot_is_followed(act: Act, cluster: Cluster) -> None:
    """A partition whose slot moves to another node meanwhile is found there."""
    move = Move.of(cluster, KEYS.articles(0))
    await act.frontier.trim()
    try:
        move.begin()
        move.end()
        assert await act.frontier.trim() == 0
        await act.connection.command("SET", KEYS.part(0, "seq"), 7)
        assert ask(move.target, "GET", KEYS.part(0, "seq")) == "7"
    finally:
        move.back()


async def test_a_slot_on_its_way_is_waited_for(act: Act, cluster: Cluster) -> None:
    """No script runs where half of a partition's keys are: it runs once they are all in one place again."""
    lease, told = await act.lease(), Told()
    move = Move.of(cluster, KEYS.articles(lease.partition))
    try:
        async with Connection(cluster.url, patience_s=None, watch=told) as connection:
            frontier = Frontier(connection, KEYS, worker="two", limits=FrontierLimits(), clock=FakeClock())
            move.begin()
            finishing = asyncio.create_task(frontier.finish(lease, EVENT))
            await asyncio.wait_for(told.heard.wait(), 10)
            assert ask(move.target, "CLUSTER COUNTKEYSINSLOT", move.slot) == 0
            move.end()
            assert await finishing is Settled.DONE
        ledger = await act.ledger()
        assert (ledger.articles, ledger.settled) == (1, True)
    finally:
        move.back()


@dataclass
class Move:
    """A slot's way to the next node, as an operator moves it."""

    slot: int
    source: RedisServer
    target: RedisServer

    @classmethod
    def of(cls, cluster: Cluster, key: str) -> Move:
        """Of the slot of this key."""
        slot = int(ask(cluster.nodes[0], "CLUSTER KEYSLOT", key))
        share = -(-16_384 // 3)
        return cls(slot, cluster.nodes[slot // share], cluster.nodes[(slot // share + 1) % 3])

    def begin(self) -> None:
        """No key has moved yet."""
        ask(self.target, "CLUSTER SETSLOT", self.slot, "IMPORTING", ask(self.source, "CLUSTER MYID"))
        ask(self.source, "CLUSTER SETSLOT", self.slot, "MIGRATING", ask(self.target, "CLUSTER MYID"))

    def end(self) -> None:
        """All have, and the cluster knows."""
        while keys := ask(self.source, "CLUSTER GETKEYSINSLOT", self.slot, 100):
            ask(self.source, "MIGRATE", "127.0.0.1", self.target.port, "", 0, 5000, "KEYS", *keys)
        for node in (self.target, self.source):
            ask(node, "CLUSTER SETSLOT", self.slot, "NODE", ask(self.target, "CLUSTER MYID"))

    def back(self) -> None:
        """The slot where it was."""
        back = Move(self.slot, self.target, self.source)
        back.begin()
        back.end()


async def test_a_node_without_slots_asks_for_patience(cluster: Cluster, tmp_path: Path) -> None:
    """As every node does while the cluster elects: the call is repeated, and no worker ends of it."""
    node = cluster.another(tmp_path).start()
    try:
        async with Connection(node.tcp_url, patience_s=0.2) as connection:
            with pytest.raises(StoreUnavailable, match="asks for patience"):
                await read_ledger(connection, KEYS)
    finally:
        node.stop(signal.SIGKILL)


async def test_nodes_forgotten_while_others_connect(act: Act) -> None:
    """Who finds a node dead closes all connections, also those that others are making: they ask again."""

    async def forget() -> None:
        for _ in range(30):
            await asyncio.sleep(0.03)
            await act.connection._redis.aclose()  # as redis-py does itself

    async def call(number: int) -> None:
        while not forgetting.done():
            await act.connection.command("SET", f"k{number}", "x")

    forgetting = asyncio.create_task(forget())
    await asyncio.gather(*map(call, range(HOSTS)))
    await forgetting


async def test_a_node_by_its_plain_url_is_told(cluster: Cluster) -> None:
    """Who connects to a node as to a single server hears how to name a cluster."""
    async with Connection(cluster.nodes[0].tcp_url, patience_s=0.2) as connection:
        with pytest.raises(StoreUnusable, match=r"redis\+cluster://"):
            await read_ledger(connection, KEYS)


async def test_worker_on_a_cluster(cluster: Cluster, act: Act, tmp_path: Path) -> None:
    """A hundred URLs pushed to a cluster end in a hundred events of a worker that is told its URL."""
    await act.connection.command("FLUSHALL")
    settings = {
        "INGEST_REDIS_URL": cluster.url,
        "INGEST_PARTITIONS": str(KEYS.partitions),
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": "0.05",
        "INGEST_EXTRACT_PROCESSES": "1",
    }
    fleet = Fleet(tmp_path, settings)
    try:
        async with Origin(20) as origin:
            urls = [origin.url(number) for number in range(100)]
            await act.connection.command("RPUSH", KEYS.queue, *urls)
            fleet.start()
            deadline = time.monotonic() + 60
            while (await read_ledger(act.connection, KEYS)).articles < len(urls):
                assert time.monotonic() < deadline, fleet.errors()
                await asyncio.sleep(0.1)
            assert await asyncio.to_thread(fleet.stop) == [0]
        assert min(keys_by_node(cluster)) > 0
        assert await faults(act.connection, KEYS, urls) == []
        assert fleet.log_faults() == []
        assert fleet.errors() == ""
    finally:
        fleet.end()


async def test_a_cluster_confirms_what_its_replica_has(cluster: Cluster, tmp_path: Path) -> None:
    """With durability `wait`, the node with a replica confirms its partitions, and the others do not."""
    replica = cluster.another(tmp_path)
    try:
        followed = cluster.nodes[0]
        cluster.follow(replica, followed)
        async with Connection(cluster.url, timeout_s=0.6, patience_s=0.1, durability="wait") as connection:
            inbox = Inbox(connection, KEYS, worker="one")
            confirmed: set[int] = set()
            for number in range(HOSTS):
                try:
                    (admission,) = await inbox.admit([(number, submission(f"http://h{number}.example/"))])
                    confirmed.add(admission.partition)
                except StoreUnavailable as error:
                    assert "no replica has confirmed" in str(error)  # noqa: PT017 - both are expected
                if number > 20 and confirmed:
                    break
        share = -(-16_384 // 3)
        slots = {p: int(ask(followed, "CLUSTER KEYSLOT", KEYS.ledger(p))) for p in range(KEYS.partitions)}
        assert confirmed
        assert all(slots[partition] < share for partition in confirmed)
        replica.stop(signal.SIGKILL)
        async with Connection(cluster.url, patience_s=0.1) as connection:
            assert [name async for page in connection.scan("*", count=1000) for name in page]
    finally:
        replica.stop(signal.SIGKILL)
