"""A process that writes an archive until the disk is full, or until it is killed."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.archive.test_records import CAPTURE
from worker.archive.writer import Archive
from worker.telemetry.log import configure_logging

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.capture import Capture


async def main(folder: Path, limit_bytes: int) -> None:
    """Write 60 captures and end; without a limit, write on after saying `ready` at a hundred."""
    if limit_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
        configure_logging("json")
    async with Archive(folder, file_bytes=10**9, facts={}) as archive:
        for number in range(60 if limit_bytes else 1_000_000):
            await archive.keep(_capture(number))
            if number == 100:
                await until(lambda: archive._pending_bytes == 0)
                print("ready", flush=True)
            await asyncio.sleep(0)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until the condition holds; some seconds, and no longer."""
    for _ in range(2_000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


def _capture(number: int) -> Capture:
    return replace(CAPTURE, record=f"0b5e7c1e-5a57-4b0e-8f0d-{number:012}", body=os.urandom(600))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
