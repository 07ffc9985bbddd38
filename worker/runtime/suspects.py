"""Suspects: URLs whose worker vanished while holding them run one at a time, alone in a process of their own.

A page that kills its process then takes no neighbour along, and no innocent URL is buried with it. The
process is started only while suspects wait, and ends when there are none.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from worker.runtime.pause import pause
from worker.telemetry.log import get_logger
from worker.telemetry.pulse import unheard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.runtime.in_work import InWork
    from worker.runtime.work import Work
    from worker.store.frontier import Frontier
    from worker.telemetry.pulse import Beat

#: How the names of these processes end in the log.
NAMED = "-suspects"
_LOOK_EVERY_S = 1.0
_AFTER_A_DEATH_S = 5.0
_HOST_BUSY_S = 0.2
#: After a look for nothing, which has cost others their time: their hosts may be held for long.
_LONGEST_LOOK_S = 60.0


class SuspectWatch:
    """In the worker: starts the suspects' process while suspects wait."""

    def __init__(self, frontier: Frontier, *, environ: Mapping[str, str]) -> None:
        self._frontier = frontier
        self._environ = {**os.environ, **environ}

    async def run(self, stopping: asyncio.Event, beat: Beat = unheard) -> None:
        """Look after suspects until `stopping`, and then let the process give back what it holds."""
        while not stopping.is_set():
            beat()
            pause_s = _LOOK_EVERY_S
            if await self._frontier.suspects() and await self._run_process(stopping, beat) != 0:
                pause_s = _AFTER_A_DEATH_S
            await pause(stopping, pause_s)

    async def _run_process(self, stopping: asyncio.Event, beat: Beat) -> int:
        # Its stdin is a pipe from us: when we die, however we die, it reads the end and stops.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker", "suspects"),
            stdin=asyncio.subprocess.PIPE,
            env=self._environ,
            start_new_session=True,
        )
        ended = asyncio.ensure_future(process.wait())
        try:
            stop = asyncio.ensure_future(stopping.wait())
            while not (ended.done() or stop.done()):
                beat()
                await asyncio.wait({ended, stop}, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
        finally:
            if process.stdin is not None:
                process.stdin.close()
        code = await ended
        if code != 0:
            get_logger().error("suspect_died", exit_code=code)
        return code


class SuspectRunner:
    """In the suspects' process: one at a time, until none is left."""

    def __init__(self, frontier: Frontier, work: Work, in_work: InWork) -> None:
        self._frontier = frontier
        self._work = work
        self._in_work = in_work

    async def run(self, stopping: asyncio.Event, *, waits: bool = True) -> int:
        """Work until `stopping`, or until no suspect waits; returns how many were worked on.

        Unless it `waits`, it ends as soon as no suspect's host may be asked.
        """
        count = 0
        last: tuple[int, int] | None = None
        while not stopping.is_set():
            lease = await self._frontier.claim_suspect()
            if lease is not None and lease.key == last:
                break  # a fault of ours left it unsettled: it runs out, and counts as one more crash
            if lease is None:
                if not waits or not await self._frontier.suspects():
                    break
                await pause(stopping, _HOST_BUSY_S)
                continue
            count += 1
            task, last = lease.task, lease.key
            log = get_logger(task_id=lease.task_id, url=task.url, host=task.host, attempt=task.attempt)
            log.info("suspect_started", crashes=task.crashes)
            worker = asyncio.create_task(self._work.run(lease))
            self._in_work.add(lease, worker)
            await asyncio.wait({worker})
            if not worker.cancelled():
                worker.result()
                log.info("suspect_cleared", crashes=task.crashes)
        return count


class SuspectInterlude:
    """In a program of one's own, whose hooks no other process has: nothing is claimed while suspects run.

    `alone` is what the runner claims under. A page that kills the program then takes no neighbour along.
    """

    def __init__(self, frontier: Frontier, work: Work, in_work: InWork, alone: asyncio.Lock) -> None:
        self._frontier = frontier
        self._in_work = in_work
        self._alone = alone
        self._runner = SuspectRunner(frontier, work, in_work)

    async def run(self, stopping: asyncio.Event, beat: Beat = unheard) -> None:
        """Look after suspects until `stopping`."""
        pause_s = _LOOK_EVERY_S
        while not stopping.is_set():
            beat()
            if not await self._frontier.suspects() or await self._play(stopping, beat):
                pause_s = _LOOK_EVERY_S
            else:
                pause_s = min(pause_s * 2, _LONGEST_LOOK_S)
            await pause(stopping, pause_s)

    async def _play(self, stopping: asyncio.Event, beat: Beat) -> int:
        async with self._alone:
            while len(self._in_work) and not stopping.is_set():
                beat()
                self._in_work.changed.clear()
                await pause(self._in_work.changed, _LOOK_EVERY_S)
            running = asyncio.ensure_future(self._runner.run(stopping, waits=False))
            try:
                while not running.done():
                    beat()
                    await asyncio.wait({running}, timeout=_LOOK_EVERY_S)
            finally:
                running.cancel()
            return running.result()
