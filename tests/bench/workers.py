"""A fleet of `ingest run` for a measurement, and waiting for what it does."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.fleet import ROOT, Fleet, clean_environ

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

_LOOK_EVERY_S = 0.02
_END_WITHIN_S = 40.0


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 600.0) -> None:
    """Wait until it holds. Raises TimeoutError when it does not in time."""
    deadline = time.monotonic() + within_s
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(_LOOK_EVERY_S)


@asynccontextmanager
async def workers_of(count: int, settings: Mapping[str, str]) -> AsyncIterator[Fleet]:
    """So many workers, up and then stopped. Raises RuntimeError for what they wrote to stderr."""
    with tempfile.TemporaryDirectory(prefix="ingest-bench-") as folder:
        fleet = Fleet(Path(folder), settings)
        workers = [fleet.start() for _ in range(count)]

        async def are_up() -> bool:
            return all(fleet.is_up(worker) for worker in workers)

        try:
            await until(are_up)
            yield fleet
            await asyncio.to_thread(fleet.stop)
        finally:
            fleet.end()
        if fleet.errors():
            raise RuntimeError(fleet.errors())


@asynccontextmanager
async def programs(count: int, environ: dict[str, str], log: Path) -> AsyncIterator[list[Process]]:
    """So many workers without CPU, until the block ends. Raises RuntimeError for what they say on stderr."""
    with log.open("wb") as said:
        workers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.bench.fetch_only"),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=said,
                cwd=ROOT,
                env=clean_environ() | environ,
            )
            for _ in range(count)
        ]
    try:
        yield workers
    finally:
        for worker in workers:
            if worker.returncode is None:
                worker.terminate()
        await asyncio.gather(*(_ended(worker) for worker in workers))
        if words := await asyncio.to_thread(log.read_text):
            raise RuntimeError(words)


async def _ended(worker: Process) -> None:
    try:
        async with asyncio.timeout(_END_WITHIN_S):
            await worker.wait()
    except TimeoutError:
        worker.kill()
        await worker.wait()
