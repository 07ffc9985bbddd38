"""Feeds as a terminal shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from worker.cli.feed_show import details_of, table_of, table_of_found
from worker.feeds import Entry, Feed
from worker.runtime.discovery import Found
from worker.store.feeds import WatchedFeed

if TYPE_CHECKING:
    from rich.table import Table

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
URL = "https://news.example/rss.xml"


def shown(table: Table) -> list[list[str]]:
    """The table's lines, each as its words that stand two spaces or more apart."""
    written = StringIO()
    Console(width=200, file=written).print(table)
    lines = written.getvalue().splitlines()
    return [[word.strip() for word in line.split("  ") if word.strip()] for line in lines]


@pytest.mark.parametrize(
    ("feed", "expected"),
    [
        (WatchedFeed("f", URL, due_ms=NOW_MS), ["f", "–", "0", "–", "due", "new", URL]),
        (
            WatchedFeed("f", URL, NOW_MS + 90_000, "rss", interval_s=1800, pushed=1234, worked_ms=1),
            ["f", "rss", "1,234", "30 min", "in 90 s", "active", URL],
        ),
        (
            WatchedFeed("f", URL, NOW_MS + 7_300_000, "news-sitemap", failures=3, error="http_503"),
            ["f", "news sitemap", "0", "–", "in 2 h", "failed 3×: http_503", URL],
        ),
        (
            WatchedFeed("f", URL, None, "sitemap-index", state="ended", error="http_410"),
            ["f", "sitemap index", "0", "–", "never", "ended (http_410)", URL],
        ),
        (
            WatchedFeed("f", URL, NOW_MS + 9, leased=True, worked_ms=1),
            ["f", "–", "0", "–", "now", "active", URL],
        ),
    ],
)
def test_line_of_a_feed(feed: WatchedFeed, expected: list[str]) -> None:
    """What it is, how often it is looked at, when next, and how it does."""
    head, line = shown(table_of([feed], NOW_MS))
    assert head == ["id", "kind", "pushed", "every", "next", "state", "url"]
    assert line == expected


def test_details_leave_out_what_is_not_known() -> None:
    """And keep a stranger's title from steering the terminal."""
    feed = WatchedFeed("f", URL, due_ms=NOW_MS, title="News\x1b[2J", pushed=7)
    lines = dict(line for line in shown(details_of(feed, NOW_MS)) if len(line) == 2)
    assert lines["title"] == "News [2J"
    assert (lines["pushed"], lines["next"]) == ("7", "due")
    assert "error" not in lines


def test_table_of_what_was_found() -> None:
    """Kind, whether it is of news, how many entries, how old the newest, URL and title."""
    entry = Entry("https://news.example/1", when=NOW - timedelta(hours=5))
    found = [
        Found(URL, "page", Feed("rss", title="All", entries=(entry,))),
        Found(f"{URL}?2", "page", Feed("atom", entries=(entry,)), same_as=URL),
        Found("https://news.example/map.xml", "robots.txt", Feed("sitemap-index", sitemaps=("a", "b"))),
    ]
    assert shown(table_of_found(found, NOW)) == [
        ["kind", "news", "entries", "newest", "url", "title"],
        ["rss", "yes", "1", "5 h ago", URL, "All"],
        ["atom", "yes", "1", "5 h ago", f"{URL}?2", "as the one above"],
        ["sitemap index", "no", "2", "–", "https://news.example/map.xml"],
    ]
