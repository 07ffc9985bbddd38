"""The consumer's user: the library can do its whole job, and each of its commands is needed for something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.events.streams import ARTICLES, deliver, forsake, publish, renewed, write
from tests.security.roles import commands_of
from worker.events import ArticleConsumer, replay
from worker.store.connection import Connection

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
        used = {name.removeprefix("cmdstat_") for name in await root.command("INFO", "commandstats")}
    own = commands_of("consumer") - NOT_THE_LIBRARYS - SELDOM
    assert {name.partition("|")[0] for name in own} <= {name.partition("|")[0] for name in used}
