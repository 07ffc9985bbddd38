"""Waiting that ends early when there is a reason to."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def pause(wake: asyncio.Event, seconds: float) -> None:
    """Return when `wake` is set, or after `seconds`."""
    # Not wait_for: on CPython 3.11 it swallows a cancellation that comes in the turn in which the wait ends.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()
