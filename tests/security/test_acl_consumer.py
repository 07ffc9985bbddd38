"""The consumer's user: the library can do its whole job, and each of its commands is needed for something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.events.streams import ARTICLES, deliver, forsake, publish, publish_of, renewed, write
from tests.security.roles import commands_of
from worker.events import ArticleConsumer, replay
from worker.events.subscription import partitions_told
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.urls import article_id

if TYPE_CHECKING:
    from tests.security.roles import GuardedRedis

#: For other clients than our library, and `ingest tail`.
NOT_THE_LIBRARYS = {"xautoclaim", "xread"}
#: After half a minute of silence; and only before Redis 7, which tells the lag itself.
SELDOM = {"ping", "xrevrange"}


async def test_library_needs_what_the_user_may_and_no_more(guarded: GuardedRedis) -> None:
    """It joins, reads, takes over, renews, gives back, rejects, replays and counts as `consumer`."""
    url = guarded.url_of("consumer")
    async with Connection(guarded.url_of("root")) as root:
        await publish(root, range(4))
        await write(root, {"no": "event"})
        await root.command("XGROUP", "CREATE", ARTICLES, "g", 0)
        await deliver(root, 1)
        await forsake(root)
        await root.command("SET", "{ingest:0}:partitions", 1)
        async with Connection(url) as ours:
            assert await partitions_told(ours, "ingest") == 1
        await root.command("DEL", "{ingest:0}:partitions")  # where no worker said it, XLEN has to tell
        await root.command("CONFIG", "RESETSTAT")
        urls = []
        async with asyncio.timeout(60), ArticleConsumer(url, group="g", idle_ms=300) as consumer:
            async for event in consumer:
                urls.append(event.url)
                if len(urls) == 3:
                    await consumer.reject(event, "by hand")
                    await consumer.lag()
                    consumer.stop()
                else:
                    await renewed(root, event.entry)
        assert len([event async for event in replay(url)]) == 4
        assert len(set(urls)) == 3
        assert len(await root.command("HKEYS", "{ingest:0}:rejected:g")) == 2
        await _choose(root, url)
        used = {name.removeprefix("cmdstat_") for name in await root.command("INFO", "commandstats")}
    own = commands_of("consumer") - NOT_THE_LIBRARYS - SELDOM
    assert {name.partition("|")[0] for name in own} <= {name.partition("|")[0] for name in used}


async def _choose(root: Connection, url: str) -> None:
    """Take one article of a cluster, which drops a choice of long ago."""
    old = article_id("old")
    await root.command("ZADD", Keys().chosen_at("one"), 1, old)
    await root.command("HSET", Keys().chosen("one"), old, old)
    for number in (10, 11):
        await publish_of(root, number, article_id("story"))
    async with ArticleConsumer(url, group="one", one_per_cluster=True, end_when_quiet_s=1) as consumer:
        articles = [event.article async for event in consumer]
    assert [each.cluster_id for each in articles if each].count(article_id("story")) == 1
    assert await root.command("HLEN", Keys().chosen("one")) == 1
