"""The admitter and a program's hooks: they are told of malformed items, and hold nothing up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from worker.clock import SystemClock
from worker.hooks import Hooks
from worker.runtime.admitter import Admitter
from worker.store.headroom import Headroom

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.runtime.conftest import Bench
    from worker.hooks import Published

_PATIENCE_S = 20


class Reader:
    """A hook that waits to be let go, and notes how it ends."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)
        self.release = asyncio.Event()
        self.told: list[str] = []
        self.cut_off = 0

    async def __call__(self, event: Published) -> None:
        self.asked.release()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cut_off += 1
            raise
        self.told.append(event.type)


def admitter_of(bench: Bench, reader: Reader) -> Admitter:
    """An admitter whose hook is `reader`."""
    clock = SystemClock()
    return Admitter(
        bench.connection,
        bench.keys,
        bench.inbox,
        frontier_limit=1000,
        headroom=Headroom(bench.connection, share=1, clock=clock),
        beat_ttl_s=60,
        admitted=asyncio.Event(),
        stats=bench.stats,
        clock=clock,
        hooks=Hooks(on_event=[reader]),
    )


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds; the test fails when it does not in time."""
    deadline = time.monotonic() + _PATIENCE_S
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def accepted(bench: Bench) -> None:
    """Wait until a URL is in the frontier."""

    async def is_there() -> bool:
        return "url_accepted" in bench.events()

    await until(is_there)


async def test_slow_hook_does_not_stop_admission(bench: Bench) -> None:
    """While it is being told of two malformed items, a URL is admitted; the stop waits for it."""
    reader, stopping = Reader(), asyncio.Event()
    running = asyncio.create_task(admitter_of(bench, reader).run(stopping))
    await bench.inbox.push(["ftp://a.example/1", "ftp://a.example/2"])
    async with asyncio.timeout(_PATIENCE_S):
        await reader.asked.acquire()
        await reader.asked.acquire()
    await bench.inbox.push(["http://a.example/"])
    await accepted(bench)
    stopping.set()

    async def signed_off() -> bool:
        return not await bench.inbox.workers()

    await until(signed_off)
    assert (reader.told, running.done()) == ([], False)
    reader.release.set()
    await running
    assert reader.told == ["url.dead.v1"] * 2


async def test_hooks_that_are_told_are_bounded(bench: Bench) -> None:
    """With a hundred under way nothing more is taken from the queue, until they have ended."""
    reader, stopping = Reader(), asyncio.Event()
    await bench.inbox.push([f"ftp://a.example/{number}" for number in range(100)])
    running = asyncio.create_task(admitter_of(bench, reader).run(stopping))
    async with asyncio.timeout(_PATIENCE_S):
        for _ in range(100):
            await reader.asked.acquire()
    await bench.inbox.push(["http://a.example/"])

    async def stands_still() -> bool:
        return bench.stats.stood_still_at > 0

    await until(stands_still)
    assert await bench.inbox.length() == 1
    reader.release.set()
    await accepted(bench)
    stopping.set()
    await running


async def test_hook_is_cut_off_with_the_admitter(bench: Bench) -> None:
    """A worker whose time is over leaves no hook behind."""
    reader = Reader()
    await bench.inbox.push(["ftp://a.example/"])
    running = asyncio.create_task(admitter_of(bench, reader).run(asyncio.Event()))
    async with asyncio.timeout(_PATIENCE_S):
        await reader.asked.acquire()
    running.cancel()
    await asyncio.wait({running})
    assert (reader.told, reader.cut_off) == ([], 1)
