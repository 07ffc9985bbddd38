"""What errors of redis-py, and of what it stands on, mean."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from redis import exceptions

from worker.errors import StoreUnavailable
from worker.store.troubles import translated


async def _write_to_a_closed_connection() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.transport.abort()
        await asyncio.sleep(0)
        writer.writelines([b"PING"])


def test_connection_that_uvloop_has_closed_is_an_outage() -> None:
    """It says so with a RuntimeError, which redis-py lets through."""
    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        pytest.raises(RuntimeError) as caught,
    ):
        runner.run(_write_to_a_closed_connection())
    assert isinstance(translated(caught.value, "redis:6379"), StoreUnavailable)


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ClusterError("TTL exhausted."),
        exceptions.ResponseError("WAIT cannot be used with replica instances. Please also note that ..."),
    ],
)
def test_what_passes_with_a_failover_is_an_outage(error: Exception) -> None:
    """No worker ends because nodes disagree for a moment on who is whose primary."""
    assert isinstance(translated(error, "redis:6379"), StoreUnavailable)


def test_fault_of_our_own_is_no_outage() -> None:
    """Or it would be tried again for ever, and nobody would hear of it."""
    with pytest.raises(RuntimeError, match="ours"):
        translated(RuntimeError("ours"), "redis:6379")
