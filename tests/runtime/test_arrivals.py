"""The admitter of an idle worker: woken by the first item, and never in a hurry without one."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.store.test_waiting import until_blocked
from worker.clock import SystemClock
from worker.runtime import admitter
from worker.runtime.admitter import Admitter
from worker.store.connection import Connection
from worker.store.headroom import Headroom
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.telemetry.stats import Stats
from worker.urls import partition_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.runtime.conftest import Bench
    from tests.servers import RedisServer

#: Far beyond what a test waits for: whatever happens sooner was no poll.
_ENDLESS_S = 600.0
_PATIENCE_S = 20.0


class Turns:
    """The beats of a loop."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


class Idle:
    """An admitter that runs over a connection which waits for as long as it is asked to."""

    def __init__(self, bench: Bench, patient: Connection, frontier_limit: int) -> None:
        clock = SystemClock()
        self.admitted, self.stopping, self.turns = asyncio.Event(), asyncio.Event(), Turns()
        self.admitter = Admitter(
            patient,
            bench.keys,
            Inbox(patient, bench.keys, worker="one"),
            frontier_limit=frontier_limit,
            headroom=Headroom(patient, share=1, clock=clock),
            beat_ttl_s=_ENDLESS_S,
            admitted=self.admitted,
            stats=Stats(clock),
            clock=clock,
        )
        self.running = asyncio.create_task(self.admitter.run(self.stopping, self.turns))

    async def stop(self) -> None:
        """Stop it; fails when it does not end in time."""
        self.stopping.set()
        async with asyncio.timeout(_PATIENCE_S):
            await self.running


@pytest.fixture
async def patient(redis_server: RedisServer) -> AsyncIterator[Connection]:
    """A connection that waits for a reply for ever, in effect."""
    async with Connection(redis_server.url, timeout_s=3 * _ENDLESS_S, patience_s=2) as connection:
        yield connection


@pytest.fixture
def start(bench: Bench, patient: Connection, monkeypatch: pytest.MonkeyPatch) -> Callable[[float, int], Idle]:
    """Start an admitter, with its longest wait and its frontier's limit."""

    def started(wait_s: float, frontier_limit: int = 1000) -> Idle:
        monkeypatch.setattr(admitter, "_LONGEST_WAIT_S", wait_s)
        return Idle(bench, patient, frontier_limit)

    return started


async def waits(bench: Bench) -> int:
    """How often a wait for an item was asked for so far, answered or refused."""
    stats = await bench.connection.command("INFO", "commandstats")
    found = stats.get("cmdstat_blmove", {})
    return int(found.get("calls", 0)) + int(found.get("rejected_calls", 0))


async def turned(idle: Idle, times: int) -> None:
    """Wait for that many more turns of the loop."""
    deadline, until = time.monotonic() + _PATIENCE_S, idle.turns.count + times
    while idle.turns.count < until:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_item_wakes_an_idle_worker(bench: Bench, start: Callable[[float], Idle]) -> None:
    """With no look due for ten minutes, an item is in the frontier at once, and so is the next one."""
    idle = start(_ENDLESS_S)
    for number in range(2):
        await until_blocked(bench.connection, 1)
        idle.admitted.clear()
        await bench.inbox.push([f"http://a.example/{number}"])
        async with asyncio.timeout(_PATIENCE_S):
            await idle.admitted.wait()
    assert bench.events() == ["url_accepted"] * 2
    # Told in the turn in which it has just asked, it would wait to the end: see `_cancellable`.
    await until_blocked(bench.connection, 1)
    await idle.stop()


async def test_stop_ends_the_wait(bench: Bench, start: Callable[[float], Idle]) -> None:
    """A worker that waits for an item is told to stop, and signs off."""
    idle = start(_ENDLESS_S)
    await until_blocked(bench.connection, 1)
    await idle.stop()
    assert await bench.inbox.workers() == []


async def test_cancelled_wait_leaves_nothing_behind(bench: Bench, start: Callable[[float], Idle]) -> None:
    """A worker whose time is over ends its wait, too."""
    idle = start(_ENDLESS_S)
    await until_blocked(bench.connection, 1)
    idle.running.cancel()
    await asyncio.wait({idle.running}, timeout=_PATIENCE_S)
    assert idle.running.cancelled()
    await bench.inbox.push(["http://a.example/"])
    assert await bench.inbox.length() == 1


