"""Sitemaps, news sitemaps, indexes, lists of lines, and gzip."""

from __future__ import annotations

import gzip

import pytest

from tests.feeds.documents import URL, links, read, sitemap
from worker.feeds import NotAFeed, parse_feed

LOC = "<loc>https://news.example/1</loc>"


def test_sitemap() -> None:
    """Pages with the dates of their last change; not every sitemap is of news."""
    feed = read(sitemap(f"{LOC}<lastmod>2026-03-04</lastmod><priority>0.5</priority>", "<loc>/2</loc>"))
    assert (feed.kind, feed.is_news) == ("sitemap", False)
    assert [(entry.url, entry.updated_at) for entry in feed.entries] == [
        ("https://news.example/1", "2026-03-04T00:00:00-00:00"),
        ("https://news.example/2", None),
    ]


def test_news_sitemap() -> None:
    """What Google News is told of an article goes with it."""
    news = (
        "<news:news><news:publication><news:name>The News</news:name><news:language>de</news:language>"
        "</news:publication><news:publication_date>2026-03-04T05:06:07Z</news:publication_date>"
        "<news:title>Pier &amp; more</news:title></news:news>"
    )
    image = "<image:image><image:loc>https://news.example/1.jpg</image:loc></image:image>"
    feed = read(sitemap(f"{image}{LOC}{news}"))
    (entry,) = feed.entries
    assert (feed.kind, feed.is_news, feed.title) == ("news-sitemap", True, "The News")
    assert entry.url == "https://news.example/1"
    assert (entry.title, entry.published_at, entry.language) == (
        "Pier & more",
        "2026-03-04T05:06:07+00:00",
        "de",
    )


def test_index() -> None:
    """An index names sitemaps, the last changed first, and no article."""
    listed = {"a": "2026-01-01", "b": "2026-03-01", "c": ""}
    inside = "".join(
        f"<sitemap><loc>/{name}.xml</loc>{date and f'<lastmod>{date}</lastmod>'}</sitemap>"
        for name, date in listed.items()
    )
    feed = read(f'<sitemapindex xmlns="http://www.google.com/schemas/sitemap/0.84">{inside}</sitemapindex>')
    assert feed.sitemaps == tuple(f"https://news.example/{name}.xml" for name in "bac")
    assert (feed.kind, feed.entries) == ("sitemap-index", ())


def test_lines() -> None:
    """A sitemap may be a text file, one URL a line; lines that are none are passed over."""
    feed = read(
        "https://news.example/1\r\nhttps://news.example/2\n\n" + "https://news.example/3\n" * 30 + "x\n"
    )
    assert len(feed.entries) == 32
    assert feed.passed_over == 1
    assert links("https://news.example/1") == ["https://news.example/1"]


@pytest.mark.parametrize(
    "text", ["See https://news.example/1", "https://news.example/1 and more", "User-agent: *"]
)
def test_text_is_no_sitemap(text: str) -> None:
    """Prose with a link in it is not a list of links."""
    with pytest.raises(NotAFeed, match="plain text"):
        read(text)


def test_gzip() -> None:
    """A file of gzip is unpacked, whatever its type says; a cut one as far as it goes."""
    whole = gzip.compress(sitemap(LOC, *[f"<loc>/{n}</loc>" for n in range(2000)]).encode())
    assert len(links(whole)) == 2001
    text = sitemap(LOC).encode()
    assert len(links(gzip.compress(text[:200]) + gzip.compress(text[200:]))) == 1  # of two members
    cut = read(whole[: len(whole) // 2])
    assert 100 < len(cut.entries) < 2001
    assert cut.broken
    with pytest.raises(NotAFeed, match="broken gzip"):
        read(b"\x1f\x8b\x08\x00 and no more")


def test_gzip_bomb() -> None:
    """A kilobyte that would be a megabyte is refused where the limit is less."""
    with pytest.raises(NotAFeed, match="over 1,000,000 bytes"):
        parse_feed(gzip.compress(b" " * 1_000_001), url=URL, limit_bytes=1_000_000)
    with pytest.raises(NotAFeed, match="empty"):
        parse_feed(gzip.compress(b" " * 1_000_000), url=URL, limit_bytes=1_000_000)


def test_no_more_entries_than_the_protocol_allows() -> None:
    """50,000 entries are read, and those beyond are counted."""
    feed = read("\n".join(f"https://news.example/{n}" for n in range(50_003)))
    assert (len(feed.entries), feed.passed_over) == (50_000, 3)
