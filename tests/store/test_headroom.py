"""How full Redis is, told before it refuses writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.headroom import Headroom

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from worker.clock import FakeClock

_LIMIT_BYTES = 64_000_000


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Connection]:
    """A connection to a server with a maxmemory."""
    options = ("--maxmemory", str(_LIMIT_BYTES), "--maxmemory-policy", "noeviction")
    server = RedisServer(tmp_path / "limited", options=options).start()
    async with Connection(server.url, patience_s=2) as connection:
        yield connection
    server.stop()


async def test_short_at_the_share_and_until_some_of_it_is_left(limited: Connection, clock: FakeClock) -> None:
    """At the share of maxmemory it is short, and stays so until a twentieth of the share is free again."""

    async def after_holding(share: float) -> bool:
        """With a value that fills so much of maxmemory, at the next look."""
        await limited.command("DEL", "filling")
        info = await limited.command("INFO", "memory")
        size = int(share * _LIMIT_BYTES) - int(info["used_memory"])
        await limited.command("SETRANGE", "filling", size - 1, b"x")
        clock.advance(1)
        return await headroom.is_short()

    headroom = Headroom(limited, share=0.5, clock=clock)
    found = [await after_holding(share) for share in (0.2, 0.4, 0.6, 0.4, 0.6, 0.2)]
    assert found == [False, False, True, False, True, False]
    # A twentieth below the share, with room for what Redis holds of its own.
    assert await after_holding(0.53)
    assert await after_holding(0.487)


async def test_asks_redis_now_and_then_only(limited: Connection, clock: FakeClock) -> None:
    """Every claim and every admission wants to know: between two looks the last answer holds."""
    headroom = Headroom(limited, share=0.001, clock=clock)
    assert await headroom.is_short()
    await limited.command("CONFIG", "SET", "maxmemory", 0)
    assert await headroom.is_short()
    clock.advance(0.5)
    assert not await headroom.is_short()


async def test_without_a_limit_there_is_always_room(limited: Connection, clock: FakeClock) -> None:
    """No maxmemory, or a share of 1: never short."""
    await limited.command("CONFIG", "SET", "maxmemory", 1)
    assert not await Headroom(limited, share=1, clock=clock).is_short()
    await limited.command("CONFIG", "SET", "maxmemory", 0)
    assert not await Headroom(limited, share=0.001, clock=clock).is_short()
