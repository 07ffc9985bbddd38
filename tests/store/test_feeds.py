"""The scripts of feeds: one feeder at a time, and tokens that are worth something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.store.feeding import ID, URL, claimed, entries, expire, known, leased, queue
from worker.store.feeds import Added, FeedLease, feed_id

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.feeds import Feeds
    from worker.store.keys import Keys


async def test_added_feed_is_due(feeds: Feeds) -> None:
    """It can be claimed at once, with all that was said of it; nobody else gets it then."""
    assert (
        await feeds.add(URL, fields={"kind": "rss", "title": "Zeit für News", "skip_present": 1}) is Added.NEW
    )
    lease = await claimed(feeds)
    feed = lease.feed
    assert (feed.id, feed.url, feed.kind, feed.title, feed.skip_present) == (
        ID,
        URL,
        "rss",
        "Zeit für News",
        True,
    )
    wait_s = await feeds.claim()
    assert isinstance(wait_s, float)
    assert 30 < wait_s <= 60
    assert (await known(feeds)).leased


async def test_nothing_is_watched(feeds: Feeds) -> None:
    """Then nothing is ever due."""
    assert await feeds.claim() is None
    assert await feeds.count() == 0
    assert not await feeds.remove(ID)


async def test_feed_is_added_once(feeds: Feeds) -> None:
    """A second time changes nothing, not even what is said of it."""
    await feeds.add(URL, fields={"title": "First"})
    assert await feeds.add(URL, fields={"title": "Second"}) is Added.KNOWN
    assert (await known(feeds)).title == "First"
    assert await feeds.count() == 1


async def test_sitemaps_of_one_index_are_bounded(feeds: Feeds) -> None:
    """At the bound none is added under it; one that ends or is removed makes room, and does so once."""
    await feeds.add(URL)
    names = [f"{URL}?{number}" for number in range(4)]
    assert [await feeds.add(name, root=ID, most=2) for name in names] == [Added.NEW] * 2 + [Added.FULL] * 2
    assert await feeds.add(names[0], root=ID, most=2) is Added.KNOWN
    # Those that are due in the same millisecond come in any order.
    first = next(lease for lease in [await claimed(feeds) for _ in range(3)] if lease.feed.url != URL)
    assert await feeds.finish(first, due_s=None, fields={"state": "ended"})
    assert await feeds.remove(first.feed.id), "it has left already, and makes no room again"
    assert [await feeds.add(name, root=ID, most=2) for name in names[2:]] == [Added.NEW, Added.FULL]
    assert await feeds.remove(feed_id(names[2]))
    assert await feeds.add(names[3], root=ID, most=2) is Added.NEW
    assert await feeds.add(f"{URL}?other", root=first.feed.id, most=2) is Added.FULL, "its root is gone"
    assert await feeds.add(f"{URL}?own", most=2) is Added.NEW


async def test_one_of_many_feeders_gets_a_feed(feeds: Feeds) -> None:
    """Of twenty that ask at once, each feed goes to one."""
    for number in range(3):
        await feeds.add(f"{URL}?{number}")
    asked = await asyncio.gather(*(feeds.claim() for _ in range(20)))
    got = [each.feed.url for each in asked if isinstance(each, FeedLease)]
    assert sorted(got) == [f"{URL}?{number}" for number in range(3)]


async def test_most_overdue_goes_first(feeds: Feeds) -> None:
    """And what is not due goes to nobody."""
    for delay_s in (-5, -50, 600):
        await feeds.add(f"{URL}?{delay_s}", delay_s=delay_s)
    assert [(await claimed(feeds)).feed.url for _ in range(2)] == [f"{URL}?-50", f"{URL}?-5"]
    assert isinstance(await feeds.claim(), float)


async def test_claim_whose_reply_was_lost(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """The same token is given the same feed again, and that is no crash."""
    await feeds.add(URL)
    first, again = [await connection.run("feed_claim", [keys.feeds], ["t", 60_000]) for _ in range(2)]
    assert first == again
    assert (await known(feeds)).crashes == 0


async def test_takeover(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """A lease that ran out goes to another feeder; the first can do nothing any more."""
    first = await leased(feeds)
    assert await feeds.push(first, entries("a")) == 1
    await expire(connection, keys)
    second = await claimed(feeds)
    assert second.feed.crashes == 1
    assert not await feeds.extend(first)
    assert await feeds.look(first, [b"digest-b"]) is None
    assert await feeds.push(first, entries("b")) is None
    assert not await feeds.finish(first, due_s=None, fields={"title": "Stale"})
    assert await feeds.push(second, entries("a", "b")) == 1
    assert await feeds.finish(second, due_s=60, fields={"title": "Fresh"})
    assert await queue(connection, keys) == [b"a", b"b"]
    feed = await known(feeds)
    assert (feed.title, feed.crashes, feed.state, feed.leased) == ("Fresh", 0, "active", False)
    assert await connection.command("EXISTS", "{ingest:queue}:feed_leases") == 0


async def test_crashes_in_a_row_are_counted(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """Each feeder that vanishes adds one; one that comes to an end, however it looks, begins anew."""
    await leased(feeds)
    for crashes in (1, 2, 3):
        await expire(connection, keys)
        lease = await claimed(feeds)
        assert lease.feed.crashes == crashes
    assert await feeds.finish(lease, due_s=0, fields={})
    assert (await claimed(feeds)).feed.crashes == 0


async def test_extended_lease_is_kept(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """As long as its feeder says that it lives, nobody else gets the feed."""
    lease = await leased(feeds)
    await expire(connection, keys)
    assert await feeds.extend(lease)
    assert isinstance(await feeds.claim(), float)


async def test_finish_whose_reply_was_lost(feeds: Feeds) -> None:
    """Told again, it counts as done; the feed may be another's by then, which that does not touch."""
    lease = await leased(feeds)
    assert await feeds.finish(lease, due_s=0, fields={"etag": '"1"'})
    assert await feeds.finish(lease, due_s=0, fields={"etag": '"1"'})
    await claimed(feeds)
    assert await feeds.finish(lease, due_s=600, fields={"etag": '"0"'})
    feed = await known(feeds)
    assert (feed.validators.etag, feed.leased) == ('"1"', True)


