"""What is kept of feeds, for how long, and in what order they are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.store.feeding import ID, URL, claimed, entries, known, leased
from worker.store.feeds import MOST_SEEN, Added

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.feeds import Feeds
    from worker.store.keys import Keys


async def test_ended_feed(feeds: Feeds) -> None:
    """It is never due again, and stays known, until it is asked for anew by name."""
    lease = await leased(feeds)
    assert await feeds.finish(lease, due_s=None, fields={"state": "ended"})
    assert await feeds.claim() is None
    assert (await known(feeds)).due_ms is None
    assert [feed.url async for feed in feeds.all()] == [URL]
    assert await feeds.add(URL, revive=False) is Added.ENDED
    assert await feeds.add(URL) is Added.NEW
    assert (await claimed(feeds)).feed.state == "active"


async def test_removed_feed_leaves_nothing(feeds: Feeds, connection: Connection) -> None:
    """Nor can whoever looks at it push anything more."""
    lease = await leased(feeds)
    await feeds.push(lease, entries("a"))
    assert await feeds.remove(ID)
    assert await feeds.push(lease, entries("b")) is None
    assert not await feeds.finish(lease, due_s=0, fields={})
    assert await feeds.find(ID) is None
    names = [name async for page in connection.scan("*feed*", count=1000) for name in page]
    assert names == [b"{ingest:queue}:feed_clock"]


async def test_entries_are_forgotten(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """Those that left the feed long ago go; those that still stand in it stay, however old."""
    lease = await leased(feeds)
    await feeds.push(lease, entries("gone", "there"))
    seen = f"{{ingest:queue}}:feed_seen:{ID}"
    for name in ("gone", "there"):
        await connection.command("ZADD", seen, 1, f"digest-{name}")
    assert await feeds.look(lease, [b"digest-there"]) == []
    assert await feeds.finish(lease, due_s=0, fields={})
    assert await connection.command("ZRANGE", seen, 0, -1) == [b"digest-there"]


async def test_entries_kept_are_bounded(feeds: Feeds, connection: Connection) -> None:
    """Of too many, the ones go that left the feed first."""
    lease = await leased(feeds)
    seen = f"{{ingest:queue}}:feed_seen:{ID}"
    fill = "for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], ARGV[2] + i, i) end"
    await connection.command("EVAL", fill, 1, seen, MOST_SEEN + 5, 10**13)
    assert await feeds.finish(lease, due_s=0, fields={})
    assert await connection.command("ZCARD", seen) == MOST_SEEN
    assert await connection.command("ZRANGE", seen, 0, 0) == [b"6"]


async def test_clock_set_back_stalls_no_feed(feeds: Feeds, connection: Connection) -> None:
    """An hour that Redis' clock goes back is none that feeds wait for."""
    lease = await leased(feeds)
    await feeds.finish(lease, due_s=0, fields={})
    clock = "{ingest:queue}:feed_clock"
    await connection.command("HINCRBY", clock, "last", 3_600_000)
    await connection.command("ZINCRBY", "{ingest:queue}:feeds", 3_599_000, ID)
    assert (await claimed(feeds)).feed.url == URL
    assert 3_590_000 < int(await connection.command("HGET", clock, "ahead")) <= 3_600_000


async def test_what_is_remembered_of_an_ended_feed_expires(feeds: Feeds, connection: Connection) -> None:
    """Nobody looks at it any more to let go of it."""
    lease = await leased(feeds)
    await feeds.push(lease, entries("a"))
    await feeds.finish(lease, due_s=None, fields={"state": "ended"})
    left_ms = await connection.command("PTTL", f"{{ingest:queue}}:feed_seen:{ID}")
    assert 89 * 86_400_000 < left_ms <= 90 * 86_400_000


async def test_list_has_the_next_due_first(feeds: Feeds) -> None:
    """With those that have ended at its end."""
    for number, delay_s in enumerate((300, 100, 200)):
        await feeds.add(f"{URL}?{number}", delay_s=delay_s)
    await feeds.add(f"{URL}?ended", delay_s=-1)
    await feeds.finish(await claimed(feeds), due_s=None, fields={"state": "ended"})
    assert [feed.url.partition("?")[2] async for feed in feeds.all()] == ["1", "2", "0", "ended"]
