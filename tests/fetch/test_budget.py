"""Bodies in work have one bound together, and never wait for each other in a ring."""

from __future__ import annotations

import asyncio

import pytest

from worker.fetch.budget import BodyBudget, take


async def read(budget: BodyBudget, pieces: int, done: asyncio.Event, *, size: int = 10) -> None:
    with budget.share():
        for _ in range(pieces):
            await take(size)
        await done.wait()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_all_but_the_largest_wait_beyond_the_limit() -> None:
    """The largest body goes on; the others do once it has been read."""
    budget, large_done, done = BodyBudget(100), asyncio.Event(), asyncio.Event()
    large = asyncio.create_task(read(budget, 8, large_done))
    await settle()
    small = [asyncio.create_task(read(budget, 3, done)) for _ in range(3)]
    await settle()
    assert sum(budget._held.values()) == 100
    large_done.set()
    await large
    await settle()
    assert sorted(budget._held.values()) == [30, 30, 30]
    done.set()
    await asyncio.gather(*small)
    assert not budget._held


async def test_one_body_may_be_larger_than_the_limit() -> None:
    """The limit of a single body is another setting."""
    done = asyncio.Event()
    done.set()
    async with asyncio.timeout(5):
        await read(BodyBudget(100), 50, done)


async def test_a_small_body_that_stands_still_holds_nobody_up() -> None:
    """A server that drips has the smallest body, and is never the one waited for."""
    budget, dripping, done = BodyBudget(100), asyncio.Event(), asyncio.Event()
    done.set()
    slow = asyncio.create_task(read(budget, 1, dripping, size=1))
    await settle()
    async with asyncio.timeout(5):
        await asyncio.gather(*(read(budget, 20, done) for _ in range(8)))
    dripping.set()
    await slow


async def test_nothing_is_counted_outside_of_a_share() -> None:
    """A command that reads one page has no others to share with."""
    async with asyncio.timeout(5):
        await take(10**12)


@pytest.mark.parametrize("readers", [2, 30])
async def test_cancelled_bodies_are_given_back(readers: int) -> None:
    """What is cancelled while it waits holds nothing any more."""
    budget, never = BodyBudget(50), asyncio.Event()
    tasks = [asyncio.create_task(read(budget, 9, never)) for _ in range(readers)]
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not budget._held


async def test_room_wakes_those_it_is_enough_for_and_no_others() -> None:
    """Fifty that wait for one that ends would cost the loop fifty turns a page."""
    budget, first_done, never = BodyBudget(100), asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(read(budget, 3, first_done))
    others = [asyncio.create_task(read(budget, 1, never, size=7)) for _ in range(60)]
    await settle()
    assert len(budget._waiting) == 50
    waiting = [woken for _, _, woken in budget._waiting]
    first_done.set()
    await first
    await settle()
    assert [woken for _, _, woken in budget._waiting] == waiting[4:]
    assert budget._held_bytes == sum(budget._held.values()) == 98
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert not budget._held_bytes


async def test_who_needs_less_goes_on_once_the_one_before_is_cancelled() -> None:
    """A place in the queue that nobody wants any more holds nobody up."""
    budget, never = BodyBudget(100), asyncio.Event()
    tasks = [asyncio.create_task(read(budget, 1, never, size=size)) for size in (90, 50, 10)]
    await settle()
    assert budget._held_bytes == 90
    tasks[1].cancel()
    await settle()
    assert budget._held_bytes == 100
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
