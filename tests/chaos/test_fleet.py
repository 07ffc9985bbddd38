"""The fleet that chaos runs on: what it must not overlook."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from tests.chaos.fleet import Fleet
from tests.conformance.topologies import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import RedisServer


async def test_worker_that_ends_untold_is_noted(tmp_path: Path, redis_server: RedisServer) -> None:
    """Even with code 0: nobody had asked it to."""
    fleet = Fleet(tmp_path, {"INGEST_REDIS_URL": redis_server.url, "INGEST_EXTRACT_PROCESSES": "1"})
    try:
        worker, other = fleet.start(), fleet.start()
        await asyncio.to_thread(wait_until, "up", lambda: fleet.is_up(worker) and fleet.is_up(other))
        worker.send_signal(signal.SIGTERM)  # behind the fleet's back
        assert await asyncio.to_thread(worker.wait, 30) == 0
        assert await asyncio.to_thread(fleet.stop) == [0, 0]
        assert fleet.untold == ["worker-0 ended by itself with code 0"]
    finally:
        fleet.end()
