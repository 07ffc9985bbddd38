"""What a consumer reads: from where, of which partitions, in which lists, and how far it is behind."""

from __future__ import annotations

import asyncio
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.events.conftest import handled
from tests.events.samples import NOW, TASK
from tests.events.streams import ARTICLES, deliver, fields, forsake, pending, publish, url, write
from tests.servers import RedisServer
from worker.events import ArticleConsumer
from worker.events import consumer as consumer_module
from worker.events.envelope import dead_event
from worker.store.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def test_a_new_group_begins_where_it_is_told_to(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Behind an id, at an instant, or at the end; a group that is there goes on where it was."""
    stamps = [1_767_225_600_000 + 1000 * number for number in range(4)]
    for number, stamp in enumerate(stamps):
        await write(connection, fields(number), entry=f"{stamp}-0")
    at = datetime.fromtimestamp(stamps[2] / 1000, UTC)
    for start, first in (("0", 0), (f"{stamps[0]}-0", 1), (str(stamps[1]), 2), (at, 2)):
        events = await handled(consumer(group=f"g{first}{start!s:.5}".replace(":", ""), start=start), 1)
        assert events[0].url == url(first), start
    assert (await handled(consumer(group="g", start=at), 1))[0].url == url(2)
    assert (await handled(consumer(group="g", start="0"), 1))[0].url == url(3)


async def test_dead_letters_are_events_too(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """With `dead` among the streams they come, typed as what they are."""
    letter = dead_event(TASK, "http_404", "gone", partition=0, namespace="ingest", now=NOW)
    await write(connection, letter, "{ingest:0}:dead")
    await publish(connection, [1])
    events = await handled(consumer(streams=("articles", "dead")), 2)
    (dead,) = [event for event in events if event.dead is not None]
    assert dead.dead is not None
    assert (dead.dead.reason, dead.type, dead.article) == ("http_404", "url.dead.v1", None)


async def test_lists_are_acknowledged_as_one(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """It is full, or its time is up; none of it is acknowledged before the next one is asked for."""
    await publish(connection, range(25))
    sizes = []
    async with asyncio.timeout(60), consumer(batch=3) as reader:
        async for events in reader.batches(10, 0.05):
            sizes.append(len(events))
            assert {event.entry for event in events} <= (await pending(connection)).keys()
            assert len(await pending(connection)) <= 13
            if sum(sizes) == 25:
                reader.stop()
    assert sizes == [10, 10, 5]
    assert await pending(connection) == {}


async def test_part_of_a_list_is_left_rejected_or_acknowledged(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """What is left comes again, what was rejected is kept apart, what was acknowledged is so at once."""
    left, rejected, _, last = await publish(connection, range(4))
    async with asyncio.timeout(60), consumer() as reader:
        async for events in reader.batches(10, 0.05):
            reader.leave(events[0])
            await reader.reject(events[1], "not for us")
            await reader.acknowledge(events[2])
            assert (await pending(connection)).keys() == {left, last}
            reader.stop()
    assert list(await pending(connection)) == [left]
    kept = await connection.command("HKEYS", "{ingest:0}:rejected:g")
    assert kept == [f"articles/{rejected}".encode()]


async def test_a_call_that_is_given_up_loses_nothing(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """What was gathered when a wait for a list was cut short comes with the next."""
    await publish(connection, range(3))
    async with asyncio.timeout(60), consumer() as reader:
        lists = reader.batches(10, 30)
        waiting = asyncio.ensure_future(anext(lists))
        while len(reader._deliveries._held) < 3:  # noqa: ASYNC110 - they are with us, not only on their way
            await asyncio.sleep(0.005)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await publish(connection, [3])
        events = await anext(reader.batches(4, 30))
        assert [event.url for event in events] == [url(number) for number in range(4)]


async def test_lag_is_what_is_not_acknowledged(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Undelivered and pending, over all partitions, whichever end of the stream is nearer; 0 at the end."""
    await publish(connection, range(250))
    await publish(connection, range(250, 260), "{ingest:1}:articles")
    async with consumer(group="fresh", partitions=2) as reader:
        assert await reader.lag() == 260
    for delivered in (30, 100, 230, 250):
        group = f"g{delivered}"
        await connection.command("XGROUP", "CREATE", ARTICLES, group, 0)
        await deliver(connection, delivered, group)
        entries = list(await pending(connection, group))
        await connection.command("XACK", ARTICLES, group, *entries[:10])
        async with consumer(group=group, partitions=2) as reader:
            assert await reader.lag() == 250
    await handled(consumer(group="fresh"), 260)
    async with consumer(group="fresh") as reader:
        assert await reader.lag() == 0


async def test_lag_may_be_asked_beside_the_first_step_of_a_loop(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Both would join the group: each stream is read once all the same."""
    await publish(connection, range(3))
    await publish(connection, range(3, 6), "{ingest:1}:articles")
    async with asyncio.timeout(60), consumer() as reader:
        event, *_ = await asyncio.gather(anext(reader), reader.lag(), reader.lag())
        assert event.url == url(0)
        assert sorted(reader._subscription.names) == [ARTICLES, "{ingest:1}:articles"]


async def test_a_new_group_made_half_way_is_made_whole(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Cancelled while it makes groups anew, a consumer still reads all partitions the next time."""
    streams = [f"{{ingest:{partition}}}:articles" for partition in range(3)]
    for number, stream in enumerate(streams):
        await publish(connection, [number], stream)
    async with asyncio.timeout(60), consumer(partitions=3) as reader:
        await reader.lag()  # joins
        for stream in streams:
            await connection.command("XGROUP", "DESTROY", stream, "g")
        rejoining = asyncio.ensure_future(reader._subscription.rejoin())
        while not await connection.command("XINFO", "GROUPS", streams[0]):  # noqa: ASYNC110
            await asyncio.sleep(0)
        rejoining.cancel()
        await asyncio.wait({rejoining})
        events = await anext(reader.batches(3, 30))
        assert {event.stream for event in events} == set(streams)


async def test_quiet_ends_the_loop_where_asked(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """For scripts: what there is, and then the end."""
    await publish(connection, range(3))
    async with asyncio.timeout(60), consumer(end_when_quiet_s=0.05) as reader:
        assert [event.url async for event in reader] == [url(0), url(1), url(2)]
    assert await pending(connection) == {}


async def test_an_outage_ends_no_loop(tmp_path: Path) -> None:
    """Redis is killed in the middle of a loop and comes back: the loop goes on where it was."""
    server = RedisServer(tmp_path / "r").start()
    restarts: list[asyncio.Future[RedisServer]] = []
    seen = []
    try:
        async with (
            asyncio.timeout(60),
            Connection(server.url) as connection,
            ArticleConsumer(server.url, group="g", timeout_s=1) as reader,
        ):
            await publish(connection, range(3))
            async for event in reader:
                seen.append((event.url, event.deliveries))
                if len(seen) == 1:
                    server.stop(signal.SIGKILL)
                    restarts.append(asyncio.get_running_loop().run_in_executor(None, restarted, server))
                if len(seen) == 3:
                    reader.stop()
            assert seen == [(url(0), 1), (url(1), 1), (url(2), 1)]
            await asyncio.gather(*restarts)
            assert await pending(connection) == {}
    finally:
        server.stop(signal.SIGKILL)


def restarted(server: RedisServer) -> RedisServer:
    """The server, up again after some calls of the consumer have failed."""
    time.sleep(0.5)
    return server.start()


async def test_after_an_outage_the_living_come_first(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """All looks idle then: nothing is taken over for a while, and what nobody had is read meanwhile."""
    await publish(connection, range(2))
    await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
    await deliver(connection, 1, consumer="alive")
    await forsake(connection)
    async with asyncio.timeout(60), consumer(end_when_quiet_s=0.1) as reader:
        reader.restored(20.0)
        assert [event.url async for event in reader] == [url(1)]
    (event,) = await handled(consumer(), 1)
    assert event.url == url(0)


async def test_a_search_that_must_wait_lets_the_others_sleep(
    connection: Connection, consumer: Callable[..., ArticleConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage in the middle of a search for idle events: it goes on later, and nobody asks in a circle."""
    await publish(connection, range(250))
    await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
    await deliver(connection, 250, consumer="alive")
    async with asyncio.timeout(60), consumer() as reader:
        waiting = asyncio.ensure_future(anext(reader))
        while not reader._deliveries._places:  # noqa: ASYNC110 - the first page was looked at
            await asyncio.sleep(0)
        reader.restored(20.0)
        read, reads = reader._deliveries._read, []

        async def counted(count: int, wait_s: float) -> None:
            reads.append(wait_s)
            await read(count, wait_s)

        monkeypatch.setattr(reader._deliveries, "_read", counted)
        await asyncio.sleep(0.3)
        assert 0 not in reads
        assert len(reads) <= 5
        await publish(connection, [250])
        assert (await waiting).url == url(250)


async def test_stop_while_redis_is_away_ends_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for some seconds, not for Redis."""
    monkeypatch.setattr(consumer_module, "_GRACE_S", 0.1)
    async with asyncio.timeout(60), ArticleConsumer("redis://127.0.0.1:1/0", group="g") as reader:
        asyncio.get_running_loop().call_later(0.05, reader.stop)
        assert [event async for event in reader] == []
