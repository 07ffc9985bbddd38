"""`ingest feed` and `ingest discover` as processes, against a site on loopback and a real Redis."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import Ran, run
from tests.e2e.newsroom import Newsroom
from tests.servers import free_port
from worker.store.feeds import feed_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers import RedisServer
    from worker.store.connection import Connection

SITEMAP = '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{}</urlset>'
NEWS = "<url><loc>{}/a/{}</loc><news:news><news:title>T</news:title></news:news></url>"
LINK = '<link rel="alternate" type="application/rss+xml" href="/feed.xml" title="All">'


def json_feed(*urls: str) -> str:
    """A JSON Feed of these URLs."""
    return json.dumps({"version": "https://jsonfeed.org/version/1", "items": [{"url": url} for url in urls]})


@pytest.fixture
async def room() -> AsyncIterator[Newsroom]:
    """Two articles in its feed, which its page names."""
    async with Newsroom() as room:
        room.numbers = [2, 1]
        room.documents["/"] = ("text/html", f"<!doctype html><head>{LINK}</head><body>News")
        yield room


async def ingest(*words: str, redis: str = "redis://127.0.0.1:1/0", **settings: str) -> Ran:
    """Run a command; the site may be fetched from."""
    given = {"allow_networks": "127.0.2.0/24", "host_spacing_s": "0.02", "redis_url": redis, **settings}
    return await asyncio.to_thread(partial(run, *words, **given))


@pytest.fixture
def redis(connection: Connection, redis_server: RedisServer) -> str:
    """The emptied server's URL."""
    return redis_server.url


async def test_feed_is_added_listed_shown_and_removed(room: Newsroom, redis: str) -> None:
    """All that an operator does with a feed, by its URL or its id."""
    added = await ingest("feed", "add", room.feed, redis=redis)
    identity = feed_id(room.feed)
    assert (added.code, added.err) == (0, "")
    assert added.out == f"{identity}  watched from now on  {room.feed}  (rss, 2 entries)\n"
    again = await ingest("feed", "add", "--unchecked", room.feed, redis=redis)
    assert again.out == f"{identity}  watched already  {room.feed}\n"
    (listed,) = (await ingest("feed", "list", redis=redis)).lines
    shown = await ingest("feed", "show", room.feed, "--json", redis=redis)
    assert shown.json == listed
    assert (listed["id"], listed["kind"], listed["title"]) == (identity, "rss", "Harbour & pier")
    assert (listed["state"], listed["pushed"], listed["failures"]) == ("active", 0, 0)
    assert "Harbour & pier" in (await ingest("feed", "show", identity, redis=redis)).out
    removed = await ingest("feed", "remove", identity, redis=redis)
    assert removed.out == f"{identity}  removed  {room.feed}\n"
    assert (await ingest("feed", "list", redis=redis)).out == ""


async def test_what_a_feed_holds_can_be_passed_over(
    room: Newsroom, redis: str, connection: Connection
) -> None:
    """With --new-only, only what comes after the first look is pushed."""
    assert (await ingest("feed", "add", "--new-only", room.feed, redis=redis)).code == 0
    short = {"feed_interval_min_s": "0.01", "feed_interval_max_s": "0.01"}
    assert (await ingest("feed", "run", "--once", redis=redis, **short)).code == 0
    assert await connection.command("LLEN", "ingest:queue") == 0
    room.numbers = [3, 2, 1]
    assert (await ingest("feed", "run", "--once", redis=redis, **short)).code == 0
    (item,) = await connection.command("LRANGE", "ingest:queue", 0, -1)
    assert b"/a/3" in item


async def test_archive_is_warned_of(room: Newsroom, redis: str) -> None:
    """A sitemap may hold all that a site ever published: whoever adds one hears that it will be pushed."""
    room.documents["/map.xml"] = ("text/xml", SITEMAP.format(f"<url><loc>{room.root}/a/7</loc></url>"))
    ran = await ingest("feed", "add", f"{room.root}/map.xml", redis=redis)
    assert (
        "(sitemap, 1 entries; all that it holds will be pushed: with --new-only none of that is)" in ran.out
    )


async def test_page_is_no_feed(room: Newsroom, redis: str) -> None:
    """It is refused with what it is, and with the command that adds the feed which it names."""
    ran = await ingest("feed", "add", f"{room.root}/", redis=redis)
    assert ran.code == 1
    assert f"{room.root}/ is no feed: it is an HTML page" in ran.err
    assert f"ingest feed add {room.feed}" in ran.err
    assert (await ingest("feed", "list", redis=redis)).out == ""


async def test_page_without_any_feed(room: Newsroom, redis: str) -> None:
    """Then it is said that nothing was found there either."""
    room.numbers, room.status = [], 404
    room.documents["/"] = ("text/html", "<!doctype html><p>News")
    ran = await ingest("feed", "add", f"{room.root}/a/1", redis=redis)
    assert ran.code == 1
    assert "no feed or sitemap was found there either" in ran.err


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.2.1:{}/feed.xml", "connect"),
        ("http://127.0.9.1/feed.xml", "blocked_address"),
        ("http://no-such-host.invalid/feed.xml", "dns"),
    ],
)
async def test_feed_that_cannot_be_had(redis: str, url: str, reason: str) -> None:
    """The message has the URL, the reason, and what may be done all the same."""
    url = url.format(free_port())
    ran = await ingest("feed", "add", url, redis=redis)
    assert ran.code == 1
    assert f"{url} cannot be had: {reason}" in ran.err
    assert "--unchecked" in ran.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("feed", "add", "ftp://news.example/"), "only http and https"),
        (("feed", "add", "news"), "not an absolute URL"),
        (("feed", "add"), "URL..."),
        (("discover", "https://"), "not an absolute URL"),
        (("discover", "news.example", "--new-only"), "--add"),
    ],
)
async def test_wrong_words(words: tuple[str, ...], hint: str) -> None:
    """They exit with 2, and nothing is asked for."""
    ran = await ingest(*words)
    assert (ran.code, hint in ran.err) == (2, True), ran.err


