"""The library for consumers, over a real Redis: what is handed out, acknowledged, and handed out again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.events.conftest import handled
from tests.events.streams import (
    ARTICLES,
    deliver,
    fields,
    forsake,
    pending,
    publish,
    renewed,
    url,
    write,
)
from worker.errors import Misconfigured
from worker.events import ArticleConsumer

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.store.connection import Connection


async def failing(consumer: ArticleConsumer) -> None:
    """A loop whose body fails at its first event."""
    async for _ in consumer:
        raise ZeroDivisionError


async def test_coming_back_acknowledges(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Events come in the order of the stream; the one in hand is pending, those before are acknowledged."""
    entries = await publish(connection, range(3))
    seen: list[str] = []
    async with consumer(batch=1) as reader:
        async for event in reader:
            assert list(await pending(connection)) == [event.entry]
            seen.append(event.entry)
            if len(seen) == 3:
                reader.stop()
    assert seen == entries
    assert await pending(connection) == {}


async def test_an_event_is_typed(connection: Connection, consumer: Callable[..., ArticleConsumer]) -> None:
    """The article is a value with types; id, type, time, URL and place come from the envelope."""
    (entry,) = await publish(connection, [7])
    (event,) = await handled(consumer(), 1)
    assert event.article is not None
    assert event.article.title == "The night ferry"
    assert event.article.fetch.status == 200
    assert event.dead is None
    assert (event.url, event.type, event.partition) == (url(7), "article.published.v1", 0)
    assert (event.entry, event.stream, event.deliveries) == (entry, ARTICLES, 1)
    assert event.time.isoformat() == "2026-01-02T03:04:05.678000+00:00"
    assert orjson.loads(event.json())["data"]["url"] == url(7)
    assert orjson.loads(event.json())["id"] == event.id


