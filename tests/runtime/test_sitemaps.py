"""Which sitemaps of an index are watched, and what of them is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.feeding import claimed, leased
from worker.runtime.sitemaps import MOST_SITEMAPS, adopt
from worker.store.feeds import Feeds, LeaseLost, WatchedFeed, feed_id

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys

INDEX = "https://news.example/index.xml"
OLD = "https://news.example/old.xml"
#: As an index lists them, the newest first: `OLD` is not watched.
LISTED = [*(f"https://news.example/{number}.xml" for number in range(MOST_SITEMAPS)), OLD]
NEW = "https://news.example/new.xml"


@pytest.fixture
def feeds(connection: Connection, keys: Keys) -> Feeds:
    """The fleet's feeds: none."""
    return Feeds(connection, keys)


async def watched(feeds: Feeds, url: str) -> WatchedFeed:
    """What is known of a sitemap; the test fails where it is not watched."""
    feed = await feeds.find(feed_id(url))
    assert feed is not None, url
    return feed


@pytest.mark.parametrize("skip_present", [True, False])
async def test_sitemaps_that_an_index_passed_over_stay_old(feeds: Feeds, *, skip_present: bool) -> None:
    """One that comes among the newest only later is passed over as all were; a new one never is."""
    await feeds.add(INDEX, fields={"skip_present": 1} if skip_present else {})
    lease = await claimed(feeds)
    assert await adopt(feeds, lease, LISTED) == MOST_SITEMAPS
    assert await feeds.find(feed_id(OLD)) is None
    assert (await watched(feeds, LISTED[0])).skip_present == skip_present
    assert await feeds.finish(lease, due_s=0, fields={"skip_present": ""}, read=True)
    for url in LISTED[:MOST_SITEMAPS]:
        await feeds.remove(feed_id(url))
    assert await adopt(feeds, await claimed(feeds), [NEW, OLD]) == 2
    assert (await watched(feeds, OLD)).skip_present == skip_present
    assert not (await watched(feeds, NEW)).skip_present


async def test_sitemaps_of_sitemaps_count_for_the_outermost_index(feeds: Feeds) -> None:
    """However deep indexes are nested, one site has the room of one."""
    await adopt(feeds, await leased(feeds, INDEX), [NEW])
    await adopt(feeds, await claimed(feeds), [OLD])
    assert ((await watched(feeds, OLD)).parent, (await watched(feeds, OLD)).root) == (
        feed_id(NEW),
        feed_id(INDEX),
    )


async def test_addresses_that_are_none_of_a_sitemap(feeds: Feeds) -> None:
    """An index that lists itself, and what is no URL, add nothing."""
    assert await adopt(feeds, await leased(feeds, INDEX), [INDEX, "ftp://news.example/", NEW]) == 1


@pytest.mark.parametrize("skip_present", [True, False])
async def test_whoever_lost_the_index_adopts_nothing(
    feeds: Feeds, connection: Connection, keys: Keys, *, skip_present: bool
) -> None:
    """Another feeder looks at it, and knows better which sitemaps are old."""
    await feeds.add(INDEX, fields={"skip_present": 1} if skip_present else {})
    lease = await claimed(feeds)
    await connection.command("ZADD", keys.feeds, 1, feed_id(INDEX))
    await claimed(feeds)
    with pytest.raises(LeaseLost):
        await adopt(feeds, lease, [NEW])
    assert await feeds.count() == 1
