"""How a run of `Ingest` goes and ends: cancelled, stopped, with suspects, with slow hooks."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.library.conftest import OPEN, balance, entries
from tests.runtime.publisher import Publisher
from worker import Ingest, Published, Task
from worker.store.ledger import read_ledger
from worker.telemetry.log import reset_logging

if TYPE_CHECKING:
    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys


async def test_on_event_may_take_longer_than_a_lease(
    redis_server: RedisServer,
    connection: Connection,
    keys: Keys,
    publisher: Publisher,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is no lease any more to be lost, nor work to be cancelled for that."""
    ingest = Ingest(redis_url=redis_server.url, lease_s=1, **OPEN)
    told: list[str] = []

    @ingest.on_event
    async def slow(event: Published) -> None:
        with suppress(TimeoutError):
            # Others end meanwhile: with the first of them Redis forgets how our lease has ended.
            first = event.subject == publisher.url("etag")
            await asyncio.wait_for(asyncio.Event().wait(), 1.5 if first else 0)
        told.append(event.id)

    with caplog.at_level(logging.INFO, logger="ingest"):
        async with ingest:
            for path in ("etag", "none", "date"):
                await ingest.add(publisher.url(path))
            await ingest.run(until_empty=True)
    assert len(told) == 3
    assert await balance(connection, keys) == (3, 3, 0)
    assert [record.getMessage() for record in caplog.records if "lease_lost" in record.getMessage()] == []
    reset_logging()


async def test_a_cancelled_run_gives_back_what_it_holds(
    ingest: Ingest, publisher: Publisher, connection: Connection, keys: Keys
) -> None:
    """The URL in work waits again at once, uncounted, and another run ends it."""
    reached, release = asyncio.Event(), asyncio.Event()

    @ingest.before_fetch
    async def hold(task: Task) -> None:
        reached.set()
        await release.wait()

    async with ingest:
        await ingest.add(publisher.url("etag"))
        running = asyncio.create_task(ingest.run())
        await reached.wait()
        with pytest.raises(RuntimeError, match="runs already"):
            await ingest.run()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        ledger = await read_ledger(connection, keys)
        assert (ledger.waiting, ledger.leased, ledger.traffic["released"]) == (1, 0, 1)
        release.set()
        await ingest.run(until_empty=True)
    (article,) = await entries(connection, keys.articles())
    assert article["task"]["attempt"] == 0
    assert await balance(connection, keys) == (1, 1, 0)


async def test_stop_ends_a_run(
    ingest: Ingest, publisher: Publisher, connection: Connection, keys: Keys
) -> None:
    """A run without end returns once it is told to stop, with what was in work ended."""
    reached = asyncio.Event()

    @ingest.before_fetch
    async def note(task: Task) -> None:
        reached.set()

    async with ingest:
        ingest.stop()  # nothing runs
        await ingest.add(publisher.url("etag"))
        running = asyncio.create_task(ingest.run())
        await reached.wait()
        ingest.stop()
        await running
    assert await balance(connection, keys) == (1, 1, 0)


async def test_suspects_run_in_the_program_itself(
    ingest: Ingest, publisher: Publisher, connection: Connection, keys: Keys
) -> None:
    """No other process has the hooks: a suspect is asked for here, with nothing else in work meanwhile."""
    asked: list[str] = []
    in_work: list[int] = []
    suspected, another = asyncio.Event(), asyncio.Event()

    async def at_most(seconds: float, event: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)

    @ingest.before_fetch
    async def note(task: Task) -> None:
        asked.append(task.url)
        if task.url != publisher.url("etag"):
            another.set()
            await at_most(1.2, suspected)  # longer than it takes to look for suspects
            return
        in_work.append((await read_ledger(connection, keys)).leased)
        suspected.set()
        another.clear()
        await at_most(0.6, another)
        in_work.append((await read_ledger(connection, keys)).leased)

    line = f"127.0.0.1:{publisher.port} 1 0 1 1 1 0 {publisher.url('etag')}"
    async with Publisher() as neighbour, ingest:
        await ingest.add(neighbour.url("none"))
        running = asyncio.create_task(ingest.run())
        await another.wait()
        await connection.command("HINCRBY", keys.ledger(), "accepted", 1)
        await connection.command("HINCRBY", keys.ledger(), "waiting", 1)
        await connection.command("RPUSH", keys.part(0, "suspects"), line)
        for number in range(3):
            await ingest.add(neighbour.url(f"n{number}"))
        await suspected.wait()
        ingest.stop()
        await running
        await ingest.run(until_empty=True)
    assert set(in_work) == {1}
    assert await balance(connection, keys) == (5, 5, 0)
