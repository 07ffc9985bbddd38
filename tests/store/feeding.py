"""Short words for what the tests of feeds do again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store.feeds import FeedLease, Feeds, WatchedFeed, feed_id

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys

URL = "https://news.example/rss.xml"
ID = feed_id(URL)


async def claimed(feeds: Feeds) -> FeedLease:
    """Claim a feed; the test fails when none is due."""
    lease = await feeds.claim()
    assert isinstance(lease, FeedLease), lease
    return lease


async def leased(feeds: Feeds, url: str = URL) -> FeedLease:
    """Watch a feed and claim it."""
    await feeds.add(url)
    return await claimed(feeds)


async def known(feeds: Feeds) -> WatchedFeed:
    """What is known of the feed."""
    feed = await feeds.find(ID)
    assert feed is not None
    return feed


async def expire(connection: Connection, keys: Keys) -> None:
    """Let the feed's lease have run out."""
    await connection.command("ZADD", keys.feeds, 1, ID)


async def queue(connection: Connection, keys: Keys) -> list[bytes]:
    """What is in the inbox."""
    items: list[bytes] = await connection.command("LRANGE", keys.queue, 0, -1)
    return items


def entries(*names: str) -> list[tuple[bytes, bytes]]:
    """An entry for each: its digest and its item."""
    return [(f"digest-{name}".encode(), name.encode()) for name in names]
