"""Which partitions a consumer reads: those that the workers have, or that hold an event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.events.conftest import handled
from tests.events.streams import pending, publish, url
from worker.events import subscription
from worker.store.hosts import HostPolicy, Hosts
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from worker.events import ArticleConsumer
    from worker.store.connection import Connection


async def test_all_partitions_are_read(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Without a word about partitions: those that have a stream are found, though one between has none."""
    streams = [f"{{ingest:{partition}}}:articles" for partition in (0, 1, 3)]
    for number, stream in enumerate(streams):
        await publish(connection, range(number * 40, number * 40 + 40), stream)
    events = await handled(consumer(batch=5), 120)
    assert {event.url for event in events} == {url(number) for number in range(120)}
    assert {event.partition for event in events} == {0, 1, 3}
    assert {event.stream for event in events[:30]} == set(streams)  # none waits for another to be empty
    for stream in streams:
        assert await pending(connection, stream=stream) == {}


async def test_partitions_that_come_later_are_found(
    connection: Connection, consumer: Callable[..., ArticleConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read from their beginning, also by a group that began at the others' end."""
    monkeypatch.setattr(subscription, "_LOOK_EVERY_S", 0.05)
    await publish(connection, [0])
    seen: list[str | None] = []
    async with asyncio.timeout(60), consumer(start="now") as reader:
        assert await reader.lag() == 0
        await publish(connection, [1])
        async for event in reader:
            seen.append(event.url)
            if event.url == url(1):
                await publish(connection, [2, 3], "{ingest:5}:articles")
            if len(seen) == 3:
                reader.stop()
    assert seen == [url(1), url(2), url(3)]


async def test_all_partitions_that_the_workers_have_are_joined_at_the_start(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Before any holds an event: what another group has acknowledged there is not trimmed until we have."""
    await Hosts(connection, Keys(partitions=101)).configure(HostPolicy())
    late = "{ingest:100}:articles"
    async with asyncio.timeout(60), consumer() as reader:
        assert await reader.lag() == 0
        await publish(connection, range(300), late)
        await connection.command("XGROUP", "CREATE", late, "other", "$")
        assert await connection.run("trim", ["{ingest:100}"], []) == 0
        assert await reader.lag() == 300
    assert len(await handled(consumer(), 300)) == 300


async def test_workers_that_start_later_are_heard_soon(
    connection: Connection, consumer: Callable[..., ArticleConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer that ran before the first worker asks again, and need not guess; a number never falls."""
    monkeypatch.setattr(subscription, "_ASK_EVERY_S", 0.01)
    async with asyncio.timeout(60), consumer(end_when_quiet_s=0.05) as reader:
        assert await reader.lag() == 0
        for partitions in (3, 2):
            await Hosts(connection, Keys(partitions=partitions)).configure(HostPolicy())
        while not await connection.command("EXISTS", "{ingest:2}:articles"):
            await asyncio.sleep(0.01)
            await reader.lag()
    assert await connection.command("GET", "{ingest:0}:partitions") == b"3"
