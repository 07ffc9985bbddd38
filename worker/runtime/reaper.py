"""The reaper: takes back what vanished workers held, and drops articles that every consumer has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.model import task_id
from worker.runtime.pause import pause
from worker.telemetry.log import get_logger
from worker.telemetry.pulse import unheard

if TYPE_CHECKING:
    import asyncio

    from worker.store.connection import Connection
    from worker.store.frontier import Frontier
    from worker.telemetry.pulse import Beat

_BATCH = 100
#: Looks for expired leases without a jump of Redis' time between them, before any lease is taken back.
_CALM_LOOKS = 2


class Reaper:
    """Every worker runs one; the scripts make sure that each lease is taken back once."""

    def __init__(self, connection: Connection, frontier: Frontier, *, lease_s: float) -> None:
        self._connection = connection
        self._frontier = frontier
        self._lease_s = lease_s
        self._calm_looks = 0

    async def run(self, stopping: asyncio.Event, beat: Beat = unheard) -> None:
        """Reap and trim until `stopping`."""
        while not stopping.is_set():
            beat()
            while await self.reap() == _BATCH:
                beat()
            await self._frontier.trim()
            await pause(stopping, self._lease_s / 4)

    async def reap(self) -> int:
        """Take back one batch of expired leases, if the living had their chance; returns how many."""
        # While Redis was away or hung no worker could extend a lease, though time went on there. Right after,
        # those leases look expired and are not: their workers get some looks' time to say so.
        calm = self._calm_looks >= _CALM_LOOKS and self._connection.steady_s > self._lease_s
        reaped = await self._frontier.reap_carefully(_BATCH if calm else 0)
        if reaped is None:
            self._calm_looks = 0
            return 0
        self._calm_looks += 1
        for each in reaped:
            task = each.task
            get_logger(
                task_id=task_id(task.seq, each.partition), url=task.url, host=task.host, attempt=task.attempt
            ).warning("lease_reaped", owner=each.worker, crashes=task.crashes)
        return len(reaped)
