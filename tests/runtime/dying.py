"""A worker that is killed between a page and its event: `python -m tests.runtime.dying REDIS_URL`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from worker.clock import SystemClock
from worker.fetch.guard import AddressGuard
from worker.fetch.session import Fetcher
from worker.habits.sightings import Sightings
from worker.pipeline import Pipeline
from worker.retry import RetryPolicy
from worker.runtime.in_work import InWork
from worker.runtime.work import Work
from worker.store.connection import Connection
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.keys import Keys
from worker.telemetry.stats import Stats

if TYPE_CHECKING:
    from collections.abc import Callable


class _Kills:
    """Reads no page: dies of it."""

    async def call(self, function: Callable[..., Any], page: bytes, **arguments: Any) -> Any:
        assert page
        os.kill(os.getpid(), signal.SIGKILL)


async def _work(redis_url: str) -> None:
    clock, keys = SystemClock(), Keys()
    guard = AddressGuard(allow_networks=[ip_network("127.0.0.0/8")])
    async with Connection(redis_url, patience_s=5) as connection, Fetcher(guard=guard, user_agent="t") as web:
        frontier = Frontier(connection, keys, worker="victim", limits=FrontierLimits(), clock=clock)
        pipeline = Pipeline(web, None, _Kills(), RetryPolicy(3, 1, 10), max_redirects=5, clock=clock)
        work = Work(
            pipeline,
            frontier,
            InWork(clock),
            Stats(clock),
            Sightings(0),
            namespace="ingest",
            max_crashes=2,
            clock=clock,
        )
        (lease,) = (await frontier.claim(1)).leases
        await work.run(lease)


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
