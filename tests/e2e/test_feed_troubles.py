"""Feeds that move, fail, ask for patience, forbid, or kill; feeders that stop; Redis that goes away."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import run
from tests.e2e.desk import FEEDER
from worker.store.feeds import feed_id

if TYPE_CHECKING:
    from tests.e2e.desk import Desk


async def once(desk: Desk, **settings: str) -> list[dict[str, Any]]:
    """Look at what is due; returns what was logged of feeds."""
    ran = await asyncio.to_thread(run, "feed", "run", "--once", **(desk.settings | settings))
    assert (ran.code, ran.err) == (0, ""), ran
    return [line for line in ran.lines if line["event"].startswith(("feed_", "feeds_"))]


@pytest.mark.slow
async def test_moved_feed(desk: Desk) -> None:
    """By 301 and 308, on to another host, it is asked for there from then on; here again once it is lost."""
    desk.room.numbers = [1]
    elsewhere = f"http://{desk.room.hosts[1]}:{desk.room.port}/feed.xml"
    old = f"{desk.room.root}/old.xml"
    desk.room.moves = {"/old.xml": (301, "/older.xml"), "/older.xml": (308, elsewhere)}
    await desk.feeds.add(old)
    moved, checked = await once(desk)
    assert (moved["event"], moved["location"]) == ("feed_moved", elsewhere)
    assert (checked["event"], checked["new"]) == ("feed_checked", 1)
    assert desk.room.paths.count("/old.xml") == 1
    await desk.make_due()
    (checked,) = await once(desk)
    assert (checked["status"], desk.room.paths.count("/old.xml")) == (304, 1)
    desk.room.status = 404
    await desk.make_due()
    (failed,) = await once(desk)
    assert (failed["event"], failed["reason"], failed["status"]) == ("feed_failed", "http_404", 404)
    feed = await desk.feeds.find(feed_id(old))
    assert feed is not None
    assert (feed.moved_to, feed.address) == ("", old)
    assert desk.room.breaches(0.05) == []


@pytest.mark.slow
async def test_feed_that_did_not_change_for_long_is_not_pushed_again(desk: Desk) -> None:
    """What it holds was last read INGEST_FEED_SEEN_DAYS ago, as it answers 304; then something is new."""
    desk.room.numbers = [2, 1]
    await desk.feeds.add(desk.room.feed)
    await once(desk)
    seen = f"{{ingest:queue}}:feed_seen:{feed_id(desk.room.feed)}"
    for digest in await desk.connection.command("ZRANGE", seen, 0, -1):
        await desk.connection.command("ZADD", seen, 1, digest)
    await desk.make_due()
    (checked,) = await once(desk)
    assert checked["status"] == 304
    desk.room.numbers = [3, 2, 1]
    await desk.make_due()
    (checked,) = await once(desk)
    assert (checked["status"], checked["new"]) == (200, 1)
    assert await desk.queued_urls() == desk.room.articles([1, 2, 3])


@pytest.mark.slow
async def test_feed_waits_for_room_in_the_queue(desk: Desk) -> None:
    """A look ends between two pushes where the queue is full; with room again the rest follows, each once."""
    desk.room.numbers = list(range(1200))
    await desk.feeds.add(desk.room.feed)
    paused, postponed = await once(desk, frontier_limit="400", log_level="debug")
    assert (paused["event"], paused["why"], paused["limit"]) == ("feeds_paused", "queue", 400)
    assert postponed["event"] == "feed_postponed"
    first = await desk.queued_urls()
    assert len(first) == 500
    await desk.make_due()
    (paused,) = await once(desk, frontier_limit="400")
    assert paused["event"] == "feeds_paused"
    assert len(desk.room.asked) == 1, "asked for though nothing of it could be pushed"
    await desk.connection.command("DEL", desk.keys.queue)
    (checked,) = await once(desk)
    assert (checked["status"], checked["new"]) == (200, 700)
    urls = first + await desk.queued_urls()
    assert len(urls) == 1200
    assert set(urls) == set(desk.room.articles(desk.room.numbers))


@pytest.mark.slow
async def test_feeds_wait_for_room_in_redis(desk: Desk) -> None:
    """At the share of maxmemory nothing is asked for; the feeder goes on once there is room again."""
    desk.room.numbers = [1]
    desk.fleet.settings["INGEST_REDIS_MEMORY_SHARE"] = "0.0001"
    await desk.feeds.add(desk.room.feed)
    await desk.connection.command("CONFIG", "SET", "maxmemory", 1 << 30)
    desk.fleet.start(command=FEEDER)
    await desk.until(lambda: desk.count("feeds_paused"), "a pause")
    assert desk.room.asked == []
    await desk.connection.command("CONFIG", "SET", "maxmemory", 0)
    await desk.until(lambda: desk.count("feed_checked"), "a look")
    assert desk.count("feeds_resumed") == 1
    assert await asyncio.to_thread(desk.fleet.stop) == [0]


@pytest.mark.slow
async def test_temporary_redirect_is_no_move(desk: Desk) -> None:
    """By 302 the feed stays where it is."""
    desk.room.numbers = [1]
    desk.room.moves = {"/old.xml": (302, desk.room.feed)}
    await desk.feeds.add(f"{desk.room.root}/old.xml")
    (checked,) = await once(desk)
    assert checked["new"] == 1
    feed = await desk.feeds.find(feed_id(f"{desk.room.root}/old.xml"))
    assert feed is not None
    assert feed.moved_to == ""


@pytest.mark.slow
async def test_retry_after(desk: Desk) -> None:
    """What the server asks for holds beyond the longest pause, for the feed and for its host."""
    desk.room.numbers, desk.room.status, desk.room.headers = [1], 503, {"Retry-After": "90"}
    await desk.feeds.add(desk.room.feed)
    (failed,) = await once(desk)
    assert (failed["reason"], failed["failures"]) == ("http_503", 1)
    assert 90 <= failed["next_in_s"] < 91
    await desk.feeds.remove(feed_id(desk.room.feed))
    await desk.feeds.add(desk.room.feed)
    (postponed,) = await once(desk, log_level="debug")
    assert postponed["event"] == "feed_postponed"
    assert 10 < postponed["next_in_s"] <= 90
    assert len(desk.room.asked) == 1


@pytest.mark.slow
async def test_failing_feed_recovers(desk: Desk) -> None:
    """Failures in a row are counted until it can be had again."""
    desk.room.numbers, desk.room.documents = [1], {"/feed.xml": ("text/html", "<!doctype html>")}
    await desk.feeds.add(desk.room.feed)
    (failed,) = await once(desk)
    assert (failed["reason"], failed["error"]) == ("not_feed", "not_feed: an HTML page")
    assert (await desk.watched()).failures == 1
    desk.room.documents = {}
    await desk.make_due()
    (checked,) = await once(desk)
    assert checked["new"] == 1
    feed = await desk.watched()
    assert (feed.failures, feed.error) == (0, "")


@pytest.mark.slow
async def test_forbidden_feed_is_not_asked_for(desk: Desk) -> None:
    """robots.txt holds for feeds, and its Crawl-delay is kept for the fleet."""
    robots = "User-agent: *\nDisallow: /feed.xml\nCrawl-delay: 7\n"
    desk.room.documents = {"/robots.txt": ("text/plain", robots)}
    await desk.feeds.add(desk.room.feed)
    (failed,) = await once(desk)
    assert failed["reason"] == "robots"
    assert desk.room.paths == ["/robots.txt"]
    host = f"{desk.room.hosts[0]}:{desk.room.port}"
    assert await desk.connection.command("HGET", desk.keys.part(0, "crawl_delay"), host) == b"7000"


@pytest.mark.slow
async def test_index_has_its_sitemaps_watched(desk: Desk) -> None:
    """Each is a feed of its own, and what they hold at first is passed over if the index was to be."""
    room = desk.room
    form = "<sitemapindex>{}</sitemapindex>"
    listed = [f"<sitemap><loc>{room.root}/map{number}.xml</loc></sitemap>" for number in range(3)]
    for number in range(3):
        room.documents[f"/map{number}.xml"] = (
            "text/xml",
            f"<urlset><url><loc>{room.articles([number])[0]}</loc></url></urlset>",
        )
    room.documents["/index.xml"] = ("text/xml", form.format("".join(listed[:2])))
    await desk.feeds.add(f"{room.root}/index.xml", fields={"skip_present": 1})
    lines = await once(desk)
    assert [line["event"] for line in lines].count("feed_added") == 2
    assert await desk.queued() == []
    room.documents["/index.xml"] = ("text/xml", form.format("".join(listed)))
    await desk.make_due()
    await once(desk)
    assert await desk.queued_urls() == room.articles([2])
    parents = [feed.parent for feed in [each async for each in desk.feeds.all()]]
    assert sorted(parents) == sorted(["", *[feed_id(f"{room.root}/index.xml")] * 3])
    removed = await asyncio.to_thread(run, "feed", "remove", f"{room.root}/index.xml", **desk.settings)
    assert removed.out.count("removed") == 4


@pytest.mark.slow
async def test_sitemap_that_an_index_has_given_up(desk: Desk) -> None:
    """Missing time after time, it ends; a feed that was added by name is asked for on and on."""
    desk.room.status = 404
    await desk.feeds.add(desk.room.feed, fields={"failures": 19, "parent": "0123456789abcdef"})
    await desk.feeds.add(f"{desk.room.root}/gone/1", fields={"failures": 19})
    lines = await once(desk)
    assert {line["event"]: line["feed"] for line in lines} == {
        "feed_ended": desk.room.feed,
        "feed_failed": f"{desk.room.root}/gone/1",
    }


@pytest.mark.slow
async def test_feed_that_kills_its_feeders_is_left_alone(desk: Desk) -> None:
    """After three of them vanished while looking at it, it counts as failed, and nobody asks for it."""
    desk.room.numbers = [1]
    await desk.feeds.add(desk.room.feed)
    key = desk.keys.feed(feed_id(desk.room.feed))
    await desk.connection.command("HSET", key, "token", "of one who died", "crashes", 2)
    taken_over, failed = await once(desk)
    assert (taken_over["event"], taken_over["crashes"]) == ("feed_taken_over", 3)
    assert (failed["event"], failed["reason"]) == ("feed_failed", "poison")
    assert desk.room.asked == []
    await desk.make_due()
    (checked,) = await once(desk)
    assert checked["new"] == 1


@pytest.mark.slow
async def test_stopped_feeder_gives_its_feed_back(desk: Desk) -> None:
    """On SIGTERM a look under way is dropped: another feeder has the feed at once, and counts no crash."""
    desk.room.numbers, desk.room.held = [1], 1
    desk.fleet.settings["INGEST_LEASE_S"] = "60"
    await desk.feeds.add(desk.room.feed)
    feeder = desk.fleet.start(command=FEEDER)
    await asyncio.wait_for(desk.room.waiting.acquire(), 30)
    await asyncio.to_thread(desk.fleet.term, feeder)
    assert not (await desk.watched()).leased
    (checked,) = await once(desk)
    assert (checked["event"], checked["new"]) == ("feed_checked", 1)
    assert await asyncio.to_thread(desk.fleet.stop) == [0]


@pytest.mark.slow
async def test_redis_that_is_restarted(desk: Desk) -> None:
    """A feeder waits for Redis and goes on; entries are pushed once all the same."""
    desk.room.numbers, desk.room.held = [2, 1], 1
    await desk.feeds.add(desk.room.feed)
    desk.fleet.start(command=FEEDER)
    await asyncio.wait_for(desk.room.waiting.acquire(), 30)
    desk.server.stop(signal.SIGKILL)
    desk.room.release.set()
    await desk.until(lambda: desk.count("redis_unavailable"), "an outage noticed")
    desk.server.start()
    await desk.until(lambda: desk.count("feed_checked"), "a look")
    assert await desk.queued_urls() == desk.room.articles([1, 2])
    assert await asyncio.to_thread(desk.fleet.stop) == [0]
