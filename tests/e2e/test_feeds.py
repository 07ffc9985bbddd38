"""Feeds, from a publishing site to events with what the feed said: each new URL once, whoever is killed."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.cli.conftest import run
from tests.e2e.desk import FEEDER

if TYPE_CHECKING:
    from tests.e2e.desk import Desk


@pytest.mark.slow
async def test_feed_that_grows_becomes_events(desk: Desk) -> None:
    """Exactly the new URLs are queued, once each, and become articles that carry what the feed said."""
    desk.room.numbers = [3, 2, 1]
    added = await asyncio.to_thread(run, "feed", "add", desk.room.feed, **desk.settings)
    assert added.code == 0, added.err
    assert "rss, 3 entries" in added.out
    desk.fleet.start(command=FEEDER)
    desk.fleet.start()
    articles = desk.keys.articles()

    async def published() -> int:
        return int(await desk.connection.command("XLEN", articles))

    async def has(number: int) -> bool:
        return await published() == number

    await desk.until(lambda: has(3), "3 articles")
    desk.room.numbers = [5, 4, 3, 2]
    await desk.until(lambda: has(5), "5 articles")
    before = len(desk.room.asked)
    await desk.until(lambda: len(desk.room.asked) >= before + 3, "three looks more")
    assert await published() == 5
    assert await asyncio.to_thread(desk.fleet.stop) == [0, 0]
    entries = await desk.connection.command("XRANGE", articles, "-", "+")
    tasks = [orjson.loads(fields[b"data"])["task"] for _, fields in entries]
    metas = {meta["title"]: meta for meta in (task["meta"] for task in tasks)}
    assert metas.keys() == {f"Pier {number}" for number in range(1, 6)}
    assert metas["Pier 4"] == {
        "feed": desk.room.feed,
        "feed_title": "Harbour & pier",
        "feed_kind": "rss",
        "entry_id": "n4",
        "title": "Pier 4",
        "published_at": "2026-03-04T05:06:04+00:00",
        "author": "Ann Bell",
        "authors": ["Ann Bell"],
        "language": "en",
    }
    assert (await desk.watched()).pushed == 5
    refused = sum(line["event"] == "url_refused" for line in desk.fleet.lines())
    assert refused == 0
    assert desk.room.breaches(0.05) == []


@pytest.mark.slow
async def test_unchanged_feed_is_asked_for_under_its_etag(desk: Desk) -> None:
    """The first look gets the document; all later ones send its ETag, and get a 304 until it changes."""
    desk.room.numbers = [1]
    await desk.feeds.add(desk.room.feed)
    desk.fleet.start(command=FEEDER)
    await desk.until(lambda: len(desk.room.asked) >= 4, "four looks")
    desk.room.numbers = [2, 1]
    await desk.until(lambda: sum(each.status == 200 for each in desk.room.asked) == 2, "the changed document")
    await desk.until(lambda: desk.room.asked[-1].if_none_match == '"2"', "its ETag sent")
    assert await asyncio.to_thread(desk.fleet.stop) == [0]
    asked = desk.room.asked
    assert (asked[0].if_none_match, asked[0].status) == (None, 200)
    assert all(each.if_none_match for each in asked[1:])
    assert {each.status for each in asked[1:4]} == {304}
    assert await desk.queued_urls() == desk.room.articles([1, 2])


@pytest.mark.slow
async def test_feed_of_a_killed_feeder_is_taken_over(desk: Desk) -> None:
    """A feeder that dies by SIGKILL while it waits for a feed loses it to another, which pushes all of it."""
    desk.room.numbers, desk.room.held = [2, 1], 1
    await desk.feeds.add(desk.room.feed)
    first = desk.fleet.start(command=FEEDER)
    await asyncio.wait_for(desk.room.waiting.acquire(), 30)
    desk.fleet.start(command=FEEDER)
    desk.fleet.kill(first)
    await desk.until(lambda: desk.count("feed_checked"), "a look of the second one")
    assert desk.count("feed_taken_over") == 1
    assert await desk.queued_urls() == desk.room.articles([1, 2])
    assert await asyncio.to_thread(desk.fleet.stop) == [0]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_no_entry_is_pushed_twice_though_feeders_are_killed(desk: Desk) -> None:
    """Feeders killed in the midst of pushing 10,000 entries leave none out and push none again."""
    desk.room.numbers = list(range(10_000))
    await desk.feeds.add(desk.room.feed)

    async def length() -> int:
        return int(await desk.connection.command("LLEN", desk.keys.queue))

    async def has_grown(before: int) -> bool:
        return await length() > before or desk.count("feed_checked") > 0

    killed = 0
    for _ in range(2):
        before = await length()
        feeder = desk.fleet.start(command=FEEDER)
        await desk.until(partial(has_grown, before), "an entry pushed", every_s=0.001)
        desk.fleet.kill(feeder)
        killed += desk.count("feed_checked") == 0
    assert killed, "all feeders were done before they were killed"
    desk.fleet.start(command=FEEDER)
    await desk.until(lambda: desk.count("feed_checked"), "a whole look")
    assert await asyncio.to_thread(desk.fleet.stop) == [0]
    queued = await desk.queued_urls()
    assert len(queued) == 10_000
    assert set(queued) == set(desk.room.articles(desk.room.numbers))


@pytest.mark.slow
async def test_gone_feed_is_not_asked_for_again(desk: Desk) -> None:
    """410 ends a feed: it stays in the list, as ended, and nobody asks for it."""
    desk.room.status = 410
    await desk.feeds.add(desk.room.feed)
    ran = await asyncio.to_thread(run, "feed", "run", "--once", **desk.settings)
    assert ran.code == 0, ran.out + ran.err
    again = await asyncio.to_thread(run, "feed", "run", "--once", **desk.settings)
    assert again.code == 0
    assert len(desk.room.asked) == 1
    feed = await desk.watched()
    assert (feed.state, feed.error, feed.due_ms) == ("ended", "http_410", None)
    assert [line["event"] for line in ran.lines if line["event"].startswith("feed_")] == ["feed_ended"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["option", "setting"])
async def test_workers_look_at_feeds_where_told_to(desk: Desk, how: str) -> None:
    """With --feeds or INGEST_FEEDS, a worker alone does it all: from the feed to the event."""
    desk.room.numbers = [1]
    await desk.feeds.add(desk.room.feed)
    if how == "option":
        desk.fleet.start(command=("run", "--feeds"))
    else:
        desk.fleet.settings["INGEST_FEEDS"] = "true"
        desk.fleet.start()
    await desk.until(lambda: desk.count("article_published"), "an article")
    assert await asyncio.to_thread(desk.fleet.stop) == [0]
    assert desk.count("feeder_stopped") == 1


@pytest.mark.slow
async def test_feed_of_a_busy_host_has_its_turn(desk: Desk) -> None:
    """Hundreds of URLs that wait for a host do not keep its feed waiting; no request comes early."""
    desk.fleet.settings["INGEST_HOST_SPACING_S"] = "0.3"
    host = desk.room.hosts[0]
    urls = [f"http://{host}:{desk.room.port}/a/{number}" for number in range(300)]
    await desk.connection.command("RPUSH", desk.keys.queue, *urls)
    desk.fleet.start()
    await desk.until(lambda: desk.count("article_published") >= 3, "a busy host")
    desk.room.numbers = [1000]
    await desk.feeds.add(desk.room.feed)
    desk.fleet.start(command=FEEDER)
    await desk.until(lambda: desk.count("feed_checked") >= 3, "three looks")
    published = desk.count("article_published")
    assert await asyncio.to_thread(desk.fleet.stop) == [0, 0]
    assert published < 250
    assert desk.room.breaches(0.3) == []
