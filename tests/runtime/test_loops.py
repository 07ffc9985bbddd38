"""The loops by themselves: admission, keeping, reaping, suspects, reports."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.runtime.conftest import LEASE_S
from worker.clock import FakeClock, SystemClock
from worker.model import Submission
from worker.runtime.admitter import Admitter
from worker.runtime.keeper import Keeper
from worker.runtime.prospects import Prospects
from worker.runtime.reaper import Reaper
from worker.runtime.runner import Runner
from worker.runtime.suspects import SuspectRunner
from worker.runtime.work import Work
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.headroom import Headroom
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.ledger import read_ledger
from worker.urls import partition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tests.runtime.conftest import Bench
    from worker.grouping import Grouping
    from worker.store.frontier import Claim


def admitter_of(bench: Bench, *, frontier_limit: int = 1000) -> Admitter:
    return Admitter(
        bench.connection,
        bench.keys,
        bench.inbox,
        frontier_limit=frontier_limit,
        headroom=Headroom(bench.connection, share=1, clock=SystemClock()),
        beat_ttl_s=60,
        admitted=asyncio.Event(),
        stats=bench.stats,
        clock=SystemClock(),
    )


def runner_of(bench: Bench, *, max_backlog: int = 0, share: float = 1) -> Runner:
    return Runner(
        bench.frontier,
        bench.work,
        bench.in_work,
        bench.stats,
        concurrency=2,
        max_backlog=max_backlog,
        headroom=Headroom(bench.connection, share=share, clock=SystemClock()),
        wake=asyncio.Event(),
        prospects=Prospects(bench.keys.partitions, SystemClock()),
    )


def in_two_partitions(bench: Bench) -> Bench:
    keys, clock = Keys(partitions=2), SystemClock()
    frontier = Frontier(
        bench.connection, keys, worker="one", limits=FrontierLimits(lease_s=LEASE_S), clock=clock
    )
    work = Work(
        bench.work._pipeline,
        frontier,
        bench.in_work,
        bench.stats,
        bench.sightings,
        namespace="ingest",
        max_crashes=2,
        clock=clock,
    )
    inbox = Inbox(bench.connection, keys, worker="one")
    return replace(bench, keys=keys, frontier=frontier, work=work, inbox=inbox)


async def until(stopping: asyncio.Event, bench: Bench, event: str) -> None:
    """Ask for a stop once the log has that event."""
    deadline = time.monotonic() + 20
    while event not in bench.events():
        assert time.monotonic() < deadline, f"no {event} among {bench.events()}"
        await asyncio.sleep(0.01)
    stopping.set()


async def test_admitter_admits_refuses_and_buries(bench: Bench) -> None:
    """Good items are accepted, repeated ones refused, bad ones buried; each is told, and none stays taken."""
    await bench.inbox.push(["http://a.example/", "http://a.example/#again", "ftp://a.example/"])
    assert await admitter_of(bench).admit_batch() == 3
    assert bench.events() == ["item_malformed", "url_accepted", "url_refused"]
    ledger = await read_ledger(bench.connection, bench.keys)
    assert (ledger.accepted, ledger.refused, ledger.dead, ledger.waiting) == (2, 1, 1, 1)
    assert await bench.inbox.taken() == 0


async def test_admitter_stops_at_the_high_water_mark(bench: Bench) -> None:
    """With the frontier full, items stay in the inbox, and it is told once."""
    await bench.inbox.push(["http://a.example/1"])
    stopping, admitter = asyncio.Event(), admitter_of(bench, frontier_limit=1)
    running = asyncio.create_task(admitter.run(stopping))
    await until(asyncio.Event(), bench, "url_accepted")
    await bench.inbox.push(["http://a.example/2"])
    await until(stopping, bench, "frontier_full")
    await running
    assert bench.stats.stood_still_at > 0, "sources that cannot be admitted are nobody's silence"
    assert await bench.inbox.length() == 1
    assert await bench.inbox.workers() == []


async def test_admitter_adopts_from_the_dead(bench: Bench) -> None:
    """What a killed worker had taken is admitted by the next one that looks."""
    dead = Inbox(bench.connection, bench.keys, worker="dead")
    await dead.push(["http://a.example/"])
    await dead.beat(ttl_s=0)
    await dead.take(10)
    stopping = asyncio.Event()
    running = asyncio.create_task(admitter_of(bench).run(stopping))
    await until(stopping, bench, "url_accepted")
    await running
    assert bench.events()[0] == "taken_adopted"


async def test_keeper_stops_work_on_lost_leases(bench: Bench) -> None:
    """Work on a lease that is gone is cancelled and told; the others are extended."""
    lost, kept = await bench.lease("http://a.example/"), await bench.lease("http://b.example/")
    await bench.expire(lost)
    workers = [asyncio.create_task(asyncio.sleep(60)) for _ in range(2)]
    for lease, worker in zip((lost, kept), workers, strict=True):
        bench.in_work.add(lease, worker)
    clock = FakeClock()
    clock.advance(1_000_000)
    await Keeper(bench.frontier, bench.in_work, lease_s=LEASE_S, clock=clock).keep()
    await asyncio.wait({workers[0]}, timeout=5)
    assert workers[0].cancelled()
    assert not workers[1].done()
    assert bench.in_work.expires_monotonic(kept) == 1_000_000 + LEASE_S
    assert bench.events() == ["lease_lost"]
    workers[1].cancel()


async def test_reaper_takes_back_and_tells(bench: Bench) -> None:
    """An expired lease becomes a suspect, and the log says whose it was."""
    lease = await bench.lease()
    await bench.connection.command("ZADD", bench.keys.part(0, "leases"), 1, lease.token)
    bench.connection.outages._up_since -= 2 * LEASE_S
    reaper = Reaper(bench.connection, bench.frontier, lease_s=LEASE_S)
    assert [await reaper.reap() for _ in range(5)] == [0, 0, 0, 1, 0]
    (line,) = bench.lines()
    assert (line["event"], line["owner"], line["crashes"]) == ("lease_reaped", "one", 1)


async def test_reaper_waits_a_lease_after_an_outage(bench: Bench) -> None:
    """Right after Redis came back nothing is taken back: the living get time to extend."""
    lease = await bench.lease()
    await bench.connection.command("ZADD", bench.keys.part(0, "leases"), 1, lease.token)
    stopping = asyncio.Event()
    stopping_soon = asyncio.get_running_loop().call_later(0.3, stopping.set)
    await Reaper(bench.connection, bench.frontier, lease_s=LEASE_S).run(stopping)
    stopping_soon.cancel()
    assert "lease_reaped" not in bench.events()


async def test_suspects_run_one_at_a_time_until_none_is_left(bench: Bench) -> None:
    """Suspects are worked on alone and published; the runner then ends by itself."""
    for number in range(3):
        await bench.expire(await bench.lease(f"http://h{number}.example/story"))
    await SuspectRunner(bench.frontier, bench.work, bench.in_work).run(asyncio.Event())
    assert await bench.lengths() == (3, 0)
    turns = [event for event in bench.events() if event.startswith("suspect")]
    assert turns == ["suspect_started", "suspect_cleared"] * 3


async def test_suspects_of_two_partitions_under_one_token(bench: Bench) -> None:
    """Each partition counts for itself: the second lease under the same token is worked on, too."""
    bench = in_two_partitions(bench)
    for number in range(2):
        host = next(
            host for n in range(99) if partition_of(host := f"h{n}.example", bench.keys.partitions) == number
        )
        url = f"http://{host}/story"
        await bench.inbox.admit([(number, Submission(url, host, url))])
    for lease in (await bench.frontier.claim(2)).leases:
        await bench.connection.command("ZADD", bench.keys.part(lease.partition, "leases"), 1, lease.token)
    assert len(await bench.frontier.reap()) == 2
    await SuspectRunner(bench.frontier, bench.work, bench.in_work).run(asyncio.Event())
    ledger = await read_ledger(bench.connection, bench.keys)
    assert (ledger.articles, ledger.leased) == (2, 0)


async def test_runner_says_when_it_pauses_and_goes_on(bench: Bench) -> None:
    """With too many articles unread the runner claims nothing and says so; and again when it goes on."""
    await bench.work.run(await bench.lease())
    bench.frontier._limits = type(bench.frontier._limits)(lease_s=LEASE_S, max_backlog=1)
    stopping = asyncio.Event()
    runner = runner_of(bench, max_backlog=1)
    running = asyncio.create_task(runner.run(stopping))
    paused = asyncio.Event()
    await until(paused, bench, "claiming_paused")
    await bench.connection.command("DEL", bench.keys.articles())
    await until(stopping, bench, "claiming_resumed")
    await running


async def test_runner_pauses_while_redis_is_almost_full(bench: Bench) -> None:
    """At the share of maxmemory that the settings name nothing is claimed; with room again, work goes on."""
    await bench.inbox.admit([(1, Submission("http://a.example/1", "a.example", "http://a.example/1"))])
    stopping = asyncio.Event()
    await bench.connection.command("CONFIG", "SET", "maxmemory", 1 << 30)
    try:
        running = asyncio.create_task(runner_of(bench, share=0.0001).run(stopping))
        await until(asyncio.Event(), bench, "claiming_paused")
        assert await bench.lengths() == (0, 0)
        assert bench.stats.stood_still_at > 0
    finally:
        await bench.connection.command("CONFIG", "SET", "maxmemory", 0)
    await until(stopping, bench, "article_published")
    await running
    names = [line for line in bench.lines() if line["event"].startswith("claiming")]
    assert [(line["event"], line.get("why")) for line in names] == [
        ("claiming_paused", "memory"),
        ("claiming_resumed", None),
    ]


async def test_suspect_that_cannot_be_settled_is_not_tried_in_a_loop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours while ending a suspect's lease ends the runner: the lease is left to run out."""
    await bench.expire(await bench.lease())

    def faulty(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("worker.runtime.publication.article_event", faulty)
    await SuspectRunner(bench.frontier, bench.work, bench.in_work).run(asyncio.Event())
    assert bench.events().count("suspect_started") == 1
    assert (await read_ledger(bench.connection, bench.keys)).leased == 1


async def test_claim_answered_after_the_stop_is_given_back(bench: Bench) -> None:
    """Leases that arrive once a stop was asked for are released, and not begun."""
    await bench.inbox.admit([(1, Submission("http://a.example/1", "a.example", "http://a.example/1"))])
    stopping = asyncio.Event()
    claim = bench.frontier.claim

    async def stopped_meanwhile(limit: int, partitions: Sequence[int] | None = None) -> Claim:
        answer = await claim(limit, partitions)
        stopping.set()
        return answer

    bench.frontier.claim = stopped_meanwhile  # type: ignore[method-assign]
    runner = runner_of(bench)
    await runner.run(stopping)
    ledger = await read_ledger(bench.connection, bench.keys)
    assert (ledger.waiting, ledger.leased, bench.events()) == (1, 0, [])


async def test_fault_of_ours_in_an_item_is_the_items_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that makes our own code fail is buried and told: no worker dies of it, nor the next one."""

    def faulty(raw: bytes, by: Grouping) -> Submission:
        raise OverflowError("a bug")

    monkeypatch.setattr("worker.runtime.admitter.parse_item", faulty)
    await bench.inbox.push(["http://a.example/"])
    assert await admitter_of(bench).admit_batch() == 1
    assert bench.events() == ["internal_error", "item_malformed"]
    assert await bench.inbox.taken() == 0
