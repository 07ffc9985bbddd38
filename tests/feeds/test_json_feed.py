"""JSON Feed 1 and 1.1, and what only looks like it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.feeds.documents import read
from worker.feeds import NotAFeed


def document(*items: object, **said: object) -> bytes:
    """A feed of version 1.1."""
    return orjson.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": items, **said}
    )


def test_version_1_1() -> None:
    """All that an item says, with the feed's authors where it names none."""
    dates = {"date_published": "2026-03-04T05:06:07+01:00", "date_modified": "2026-03-05T00:00:00Z"}
    own = {"id": 7, "url": "/1", "title": "Pier", "authors": [{"name": "Ann"}], "language": "de", **dates}
    feed = read(
        document(own, {"id": "8", "url": "https://news.example/2"}, authors=[{"name": "Bo"}], language="en")
    )
    first, second = feed.entries
    assert (feed.kind, feed.title, feed.language) == ("json", "News", "en")
    assert (first.url, first.id, first.title, first.authors) == (
        "https://news.example/1",
        "7",
        "Pier",
        ("Ann",),
    )
    assert (first.published_at, first.updated_at) == (
        "2026-03-04T05:06:07+01:00",
        "2026-03-05T00:00:00+00:00",
    )
    assert (first.meta(feed, "u")["language"], second.meta(feed, "u")["language"]) == ("de", "en")
    assert second.authors == ("Bo",)


def test_version_1() -> None:
    """Its one author stands under `author`."""
    item = {"id": "1", "url": "https://news.example/1", "author": {"name": "Ann"}}
    feed = read(document(item, version="https://jsonfeed.org/version/1"))
    assert feed.entries[0].authors == ("Ann",)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"id": "1", "external_url": "https://other.example/1"}, "https://other.example/1"),
        ({"id": "https://news.example/1"}, "https://news.example/1"),
        ({"id": "1", "url": 7}, None),
        ({"id": "1", "url": "mailto:x@news.example"}, None),
        ("https://news.example/1", None),
        (None, None),
    ],
)
def test_link(item: Any, expected: str | None) -> None:
    """The item's page, or the one that it is about, or its id; wrong types count as nothing said."""
    feed = read(document(item))
    assert [entry.url for entry in feed.entries] == ([expected] if expected else [])


def test_expired() -> None:
    """A feed can say that it will never change again."""
    assert read(document(expired=True)).expired
    assert not read(document(expired="no")).expired


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"items": []}', "names no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1"}', "no list of items"),
        ("[1, 2]", "no list of items"),
        ('{"version": "https://jsonfeed.org/version/1", "items": [', "broken JSON"),
        ("[" * 100_000, "broken JSON"),
    ],
)
def test_other_json(text: str, why: str) -> None:
    """JSON that is no feed is refused with what is missing."""
    with pytest.raises(NotAFeed, match=why):
        read(text)


def test_half_a_surrogate_pair() -> None:
    """A text that no UTF-8 can hold is refused as broken: nothing could be made of it."""
    text = document({"id": "1", "url": "/1", "title": "x"}).decode().replace('"x"', '"\\ud83d"')
    with pytest.raises(NotAFeed, match="broken JSON"):
        read(text)
