"""The keeper: extends the leases of what is in work, and stops work on those that are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.runtime.pause import pause
from worker.telemetry.log import get_logger
from worker.telemetry.pulse import unheard

if TYPE_CHECKING:
    import asyncio

    from worker.clock import Clock
    from worker.runtime.in_work import InWork
    from worker.store.frontier import Frontier
    from worker.telemetry.pulse import Beat


class Keeper:
    """Asks three times in a lease's length, so that one slow answer loses nothing."""

    def __init__(self, frontier: Frontier, in_work: InWork, *, lease_s: float, clock: Clock) -> None:
        self._frontier = frontier
        self._in_work = in_work
        self._lease_s = lease_s
        self._clock = clock

    async def run(self, ended: asyncio.Event, beat: Beat = unheard) -> None:
        """Keep leases until `ended`; they are kept through the drain as well."""
        while not ended.is_set():
            beat()
            await self.keep()
            await pause(ended, self._lease_s / 3)

    async def keep(self) -> None:
        """Extend every lease in work, once."""
        held = [each for each in self._in_work if not each.ended]
        if not held:
            return
        asked = self._clock.monotonic()
        lost = await self._frontier.extend([each.lease for each in held])
        for each in held:
            task = each.lease.task
            if each.lease.key not in lost:
                self._in_work.extended(each.lease, asked + self._lease_s)
            elif each.worker.cancel():
                get_logger(
                    task_id=each.lease.task_id, url=task.url, host=task.host, attempt=task.attempt
                ).warning("lease_lost", step="extend")
