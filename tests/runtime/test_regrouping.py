"""A fleet that begins to count hosts otherwise, while URLs wait under the keys of before."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

import pytest

from tests.runtime.conftest import Answers, InProcess
from worker.clock import SystemClock
from worker.grouping import Grouping
from worker.habits.sightings import Sightings
from worker.pipeline import Pipeline
from worker.retry import RetryPolicy
from worker.runtime.work import Work
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.ledger import read_ledger
from worker.urls import host_key, parse_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.runtime.conftest import Bench
    from worker.model import NotModified, Page, Redirect, Validators

SPACING_S = 0.02
HOSTS = ("www.example.org", "news.example.org", "example.org", "www.example.com")


@dataclass
class Logged(Answers):
    """Writes down when each request began and ended."""

    log: list[tuple[str, float, float]] = field(default_factory=list)

    async def request(
        self, url: str, *, validators: Validators | None = None, cookies: Sequence[tuple[str, str]] = ()
    ) -> Page | Redirect | NotModified:
        began_s = time.monotonic()
        await asyncio.sleep(0.001)
        self.log.append((url, began_s, time.monotonic()))
        return await super().request(url, validators=validators, cookies=cookies)


def crew(bench: Bench, web: Answers, grouping: Grouping) -> tuple[Frontier, Work]:
    """A worker's frontier and work, by a grouping."""
    clock = SystemClock()
    limits = FrontierLimits(lease_s=30, grouping=grouping)
    frontier = Frontier(bench.connection, bench.keys, worker=f"by-{grouping}", limits=limits, clock=clock)
    pipeline = Pipeline(
        web, None, InProcess(), RetryPolicy(3, 1, 10), max_redirects=5, clock=clock, grouping=grouping
    )
    work = Work(
        pipeline,
        frontier,
        bench.in_work,
        bench.stats,
        Sightings(10, grouping),
        namespace="ingest",
        max_crashes=2,
        clock=clock,
    )
    return frontier, work


async def admit(bench: Bench, grouping: Grouping, numbers: range) -> None:
    """One URL of each host for each number."""
    items = [parse_item(f"http://{host}/{number}".encode(), grouping) for number in numbers for host in HOSTS]
    await bench.inbox.admit(list(enumerate(items, start=numbers.start * len(HOSTS) + 1)))


async def work_until_done(bench: Bench, frontier: Frontier, work: Work) -> None:
    """Claim and work, several at once, until nothing waits."""
    async with asyncio.TaskGroup() as group:
        while (ledger := await read_ledger(bench.connection, bench.keys)).waiting + ledger.leased:
            claim = await frontier.claim(8)
            for lease in claim.leases:
                group.create_task(work.run(lease))
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("now", get_args(Grouping))
async def test_a_change_of_grouping_loses_nothing_and_asks_no_host_too_closely(
    bench: Bench, now: Grouping
) -> None:
    """What waits under old keys first moves to its new one: each URL ends once, in the turn of its host."""
    before: Grouping = "host" if now == "domain" else "domain"
    await bench.frontier.hosts.configure(HostPolicy(spacing_s=SPACING_S, delay_factor=0))
    await admit(bench, before, range(5))
    await admit(bench, now, range(5, 10))
    web = Logged()
    await work_until_done(bench, *crew(bench, web, now))
    assert Counter(url for url, _, _ in web.log) == dict.fromkeys(
        (f"http://{host}/{number}" for number in range(10) for host in HOSTS), 1
    )
    assert (await read_ledger(bench.connection, bench.keys)).balanced
    assert await bench.lengths() == (40, 0)
    by_key: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for url, began_s, ended_s in sorted(web.log, key=lambda each: each[1]):
        by_key[host_key(url, now)].append((began_s, ended_s))
    for times in by_key.values():
        assert min(two[0] - one[1] for one, two in pairwise(times)) >= SPACING_S - 0.002


async def test_two_groupings_at_once_still_end_every_url(bench: Bench) -> None:
    """While workers of both groupings run, as in a rolling restart, URLs move and come to their end."""
    await bench.frontier.hosts.configure(HostPolicy(spacing_s=0.001, delay_factor=0))
    await admit(bench, "host", range(5))
    web = Logged()
    await asyncio.gather(
        *(work_until_done(bench, *crew(bench, web, grouping)) for grouping in get_args(Grouping))
    )
    assert (len(web.log), len({url for url, _, _ in web.log})) == (20, 20)
    assert await bench.lengths() == (20, 0)


async def test_a_moved_url_brings_its_crawl_delay_along(bench: Bench) -> None:
    """The Crawl-delay known of the old key holds for the new one, where nothing else is known."""
    await admit(bench, "host", range(1))
    await bench.frontier.hosts.slow_down("www.example.com", 7)
    await bench.frontier.hosts.slow_down("www.example.org", 9)
    await bench.frontier.hosts.slow_down("example.org", 8)
    frontier, work = crew(bench, Logged(), "domain")
    for lease in (await frontier.claim(8)).leases:
        await work.run(lease)
    kept = await bench.connection.command("HGETALL", bench.keys.part(0, "crawl_delay"))
    assert kept[b"example.com"] == b"7000"
    assert kept[b"example.org"] == b"8000"
