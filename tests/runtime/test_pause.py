"""Pauses of loops."""

from __future__ import annotations

import asyncio

from worker.runtime.pause import pause


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
