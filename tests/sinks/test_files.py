"""What sinks that write files share."""

from __future__ import annotations

import asyncio
import threading

import pytest

from worker.sinks.files import in_thread


async def test_who_is_cancelled_waits_for_the_thread() -> None:
    """So that no file is closed while it is written to."""
    began, may_end = threading.Event(), threading.Event()

    def write() -> None:
        began.set()
        may_end.wait(30)

    task = asyncio.create_task(in_thread(write))
    await asyncio.to_thread(began.wait, 30)
    task.cancel()
    await asyncio.wait({task}, timeout=0.05)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
