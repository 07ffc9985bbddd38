"""Pauses of loops."""

from __future__ import annotations

import asyncio

import pytest

from worker.runtime.pause import pause, unless


async def test_pause_heeds_a_cancellation_in_the_turn_it_ends() -> None:
    """A loop that is cancelled just as its wait ends is cancelled, and does not live on."""
    wake = asyncio.Event()
    waiting = asyncio.create_task(pause(wake, 60))
    await asyncio.sleep(0)
    wake.set()
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled() or waiting.done()

    async def loop() -> None:
        while True:
            wake.clear()
            await pause(wake, 60)

    for turns in range(4):
        looping = asyncio.create_task(loop())
        await asyncio.sleep(0)
        wake.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        looping.cancel()
        await asyncio.wait({looping}, timeout=5)
        assert looping.cancelled(), turns


async def test_waiting_ends_with_what_was_waited_for() -> None:
    """What comes before the wake is returned, or raised."""

    async def right() -> int:
        return 1

    async def wrong() -> int:
        raise ValueError("wrong")

    assert await unless(asyncio.Event(), right()) == 1
    with pytest.raises(ValueError, match="wrong"):
        await unless(asyncio.Event(), wrong())


async def test_waiting_is_given_up_when_woken_or_cancelled() -> None:
    """Whichever of the two ends it, what was waited for is cancelled, and has ended by then."""
    wake, begun, ended = asyncio.Event(), asyncio.Semaphore(0), list[str]()

    async def endless(name: str) -> str:
        begun.release()
        try:
            await asyncio.Event().wait()
            return name
        finally:
            ended.append(name)

    woken = asyncio.create_task(unless(wake, endless("woken")))
    await begun.acquire()
    wake.set()
    assert await woken is None
    assert ended == ["woken"]
    cancelled = asyncio.create_task(unless(asyncio.Event(), endless("cancelled")))
    await begun.acquire()
    cancelled.cancel()
    await asyncio.wait({cancelled})
    assert cancelled.cancelled()
    assert ended == ["woken", "cancelled"]