async def test_finish_keeps_and_drops_fields(feeds: Feeds) -> None:
    """What is empty is dropped; the rest stays until it is said anew."""
    lease = await leased(feeds)
    assert await feeds.finish(lease, due_s=0, fields={"etag": '"1"', "interval_s": "120.5", "failures": 2})
    lease = await claimed(feeds)
    assert (lease.feed.validators.etag, lease.feed.interval_s, lease.feed.failures) == ('"1"', 120.5, 2)
    assert await feeds.finish(lease, due_s=300, fields={"etag": "", "failures": ""})
    feed = await known(feeds)
    assert (feed.validators.etag, feed.interval_s, feed.failures) == (None, 120.5, 0)
    wait_s = await feeds.claim()
    assert isinstance(wait_s, float)
    assert 200 < wait_s <= 300


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


async def test_clock_set_back_stalls_no_feed(feeds: Feeds, connection: Connection) -> None:
    """An hour that Redis' clock goes back is none that feeds wait for."""
    lease = await leased(feeds)
    await feeds.finish(lease, due_s=0, fields={})
    clock = "{ingest:queue}:feed_clock"
    await connection.command("HINCRBY", clock, "last", 3_600_000)
    await connection.command("ZINCRBY", "{ingest:queue}:feeds", 3_599_000, ID)
    assert (await claimed(feeds)).feed.url == URL
    assert 3_590_000 < int(await connection.command("HGET", clock, "ahead")) <= 3_600_000


async def test_list_has_the_next_due_first(feeds: Feeds) -> None:
    """With those that have ended at its end."""
    for number, delay_s in enumerate((300, 100, 200)):
        await feeds.add(f"{URL}?{number}", delay_s=delay_s)
    await feeds.add(f"{URL}?ended", delay_s=-1)
    await feeds.finish(await claimed(feeds), due_s=None, fields={"state": "ended"})
    assert [feed.url.partition("?")[2] async for feed in feeds.all()] == ["1", "2", "0", "ended"]
