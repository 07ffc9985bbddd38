"""The reporter: one `worker_stats` line every interval, so that the log alone shows how a worker is doing."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from worker.runtime.pause import pause
from worker.store.ledger import overdue_s, read_depths, read_ledger
from worker.telemetry.log import get_logger
from worker.telemetry.pulse import unheard

if TYPE_CHECKING:
    from worker.runtime.parts import Parts
    from worker.telemetry.pulse import Beat


class Reporter:
    """Reads the counters, and the depths from Redis."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def run(self, stopping: asyncio.Event, beat: Beat = unheard) -> None:
        """Report until `stopping`, and once more then."""
        while not stopping.is_set():
            beat()
            await pause(stopping, self._parts.settings.stats_interval_s)
            await self.report()

    async def report(self) -> None:
        """Write one line."""
        parts = self._parts
        snapshot = parts.stats.snapshot()
        ledger = await read_ledger(parts.connection, parts.keys)
        depths = await read_depths(parts.connection, parts.keys, taken=0)
        get_logger().info(
            "worker_stats",
            interval_s=snapshot.interval_s,
            counts=snapshot.counts,
            rates=snapshot.rates,
            latency_ms=snapshot.latency_ms,
            in_work=len(parts.in_work),
            tasks=len(asyncio.all_tasks()),
            queue=depths.inbox,
            waiting=ledger.waiting,
            leased=ledger.leased,
            ready_hosts=depths.ready_hosts,
            later=depths.later,
            overdue_s=round(await overdue_s(parts.connection, parts.keys), 1),
            backlog=depths.articles_stream,
            memory_bytes=_memory_bytes(),
        )


def _memory_bytes() -> int | None:
    """Resident memory of this process, where /proc tells it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
