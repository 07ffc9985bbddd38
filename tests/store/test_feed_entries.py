"""Entries of feeds: pushed once, remembered for as long as they are needed, and no longer."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.store.feeding import ID, URL, claimed, entries, expire, known, leased, queue
from worker.store.feeds import MOST_SEEN, FeedLease

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.feeds import Feeds
    from worker.store.keys import Keys


async def test_entries_are_pushed_once(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """By looks that follow each other, by a call that is repeated, and where a feed lists one twice."""
    lease = await leased(feeds)
    assert await feeds.look(lease, [digest for digest, _ in entries("a", "b")]) == [0, 1]
    assert await feeds.push(lease, entries("a", "b", "a")) == 2
    assert await feeds.push(lease, entries("a", "b", "a")) == 2
    assert await feeds.look(lease, [digest for digest, _ in entries("a", "c", "b")]) == [1]
    assert await feeds.finish(lease, due_s=0, fields={})
    lease = await claimed(feeds)
    assert await feeds.push(lease, entries("b", "c")) == 1
    assert await queue(connection, keys) == [b"a", b"b", b"c"]
    assert (await known(feeds)).pushed == 3


async def test_empty_item_is_only_remembered(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """So what a feed holds at first can be passed over for good."""
    lease = await leased(feeds)
    assert await feeds.push(lease, [(b"digest-a", b""), (b"digest-b", b"b")]) == 1
    assert await feeds.push(lease, entries("a", "b")) == 1
    assert await queue(connection, keys) == [b"b"]


async def test_two_feeds_may_list_the_same(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """What one has pushed the other pushes, too: it is for the admission to tell duplicates."""
    for number in range(2):
        lease = await leased(feeds, f"{URL}?{number}")
        assert await feeds.push(lease, entries("a")) == 1
    assert await queue(connection, keys) == [b"a", b"a"]


async def test_entries_are_forgotten(feeds: Feeds, connection: Connection, keys: Keys) -> None:
    """Those that left the feed long ago go; those that still stand in it stay, however old."""
    lease = await leased(feeds)
    await feeds.push(lease, entries("gone", "there"))
    seen = f"{{ingest:queue}}:feed_seen:{ID}"
    for name in ("gone", "there"):
        await connection.command("ZADD", seen, 1, f"digest-{name}")
    assert await feeds.look(lease, [b"digest-there"]) == []
    assert await feeds.finish(lease, due_s=0, fields={}, read=True)
    assert await connection.command("ZRANGE", seen, 0, -1) == [b"digest-there"]


async def test_look_that_read_nothing_forgets_nothing(feeds: Feeds, connection: Connection) -> None:
    """After a 304 and after a failure nobody knows what stands in the feed now: all of it may."""
    lease = await leased(feeds)
    await feeds.push(lease, entries("a"))
    await connection.command("ZADD", f"{{ingest:queue}}:feed_seen:{ID}", 1, "digest-a")
    assert await feeds.finish(lease, due_s=0, fields={})
    lease = await claimed(feeds)
    assert await feeds.look(lease, [b"digest-a"]) == []


async def test_entries_kept_are_bounded(feeds: Feeds, connection: Connection) -> None:
    """Of too many, the ones go that left the feed first."""
    lease = await leased(feeds)
    seen = f"{{ingest:queue}}:feed_seen:{ID}"
    fill = "for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], ARGV[2] + i, i) end"
    await connection.command("EVAL", fill, 1, seen, MOST_SEEN + 5, 10**13)
    assert await feeds.finish(lease, due_s=0, fields={})
    assert await connection.command("ZCARD", seen) == MOST_SEEN
    assert await connection.command("ZRANGE", seen, 0, 0) == [b"6"]


async def test_what_is_remembered_of_an_ended_feed_expires(feeds: Feeds, connection: Connection) -> None:
    """Nobody looks at it any more to let go of it."""
    lease = await leased(feeds)
    await feeds.push(lease, entries("a"))
    await feeds.finish(lease, due_s=None, fields={"state": "ended"})
    left_ms = await connection.command("PTTL", f"{{ingest:queue}}:feed_seen:{ID}")
    assert 89 * 86_400_000 < left_ms <= 90 * 86_400_000


@pytest.mark.parametrize("seed", range(5))
async def test_entries_are_pushed_once_whatever_happens(
    feeds: Feeds, connection: Connection, keys: Keys, seed: int
) -> None:
    """Feeders stall, lose leases, repeat calls and die: each entry is pushed once, and none left out."""
    chance = random.Random(seed)
    names = [f"{number:03}" for number in range(60)]
    await feeds.add(URL)
    held: list[FeedLease] = []
    for _ in range(200):
        lease = chance.choice(held) if held and chance.random() < 0.8 else None
        if lease is None:
            claim = await feeds.claim()
            held += [claim] if isinstance(claim, FeedLease) else []
            continue
        match chance.choice(("push", "push", "push", "expire", "die", "finish")):
            case "push":
                batch = entries(*chance.sample(names, 5))
                for _ in range(chance.choice((1, 2))):
                    await feeds.push(lease, batch)
            case "expire":
                await expire(connection, keys)
            case "die":
                held.remove(lease)
                await expire(connection, keys)
            case "finish":
                await feeds.finish(lease, due_s=0, fields={})
    await expire(connection, keys)
    last = await claimed(feeds)
    assert await feeds.push(last, entries(*names)) is not None
    queued = await queue(connection, keys)
    assert sorted(queued) == [name.encode() for name in names]
    assert (await known(feeds)).pushed == len(names)
