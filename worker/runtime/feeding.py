"""A process that looks at feeds and does nothing else: `ingest feed run`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from worker.clock import SystemClock
from worker.errors import StoreUnusable, first_of
from worker.runtime.feeder import watch_feeds
from worker.runtime.host_rules import policy_of
from worker.runtime.parts import connection_of, worker_name
from worker.runtime.supervisor import configure
from worker.settings import host_rules
from worker.store.hosts import Hosts
from worker.store.keys import Keys
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from worker.runtime.supervisor import Stop
    from worker.settings import Settings

#: As for a worker: then everything is cut off.
_LAST_WORDS_S = 5.0


async def run_feeder(settings: Settings, stop: Stop, *, once: bool = False) -> None:
    """Look at feeds until told to stop; with `once`, until none is due.

    Raises StoreUnusable when Redis refuses it for good, Misconfigured for a faulty hosts' file.
    """
    rules = host_rules(settings)
    configure(settings, worker_name(), stop)
    keys = Keys(settings.namespace, settings.partitions)
    async with connection_of(settings, patience_s=None, logged=True) as connection:

        async def feed() -> None:
            await connection.check()
            await Hosts(connection, keys).configure(policy_of(settings), rules)
            clock, stopping = SystemClock(), stop.stopping
            await watch_feeds(settings, connection, keys, stopping=stopping, clock=clock, once=once)

        feeding = asyncio.create_task(feed())
        stopping = asyncio.create_task(stop.stopping.wait())
        try:
            await asyncio.wait({feeding, stopping}, return_when=asyncio.FIRST_COMPLETED)
            # With Redis away, it may be waiting for that: nothing more can be said to it, and leases run out.
            await asyncio.wait({feeding}, timeout=_LAST_WORDS_S)
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
        except* StoreUnusable as group:
            get_logger().error("redis_unusable", error=str(first_of(group)))
            raise
        finally:
            stopping.cancel()