async def test_unknown_feed(redis: str) -> None:
    """What is not watched can be neither shown nor removed."""
    for verb in ("show", "remove"):
        ran = await ingest("feed", verb, "https://news.example/rss", redis=redis)
        assert (ran.code, "is not watched" in ran.err) == (1, True)


async def test_one_bad_feed_of_several(room: Newsroom, redis: str) -> None:
    """The good ones are watched, and the exit code says that not all are."""
    ran = await ingest("feed", "add", f"{room.root}/a/9", room.feed, redis=redis)
    assert ran.code == 1
    assert [feed["url"] for feed in (await ingest("feed", "list", redis=redis)).lines] == [room.feed]


def found(ran: Ran) -> dict[str, dict[str, Any]]:
    """What was discovered, by URL."""
    assert ran.code == 0, ran.err
    return {each["url"]: each for each in ran.lines}


async def test_discovery_by_page_and_robots(room: Newsroom) -> None:
    """A page's feeds, robots.txt's sitemaps and those of an index, with what each holds; without Redis."""
    root = room.root
    listed = "".join(f"<sitemap><loc>{root}/{name}.xml</loc></sitemap>" for name in ("old", "news"))
    robots = f"User-agent: *\nDisallow: /secret\nSitemap: {root}/index.xml\nSitemap: {root}/broken.xml\n"
    room.documents |= {
        "/robots.txt": ("text/plain", robots),
        "/index.xml": ("application/xml", f"<sitemapindex>{listed}</sitemapindex>"),
        "/old.xml": ("application/xml", SITEMAP.format(f"<url><loc>{root}/a/7</loc></url>")),
        "/news.xml": ("application/xml", SITEMAP.format(NEWS.format(root, 8))),
        "/broken.xml": ("text/html", "<!doctype html>"),
    }
    ran = await ingest("discover", f"{root}/")
    shown = found(ran)
    assert {
        url.removeprefix(root): (each["kind"], each["entries"], each["news"]) for url, each in shown.items()
    } == {
        "/feed.xml": ("rss", 2, True),
        "/news.xml": ("news-sitemap", 1, True),
        "/index.xml": ("sitemap-index", 2, False),
        "/old.xml": ("sitemap", 1, False),
    }
    assert shown[room.feed] == {
        "kind": "rss",
        "url": room.feed,
        "title": "Harbour & pier",
        "entries": 2,
        "newest": "2026-03-04T05:06:02+00:00",
        "news": True,
        "named_by": "page",
        "same_as": None,
        "broken": None,
    }
    assert f"named by robots.txt, but no feed: {root}/broken.xml: an HTML page" in ran.err
    assert sorted(room.paths) == sorted(
        ["/", "/robots.txt", "/feed.xml", "/index.xml", "/broken.xml", "/news.xml", "/old.xml"]
    )


async def test_discovery_of_usual_places(room: Newsroom) -> None:
    """They are asked where nothing is named, a few of them, and only until one is there."""
    room.documents["/"] = ("text/html", "<!doctype html><p>News")
    room.documents["/rss.xml"] = ("application/rss+xml", "<rss><channel><title>R</title></channel></rss>")
    shown = found(await ingest("discover", room.root))
    assert [(each["kind"], each["named_by"]) for each in shown.values()] == [("rss", "usual place")]
    assert room.paths == [
        *("/robots.txt", "/", "/feed", "/rss.xml"),
        *("/sitemap.xml", "/sitemap_index.xml", "/news-sitemap.xml"),
    ]


async def test_discovery_obeys_robots(room: Newsroom) -> None:
    """What robots.txt forbids is not asked for, and told as that."""
    room.documents["/robots.txt"] = ("text/plain", "User-agent: *\nDisallow: /feed.xml\n")
    ran = await ingest("discover", f"{room.root}/")
    assert ran.code == 1
    assert f"{room.feed}: robots" in ran.err
    assert "/feed.xml" not in room.paths


async def test_discovered_feeds_are_watched(room: Newsroom, redis: str) -> None:
    """--add watches those of news, one of several that hold the same."""
    room.documents["/"] = ("text/html", LINK + LINK.replace("/feed.xml", "/same.xml"))
    room.documents["/same.xml"] = (
        "application/feed+json",
        json_feed(*(f"{url}?utm_source=rss" for url in room.articles([1, 2]))),
    )
    ran = await ingest("discover", f"{room.root}/", "--add", redis=redis)
    assert found(ran)[f"{room.root}/same.xml"]["same_as"] == room.feed
    assert "watched from now on" in ran.err
    assert [feed["url"] for feed in (await ingest("feed", "list", redis=redis)).lines] == [room.feed]


async def test_site_that_cannot_be_had() -> None:
    """The message has the URL and the reason."""
    ran = await ingest("discover", f"http://127.0.2.1:{free_port()}/")
    assert (ran.code, "cannot be had: connect" in ran.err) == (1, True), ran.err
    assert ran.out == ""
