"""One article of each cluster, for whoever wants no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.events.conftest import handled
from tests.events.streams import deliver, forsake, pending, publish, publish_of, url, write
from worker.events import SyncArticleConsumer
from worker.urls import article_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import RedisServer
    from worker.events import ArticleConsumer
    from worker.store.connection import Connection

STORY = article_id("the wire's own")


async def test_copies_are_acknowledged_unseen(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Of a cluster the first comes, of another cluster its first, and all that have none."""
    for number, cluster in enumerate([STORY, STORY, None, None, article_id("b"), STORY]):
        await publish_of(connection, number, cluster)
    events = await handled(consumer(one_per_cluster=True, end_when_quiet_s=1), 99)
    assert [event.url for event in events] == [url(0), url(2), url(3), url(4)]
    assert await pending(connection) == {}


async def test_without_the_wish_all_come(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """And each says of which cluster it is."""
    for number in range(3):
        await publish_of(connection, number, STORY)
    events = await handled(consumer(), 3)
    assert [event.article.cluster_id for event in events if event.article] == [STORY] * 3


async def test_what_was_chosen_comes_again(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Its consumer died with it in hand: it is no copy of itself, and what came meanwhile is one of it."""
    chosen = await publish_of(connection, 0, STORY)
    async with consumer(one_per_cluster=True) as dying:
        assert (await anext(dying)).entry == chosen
    await publish_of(connection, 1, STORY)
    await forsake(connection)
    events = await handled(consumer(one_per_cluster=True, end_when_quiet_s=1), 99)
    assert [(event.entry, event.deliveries) for event in events] == [(chosen, 2)]


async def test_later_revisions_of_the_chosen_come(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Those of its copies do not."""
    for number, revision in ((0, 1), (1, 1), (1, 2), (0, 2)):
        await publish_of(connection, number, STORY, revision=revision)
    events = await handled(consumer(one_per_cluster=True, end_when_quiet_s=1), 99)
    assert [(event.url, event.article.revision) for event in events if event.article] == [
        (url(0), 1),
        (url(0), 2),
    ]


async def test_the_consumers_of_a_group_choose_together(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """A copy that another consumer of the group is given is a copy; a group of its own chooses anew."""
    first = await publish_of(connection, 0, STORY)
    assert [each.entry for each in await handled(consumer(one_per_cluster=True), 1)] == [first]
    second = await publish_of(connection, 1, STORY)
    third = await publish_of(connection, 2, article_id("b"))
    options = {"one_per_cluster": True, "end_when_quiet_s": 1}
    assert [each.entry for each in await handled(consumer(**options), 99)] == [third]
    assert [each.entry for each in await handled(consumer(**options, group="h"), 99)] == [first, third]
    assert second in await _entries(connection)


async def test_a_copy_that_died_with_its_consumer_is_taken_over_unseen(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """What was read ahead by the dead is looked at anew."""
    await publish_of(connection, 0, STORY)
    await handled(consumer(one_per_cluster=True), 1)
    await publish_of(connection, 1, STORY)
    await deliver(connection, 1)
    await forsake(connection)
    assert await handled(consumer(one_per_cluster=True, end_when_quiet_s=1), 99) == []
    assert await pending(connection) == {}


async def test_events_of_earlier_versions_are_of_no_cluster(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """An event without the field is read as before, and comes."""
    (entry,) = await publish(connection, [1])
    fields = (await connection.command("XRANGE", "{ingest:0}:articles", entry, entry))[0][1]
    old = fields[b"data"].replace(b'"cluster_id":null,', b"")
    assert old != fields[b"data"]
    await connection.command("DEL", "{ingest:0}:articles")
    await write(connection, {name.decode(): value for name, value in fields.items()} | {"data": old})
    (event,) = await handled(consumer(one_per_cluster=True), 1)
    assert event.article is not None
    assert event.article.cluster_id is None


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_synchronous_one_has_it_too(
    connection: Connection, redis_server: RedisServer, *, wanted: bool
) -> None:
    """The option goes through."""
    for number in range(2):
        await publish_of(connection, number, STORY)
    with SyncArticleConsumer(
        redis_server.url, group="g", one_per_cluster=wanted, end_when_quiet_s=1
    ) as reader:
        assert len(list(reader)) == (1 if wanted else 2)


async def _entries(connection: Connection) -> list[str]:
    page = await connection.command("XRANGE", "{ingest:0}:articles", "-", "+")
    return [entry.decode() for entry, _ in page]
