"""Waiting that ends early when there is a reason to."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def pause(wake: asyncio.Event, seconds: float) -> None:
    """Return when `wake` is set, or after `seconds`."""
    with suppress(TimeoutError):
        await asyncio.wait_for(wake.wait(), seconds)
