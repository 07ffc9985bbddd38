"""Waiting for an item of the inbox: nothing moves, all are woken, and no outage is made of it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.servers import RedisServer
from worker.errors import StoreUnavailable
from worker.store.connection import Connection
from worker.store.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.store.acting import Act
    from worker.store.keys import Keys

_PATIENCE_S = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that a test may stop."""
    server = RedisServer(tmp_path / "r").start()
    yield server
    server.stop()


async def until_blocked(connection: Connection, count: int) -> None:
    """Wait until so many clients wait for an item."""
    deadline = time.monotonic() + _PATIENCE_S
    while sum(info["blocked_clients"] for info in await connection.of_primaries("INFO", "clients")) < count:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_waiting_for_an_item_leaves_it_where_it_stands(act: Act) -> None:
    """Whoever waits while items are there is told at once, and all of them stay, in their order."""
    assert await act.inbox.is_quiet(0.01)
    items = [b"a", b"b\x00\xff", b"c d"]
    await act.inbox.push(items)
    assert not await act.inbox.is_quiet(60)
    assert not await act.inbox.is_quiet(60)
    assert [item.raw for item in await act.inbox.take(10)] == items


async def test_item_wakes_all_who_wait_for_one(act: Act, redis_server: RedisServer, keys: Keys) -> None:
    """One of them may be about to die: the others find what it did not take."""
    async with Connection(redis_server.url, timeout_s=120) as patient:
        inboxes = [Inbox(patient, keys, worker=str(number)) for number in range(3)]
        waiting = [asyncio.create_task(inbox.is_quiet(60)) for inbox in inboxes]
        await until_blocked(act.connection, 3)
        await act.inbox.push(["a"])
        async with asyncio.timeout(_PATIENCE_S):
            assert await asyncio.gather(*waiting) == [False] * 3
    assert await act.inbox.length() == 1


async def test_waiting_ends_before_redis_counts_as_away(redis_server: RedisServer, keys: Keys) -> None:
    """A wait that Redis would answer later than its replies are waited for is cut short."""
    async with Connection(redis_server.url, timeout_s=0.2) as hasty:
        assert await Inbox(hasty, keys, worker="one").is_quiet(60)


async def test_waiting_in_vain_is_no_outage(server: RedisServer, keys: Keys) -> None:
    """Out of memory, or away: the caller is told once, and it is left to other calls to tell of it."""
    async with Connection(server.url, patience_s=None) as connection:
        inbox = Inbox(connection, keys, worker="one")
        await connection.command("CONFIG", "SET", "maxmemory", 1)
        with pytest.raises(StoreUnavailable, match="raise maxmemory"):
            await inbox.is_quiet(60)
        await connection.command("CONFIG", "SET", "maxmemory", 0)
        async with Connection(server.url, timeout_s=120, patience_s=None) as patient:
            waiting = asyncio.create_task(Inbox(patient, keys, worker="two").is_quiet(60))
            await until_blocked(connection, 1)
            server.stop()
            with pytest.raises(StoreUnavailable):
                await waiting
            assert (patient.trouble, connection.trouble) == ("", "")
