"""Waiting that ends early when there is a reason to."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


async def pause(wake: asyncio.Event, seconds: float) -> None:
    """Return when `wake` is set, or after `seconds`."""
    # Not wait_for: on CPython 3.11 it swallows a cancellation that comes in the turn in which the wait ends.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()


async def unless(wake: asyncio.Event, waiting: Coroutine[Any, Any, T]) -> T | None:
    """What `waiting` returns or raises; None when `wake` is set first, and `waiting` is cancelled then."""
    asking, waking = asyncio.create_task(waiting), asyncio.create_task(wake.wait())
    try:
        await asyncio.wait({asking, waking}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asking.cancel()
        waking.cancel()
        await asyncio.gather(asking, waking, return_exceptions=True)
    return None if asking.cancelled() else asking.result()