async def test_exception_does_not_acknowledge(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """What the body failed at stays pending, and comes again; so does what `break` left."""
    first, second = await publish(connection, range(2))
    async with consumer() as reader:
        with pytest.raises(ZeroDivisionError):
            await failing(reader)
        async for event in reader:  # a new loop goes on with the next one
            assert event.entry == second
            break
    assert (await pending(connection)).keys() == {first, second}
    await forsake(connection)
    events = await handled(consumer(), 2)
    assert [(event.entry, event.deliveries) for event in events] == [(first, 2), (second, 2)]
    assert await pending(connection) == {}


async def test_search_reaches_the_tail(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Of several pages of what the dead held, all is taken over, though the living hold the first ones."""
    entries = await publish(connection, range(330))
    await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
    await deliver(connection, 250, consumer="alive")
    await deliver(connection, 80)
    await forsake(connection, entries=entries[250:])
    events = await handled(consumer(batch=7), 80)
    assert [event.entry for event in events] == entries[250:]
    assert (await pending(connection)).keys() == set(entries[:250])


async def test_event_delivered_too_often_is_rejected(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """It is kept whole with the reason in the group's hash, acknowledged, and handed to nobody."""
    poison, once_more, good = await publish(connection, range(3))
    await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
    await deliver(connection, 2)
    await forsake(connection, deliveries=4, entries=[poison])
    await forsake(connection, deliveries=3, entries=[once_more])
    events = await handled(consumer(max_deliveries=4), 2)
    assert {event.entry: event.deliveries for event in events} == {once_more: 4, good: 1}
    kept = await connection.command("HGETALL", "{ingest:0}:rejected:g")
    (letter,) = [orjson.loads(value) for value in kept.values()]
    assert list(kept) == [f"articles/{poison}".encode()]
    assert letter["reason"] == "delivered 4 times and never acknowledged"
    assert letter["fields"]["subject"] == url(0)
    assert orjson.loads(letter["fields"]["data"])["title"] == "The night ferry"
    assert await pending(connection) == {}


async def test_suspects_come_alone(connection: Connection, consumer: Callable[..., ArticleConsumer]) -> None:
    """Of a batch that a process died with, those that came twice come one by one, the others together."""
    entries = await publish(connection, range(6))
    await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
    await deliver(connection, 4)
    await forsake(connection, deliveries=2, entries=entries[:2])
    await forsake(connection, deliveries=1, entries=entries[2:4])
    lists: list[list[str]] = []
    async with asyncio.timeout(60), consumer() as reader:
        async for events in reader.batches(10, 0.05):
            lists.append([event.entry for event in events])
            if sum(map(len, lists)) == 6:
                reader.stop()
    assert sorted(lists) == [[entries[0]], [entries[1]], entries[2:]]
    assert await pending(connection) == {}


async def test_what_is_no_event_is_rejected(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """It can never be handled: it goes to the rejected at once, and the loop goes on."""
    for name, wrong in (("data", "{"), ("data", "{}"), ("time", "soon")):
        await write(connection, {**fields(1), name: wrong})
    await write(connection, {"hello": "there"})
    await publish(connection, [2])
    (event,) = await handled(consumer(), 1)
    assert event.url == url(2)
    kept = await connection.command("HGETALL", "{ingest:0}:rejected:g")
    reasons = [orjson.loads(kept[name])["reason"] for name in sorted(kept)]
    assert [reason.partition(":")[0] for reason in reasons] == ["unreadable"] * 4
    assert "no field" in reasons[3]
    assert await pending(connection) == {}


async def test_an_event_of_a_newer_version_is_handed_out(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Untyped, and not given up: a reader that is updated after the workers loses nothing."""
    await write(connection, {**fields(1), "type": "article.published.v9"})
    (event,) = await handled(consumer(), 1)
    assert (event.type, event.payload, event.url) == ("article.published.v9", None, url(1))
    assert await connection.command("EXISTS", "{ingest:0}:rejected:g") == 0


async def test_what_was_deleted_while_pending_is_acknowledged_and_told(
    connection: Connection, consumer: Callable[..., ArticleConsumer], caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be handled any more, and must not hold up trimming for ever."""
    gone, there = await publish(connection, range(2))
    await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
    await deliver(connection, 2)
    await forsake(connection)
    await connection.command("XDEL", ARTICLES, gone)
    (event,) = await handled(consumer(), 1)
    assert event.entry == there
    assert await pending(connection) == {}
    told = [record.getMessage() for record in caplog.records if "event_gone" in record.getMessage()]
    assert len(told) == 1
    assert gone in told[0]


async def test_flush_and_destroy_end_no_loop(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """A group that is gone is made anew, from the beginning: what comes then is handled."""
    await publish(connection, range(3))
    seen: list[str | None] = []
    async with asyncio.timeout(60), consumer(start="now", batch=1) as reader:
        await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
        async for event in reader:
            seen.append(event.url)
            if len(seen) == 2:
                await connection.command("FLUSHALL")
                await publish(connection, [10])
            elif len(seen) == 3:
                await connection.command("XGROUP", "DESTROY", ARTICLES, "g")
                await publish(connection, [11])
            elif event.url == url(11):
                reader.stop()
    assert seen == [url(0), url(1), url(10), url(10), url(11)]


async def test_end_gives_back_what_was_read_ahead(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Others need not wait for it to be idle, and it does not count as a delivery; nor are theirs taken."""
    entries = await publish(connection, range(5))
    await handled(consumer(batch=5), 1)
    assert await pending(connection) == dict.fromkeys(entries[1:], 0)
    events = await handled(consumer(), 4)
    assert [(event.entry, event.deliveries) for event in events] == [(entry, 1) for entry in entries[1:]]


async def test_living_consumer_renews_its_hold(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """While a slow body awaits, the idle time of what it has is set back again and again."""
    entries = await publish(connection, range(2))
    async with asyncio.timeout(60), consumer(idle_ms=600) as reader:
        async for event in reader:
            if event.entry == entries[0]:
                for entry in (*entries, *entries):  # that in hand, and that read ahead
                    await renewed(connection, entry)
            else:
                reader.stop()
    assert await pending(connection) == {}


async def test_what_others_took_is_not_handed_out(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """A consumer that was stopped for too long drops what it had read ahead and others have now."""
    entries = await publish(connection, range(3))
    async with asyncio.timeout(60), consumer(idle_ms=400) as reader:
        seen = []
        async for event in reader:
            seen.append(event.entry)
            if event.entry == entries[0]:
                claim = ("XCLAIM", ARTICLES, "g", "other", 0, entries[1], "JUSTID")
                await connection.command(*claim, parse_justid=True)
                await asyncio.sleep(0.4)  # its next renewal, or the check before handing out, sees it
            if event.entry == entries[2]:
                reader.stop()
    assert seen == [entries[0], entries[2]]
    assert list(await pending(connection)) == [entries[1]]


async def test_two_of_one_name_lose_nothing(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """They share the events; ending one does not take from the other what it has in hand."""
    entries = await publish(connection, range(10))
    async with asyncio.timeout(60), consumer(consumer="same", batch=3) as one:
        async for first in one:
            others = await handled(consumer(consumer="same", batch=3), 2)
            assert first.entry in await pending(connection)
            one.stop()
    rest = await handled(consumer(), 7)
    assert sorted(event.entry for event in [first, *others, *rest]) == entries


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"group": ""}, "group=''"),
        ({"group": "a b"}, "group='a b'"),
        ({"batch": 0}, "batch=0 should be 1 to 10000"),
        ({"idle_ms": 5}, "idle_ms=5 should be 100 to"),
        ({"streams": ("article",)}, "should name 'articles', 'dead' or both"),
        ({"start": "yesterday"}, "start: 'yesterday' should be"),
        ({"partitions": 0}, "partitions=0"),
    ],
)
def test_wrong_arguments_are_named(wrong: dict[str, Any], says: str) -> None:
    """Each fault is told with its value and what it should be."""
    with pytest.raises(Misconfigured) as error:
        ArticleConsumer("redis://127.0.0.1:1/0", **({"group": "g"} | wrong))
    assert says in str(error.value)
