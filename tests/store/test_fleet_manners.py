"""Two workers at once, and a host that throttles: its limits hold for both together."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.clock import SystemClock
from worker.model import Lease, Signal
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy

if TYPE_CHECKING:
    from tests.store.acting import Act

HOLD_S = 0.15
URLS = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and when its claim was sent and its end was known to Redis."""

    claimed_s: float
    began_s: float
    ended_s: float
    settled_s: float
    throttled: bool


async def work(frontier: Frontier, draw: random.Random, log: list[Asked]) -> None:
    """Claim and ask, several at once, until nothing is left."""

    async def ask(lease: Lease, claimed_s: float) -> None:
        began_s = time.monotonic()
        await asyncio.sleep(draw.uniform(0.001, 0.02))
        throttled = draw.random() < 0.15
        ended_s = time.monotonic()
        signal = Signal("throttled", hold_s=HOLD_S) if throttled else Signal("ok")
        await frontier.finish(lease, EVENT, signal=signal)
        log.append(Asked(claimed_s, began_s, ended_s, time.monotonic(), throttled))

    async with asyncio.TaskGroup() as group:
        while len(log) < URLS:
            claimed_s = time.monotonic()
            claim = await frontier.claim(8)
            for lease in claim.leases:
                group.create_task(ask(lease, claimed_s))
            await asyncio.sleep(min(claim.next_due_s or 0.005, 0.005))


@pytest.mark.parametrize(("slots", "spacing_s"), [(1, 0.02), (3, 0.01)])
async def test_two_workers_keep_slots_spacing_and_rests(act: Act, slots: int, spacing_s: float) -> None:
    """However two workers race, the host sees no more requests at once, nor closer, than of one."""
    policy = HostPolicy(spacing_s=spacing_s, slots=slots, delay_factor=0)
    await act.frontier.hosts.configure(policy)
    await act.admit(*(f"http://a.example/{n}" for n in range(URLS)))
    log: list[Asked] = []
    limits = FrontierLimits(lease_s=50)
    workers = [
        Frontier(act.connection, act.keys, worker=name, limits=limits, clock=SystemClock())
        for name in ("one", "two")
    ]
    await asyncio.gather(*(work(worker, random.Random(n), log) for n, worker in enumerate(workers)))
    assert len(log) == URLS
    assert any(each.throttled for each in log)
    for each in log:
        under_way = [other for other in log if other.began_s <= each.began_s < other.ended_s]
        assert len(under_way) <= slots
    begins = sorted(each.began_s for each in log)
    if slots == 1:
        ends = sorted(each.ended_s for each in log)
        assert all(begin - end >= spacing_s - 0.002 for begin, end in zip(begins[1:], ends[:-1], strict=True))
    # A worker may be late to begin what it has claimed, which brings two begins closer: not the average.
    assert begins[-1] - begins[0] >= (URLS - 1) * spacing_s * 0.95
    for each in log:
        if each.throttled:
            rest_ends_s = each.ended_s + HOLD_S
            assert not [other for other in log if each.settled_s < other.claimed_s < rest_ends_s - 0.01]
