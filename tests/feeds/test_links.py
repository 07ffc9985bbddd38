"""The feeds that a page names."""

from __future__ import annotations

import pytest

from worker.feeds.links import MOST_LINKS, feed_links

PAGE = "https://news.example/sport/"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ('rel="alternate" type="application/rss+xml" title="Sport &amp; more" href="/s.xml"', "Sport & more"),
        ('REL="Alternate" TYPE="application/atom+xml; charset=utf-8" HREF="../s.xml"', None),
        ('rel="alternate" type="application/feed+json" href="https://news.example/s.xml"', None),
        ('rel="feed" href="/s.xml" title="S"', "S"),
        ('rel="home alternate" type="text/xml" href="/s.xml"', None),
    ],
)
def test_named_feed(link: str, expected: str | None) -> None:
    """Alternates of a feed's type, and what is plainly called a feed, with their titles."""
    assert feed_links(f"<html><head><link {link}></head>", PAGE) == {"https://news.example/s.xml": expected}


@pytest.mark.parametrize(
    "link",
    [
        'rel="alternate" hreflang="de" href="/de"',
        'rel="alternate" type="text/html" href="/m"',
        'rel="stylesheet" type="text/css" href="/s.css"',
        'rel="alternate" type="application/rss+xml" href="/comments/feed"',
        'rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1"',
        'rel="alternate" type="application/rss+xml" href="feed:broken"',
        'rel="alternate" type="application/rss+xml" href=""',
    ],
)
def test_what_is_no_feed_of_articles(link: str) -> None:
    """Translations, styles, comments and interfaces are left out."""
    assert feed_links(f"<link {link}>", PAGE).keys() <= {PAGE}


def test_base_and_repetition() -> None:
    """Links are relative to the page's base, and each counts once."""
    link = '<link rel="alternate" type="application/rss+xml" href="s.xml">'
    assert list(feed_links(f'<base href="/feeds/">{link}{link}', PAGE)) == [
        "https://news.example/feeds/s.xml"
    ]


def test_no_more_than_a_few() -> None:
    """A page may name thousands."""
    links = "".join(f'<link rel="feed" href="/{n}.xml">' for n in range(1000))
    assert len(feed_links(links, PAGE)) == MOST_LINKS