async def test_full_frontier_is_not_waited_at(bench: Bench, start: Callable[[float, int], Idle]) -> None:
    """While nothing may be taken nobody asks whether there is something: the answer would come at once."""
    await bench.lease()
    await bench.inbox.push(["http://a.example/2", "http://a.example/3"])
    await bench.connection.command("HSET", bench.keys.ledger(0), "waiting", 1)
    await bench.connection.command("CONFIG", "RESETSTAT")
    idle = start(_ENDLESS_S, 1)
    await turned(idle, 4)
    assert (await waits(bench), await bench.inbox.length()) == (0, 2)
    await bench.connection.command("HSET", bench.keys.ledger(0), "waiting", 0)
    async with asyncio.timeout(_PATIENCE_S):
        await idle.admitted.wait()
    await idle.stop()


async def test_refused_wait_becomes_a_poll(
    bench: Bench, patient: Connection, start: Callable[[float], Idle]
) -> None:
    """Where Redis has no memory left it lets nobody wait: looks go on in turns, and it is no outage."""
    idle = start(0.01)
    await turned(idle, 2)  # its sign of life, which Redis would refuse, too, is given
    await bench.connection.command("CONFIG", "RESETSTAT")
    await bench.connection.command("CONFIG", "SET", "maxmemory", 1)
    try:
        before = idle.turns.count
        await turned(idle, 3)
        assert 0 < await waits(bench) <= idle.turns.count - before + 1
        assert patient.trouble == ""
    finally:
        await bench.connection.command("CONFIG", "SET", "maxmemory", 0)
    await bench.inbox.push(["http://a.example/"])
    async with asyncio.timeout(_PATIENCE_S):
        await idle.admitted.wait()
    await idle.stop()


async def test_forbidden_wait_becomes_a_poll(
    bench: Bench, start: Callable[[float], Idle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an ACL from before there were waits, a worker says so once, looks in turns, and asks again."""
    monkeypatch.setattr(admitter, "_FORBIDDEN_S", 0.0)
    await bench.connection.command("ACL", "SETUSER", "default", "-blmove")
    try:
        idle = start(_ENDLESS_S)
        await turned(idle, 4)
        await bench.inbox.push(["http://a.example/"])
        async with asyncio.timeout(_PATIENCE_S):
            await idle.admitted.wait()
    finally:
        await bench.connection.command("ACL", "SETUSER", "default", "+@all")
    (told,) = [line for line in bench.lines() if line["event"] == "waiting_forbidden"]
    assert "blmove" in told["error"]
    assert "users.acl" in told["error"]
    await until_blocked(bench.connection, 1)
    await idle.stop()


async def test_forbidden_wait_is_not_asked_for_at_each_turn(
    bench: Bench, start: Callable[[float], Idle]
) -> None:
    """Each would be a line of Redis' own log of refusals."""
    await bench.connection.command("ACL", "SETUSER", "default", "-blmove")
    try:
        await bench.connection.command("CONFIG", "RESETSTAT")
        idle = start(_ENDLESS_S)
        await turned(idle, 4)
        await idle.stop()
    finally:
        await bench.connection.command("ACL", "SETUSER", "default", "+@all")
    assert await waits(bench) == 1


async def test_admission_names_its_partition(bench: Bench, patient: Connection) -> None:
    """Whoever claims next need not ask all of sixty-four."""
    keys, expected, clock = Keys(partitions=64), list[int](), SystemClock()
    admitting = Admitter(
        patient,
        keys,
        Inbox(patient, keys, worker="one"),
        frontier_limit=1000,
        headroom=Headroom(patient, share=1, clock=clock),
        beat_ttl_s=_ENDLESS_S,
        admitted=asyncio.Event(),
        expect=expected.append,
        stats=Stats(clock),
        clock=clock,
    )
    await bench.inbox.push(["http://a.example/", "ftp://malformed.example/"])
    assert await admitting.admit_batch() == 2
    assert expected == [partition_of("a.example", 64)]
