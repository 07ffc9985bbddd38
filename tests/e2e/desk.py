"""A newsroom, a Redis, feeders, and an eye on the queue."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from worker.store.feeds import Feeds, WatchedFeed, feed_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.fleet import Fleet
    from tests.e2e.newsroom import Newsroom
    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys

FEEDER = ("feed", "run")


@dataclass
class Desk:
    """A newsroom, a Redis, feeders, and an eye on the queue."""

    server: RedisServer
    room: Newsroom
    fleet: Fleet
    connection: Connection
    settings: dict[str, str]
    keys: Keys

    @property
    def feeds(self) -> Feeds:
        """The fleet's feeds."""
        return Feeds(self.connection, self.keys)

    async def queued(self) -> list[dict[str, Any]]:
        """The items in the queue."""
        items = await self.connection.command("LRANGE", self.keys.queue, 0, -1)
        return [orjson.loads(item) for item in items]

    async def queued_urls(self) -> list[str]:
        """The URLs in the queue, as the newsroom has them."""
        return [str(item["url"]).removesuffix("?utm_source=rss") for item in await self.queued()]

    async def watched(self) -> WatchedFeed:
        """The newsroom's feed, as the fleet knows it."""
        feed = await self.feeds.find(feed_id(self.room.feed))
        assert feed is not None
        return feed

    async def make_due(self) -> None:
        """Let every feed be due, as if its pause had passed."""
        for feed in [each async for each in self.feeds.all()]:
            await self.connection.command("ZADD", self.keys.feeds, 1, feed.id)

    async def until(self, holds: Callable[[], Any], what: str, *, every_s: float = 0.05) -> None:
        """Wait until `holds`, maybe a coroutine's function, is true; the test fails if it is not in time."""
        deadline = time.monotonic() + 60
        while True:
            found = holds()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            assert time.monotonic() < deadline, f"not {what}\n{self.fleet.errors()}"
            await asyncio.sleep(every_s)

    def count(self, event: str) -> int:
        """How many lines of that event there are."""
        return sum(line["event"] == event for line in self.fleet.lines())
