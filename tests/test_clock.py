"""The real clock and the one for tests."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from worker.clock import Clock, FakeClock, SystemClock


def test_the_systems_clock_is_aware_and_moves_on() -> None:
    """Wall time is in UTC, and monotonic time never goes back."""
    clock: Clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert abs((datetime.now(UTC) - clock.now()).total_seconds()) < 5
    assert clock.monotonic() <= clock.monotonic()


async def test_the_systems_clock_sleeps() -> None:
    """Sleeping takes the time that it is told to."""
    clock = SystemClock()
    began = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - began >= 0.01


def test_a_fake_clock_moves_only_when_told() -> None:
    """Advancing moves both times; stepping, as NTP does, moves the wall clock alone."""
    clock = FakeClock()
    began = clock.now()
    assert clock.monotonic() == 0
    clock.advance(2.5)
    clock.step(-3600)
    assert clock.monotonic() == 2.5
    assert clock.now() - began == timedelta(seconds=2.5 - 3600)


async def test_sleeping_on_a_fake_clock_lets_others_run() -> None:
    """A sleep takes no time of ours, moves the clock and gives way to other tasks."""
    clock: Clock = FakeClock()
    ran = asyncio.Event()
    other = asyncio.create_task(asyncio.sleep(0))
    other.add_done_callback(lambda _: ran.set())
    await clock.sleep(60)
    await asyncio.wait_for(ran.wait(), 5)
    assert clock.monotonic() == 60
