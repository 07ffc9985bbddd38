"""Short words for feeds in tests."""

from __future__ import annotations

from worker.feeds import Feed, parse_feed

URL = "https://news.example/feeds/all.xml"
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "atom": "http://www.w3.org/2005/Atom",
        "dc": "http://purl.org/dc/elements/1.1/",
        "dcterms": "http://purl.org/dc/terms/",
        "sy": "http://purl.org/rss/1.0/modules/syndication/",
        "media": "http://search.yahoo.com/mrss/",
        "content": "http://purl.org/rss/1.0/modules/content/",
        "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
        "news": "http://www.google.com/schemas/sitemap-news/0.9",
        "image": "http://www.google.com/schemas/sitemap-image/1.1",
    }.items()
)


def rss(*items: str, channel: str = "<title>News</title>") -> str:
    """An RSS 2.0 document of these items' contents."""
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0" {NAMESPACES}><channel>{channel}{inside}</channel></rss>'


def atom(*entries: str, head: str = "<title>News</title>", attributes: str = "") -> str:
    """An Atom 1.0 document of these entries' contents."""
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}>{head}{inside}</feed>'


def sitemap(*urls: str) -> str:
    """A sitemap of these urls' contents."""
    inside = "".join(f"<url>{url}</url>" for url in urls)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" {NAMESPACES}>{inside}</urlset>'


def read(document: str | bytes, content_type: str | None = None) -> Feed:
    """What the document says."""
    body = document.encode() if isinstance(document, str) else document
    return parse_feed(body, url=URL, content_type=content_type)


def links(document: str | bytes) -> list[str]:
    """The URLs of the document's entries."""
    return [entry.url for entry in read(document).entries]
