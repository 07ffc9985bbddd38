"""The runner: claims as many URLs as there are free places, and works on each until it is settled."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal

from worker.runtime.pause import pause
from worker.store.frontier import Claim
from worker.telemetry.log import get_logger
from worker.telemetry.pulse import unheard

if TYPE_CHECKING:
    from worker.model import Lease
    from worker.runtime.in_work import InWork
    from worker.runtime.prospects import Prospects
    from worker.runtime.work import Work
    from worker.store.frontier import Frontier
    from worker.store.headroom import Headroom
    from worker.telemetry.pulse import Beat
    from worker.telemetry.stats import Stats

#: Leases in one reply: more would make others wait for Redis.
_BATCH = 32
#: Between two claims, so that places freed one by one are filled by one claim: while few are taken, and while
#: half of them and a batch are, which is work enough until then.
_SHORTEST_PAUSE_S = 0.01
_SHORTEST_BUSY_PAUSE_S = 0.03
#: While there is no place, or no room.
_LONGEST_PAUSE_S = 0.25


class Runner:
    """`wake` is set when something may have become claimable; who holds `alone` keeps it from claiming."""

    def __init__(
        self,
        frontier: Frontier,
        work: Work,
        in_work: InWork,
        stats: Stats,
        *,
        concurrency: int,
        max_backlog: int,
        headroom: Headroom,
        wake: asyncio.Event,
        prospects: Prospects,
        alone: asyncio.Lock | None = None,
    ) -> None:
        self._frontier = frontier
        self._work = work
        self._in_work = in_work
        self._stats = stats
        self._concurrency = concurrency
        self._max_backlog = max_backlog
        self._headroom = headroom
        self._wake = wake
        self._prospects = prospects
        self._alone = alone or asyncio.Lock()
        self._paused_since: float | None = None

    async def run(self, stopping: asyncio.Event, beat: Beat = unheard) -> None:
        """Claim until `stopping`; returns once all that was claimed has ended, or was cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_forward(stopping, self._wake))
            while not stopping.is_set():
                beat()
                self._in_work.changed.clear()
                self._wake.clear()
                free = self._concurrency - len(self._in_work)
                if free <= 0 or self._alone.locked():
                    await pause(self._in_work.changed, _LONGEST_PAUSE_S)
                    continue
                async with self._alone:
                    claim = await self._claim(min(free, _BATCH))
                    await asyncio.sleep(0)  # lets an end that came with the reply in, before more is begun
                    for lease in claim.leases:
                        if stopping.is_set():  # the reply was on its way when the stop came
                            await self._frontier.release(lease)
                        else:
                            self._start(group, lease)
                if len(claim.leases) < _BATCH:
                    if len(self._in_work):
                        is_busy = len(self._in_work) > max(self._concurrency // 2, _BATCH)
                        await asyncio.sleep(_SHORTEST_BUSY_PAUSE_S if is_busy else _SHORTEST_PAUSE_S)
                    nobody_asked = claim.paused and not claim.dues_s
                    await pause(self._wake, _LONGEST_PAUSE_S if nobody_asked else self._prospects.next_s())

    async def _claim(self, limit: int) -> Claim:
        if await self._headroom.is_short():
            self._tell_pauses("memory")
            return Claim((), next_due_s=None, paused=True)
        partitions = self._prospects.promising()
        if not partitions:
            return Claim((), next_due_s=None)
        claim = await self._frontier.claim(limit, partitions)
        self._prospects.heard(claim.dues_s)
        self._tell_pauses("backlog" if claim.paused else None)
        return claim

    def _start(self, group: asyncio.TaskGroup, lease: Lease) -> None:
        worker = group.create_task(self._work.run(lease), name=f"task {lease.task_id}")
        self._in_work.add(lease, worker)

        def ended(_: object) -> None:
            self._prospects.expect(lease.partition)
            self._wake.set()

        worker.add_done_callback(ended)

    def _tell_pauses(self, why: Literal["backlog", "memory"] | None) -> None:
        self._stats.paused = why
        if why:
            self._stats.stand_still()
        if why and self._paused_since is None:
            self._stats.count("claiming_paused", reason=why)
            self._paused_since = time.monotonic()
            limit = {"limit": self._max_backlog} if why == "backlog" else {}
            get_logger().warning("claiming_paused", why=why, **limit)
        elif not why and self._paused_since is not None:
            paused_s = round(time.monotonic() - self._paused_since, 3)
            self._paused_since = None
            get_logger().info("claiming_resumed", paused_s=paused_s)


async def _forward(stopping: asyncio.Event, wake: asyncio.Event) -> None:
    await stopping.wait()
    wake.set()
