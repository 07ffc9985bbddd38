"""A cluster whose primary dies, for good: its replica takes over, and nobody who asks has to end."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.conformance.topologies import Cluster, ask, wait_until
from worker.store.connection import Connection

if TYPE_CHECKING:
    from pathlib import Path

CALLERS = 40


@pytest.mark.slow
async def test_a_dead_primary_is_asked_no_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Calls by key and calls to every primary are answered again, and none ends in an error meanwhile."""
    folder: Path = tmp_path_factory.mktemp("f")
    cluster, replica = Cluster(folder), Cluster.another(folder / "r")
    over = asyncio.Event()
    try:
        cluster.start().follow(replica, cluster.nodes[0])
        for node in cluster.nodes:
            wait_until("four nodes", lambda: ask(node, "CLUSTER INFO")["cluster_known_nodes"] == "4")  # noqa: B023
        async with Connection(cluster.url, timeout_s=2, patience_s=None) as connection:

            async def call(number: int) -> None:
                while not over.is_set():
                    await connection.command("SET", f"k{number}", "x")
                    await asyncio.sleep(0.02)

            async def look() -> None:
                while not over.is_set():
                    await connection.of_primaries("INFO", "memory")
                    await asyncio.sleep(0.02)

            callers = [asyncio.create_task(call(number)) for number in range(CALLERS)]
            callers.append(asyncio.create_task(look()))
            await asyncio.sleep(0.5)
            cluster.nodes[0].stop(signal.SIGKILL)
            await asyncio.to_thread(
                wait_until, "a new primary", lambda: ask(replica, "INFO", "replication")["role"] == "master"
            )
            over.set()
            async with asyncio.timeout(20):
                await asyncio.gather(*callers)
            assert len(await connection.of_primaries("PING")) == len(cluster.nodes)
    finally:
        over.set()
        cluster.stop()
        replica.stop(signal.SIGKILL)
