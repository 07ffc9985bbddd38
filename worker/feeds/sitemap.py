"""Sitemaps (sitemaps.org), Google's news sitemaps, their indexes, and sitemaps that are lists of lines."""

from __future__ import annotations

from typing import Any

from worker.feeds.markup import bases_of, name_of, text_of
from worker.feeds.model import MOST_ENTRIES, Feed, Kind, NotAFeed
from worker.feeds.records import Entries, Raw, absolute, title_of
from worker.feeds.text import instant

ROOTS: dict[str, Kind] = {"urlset": "sitemap", "sitemapindex": "sitemap-index"}
_LINES_SNIFFED = 20


class Reader:
    """Reads one document, record by record."""

    RECORDS = frozenset({"url", "sitemap"})

    def __init__(self, url: str, kind: Kind) -> None:
        self._url = url
        self._kind: Kind = kind
        self._entries = Entries()
        self._sitemaps: dict[str, str] = {}  # URL → instant, by which to sort
        self._publication: str | None = None

    def outside(self, element: Any, name: str) -> None:
        """Nothing is said of a sitemap as a whole."""

    def record(self, element: Any, name: str) -> None:
        """Keep the page, or the sitemap, that the element tells of."""
        said, news = _texts(element), dict[str, str]()
        for child in element:
            if name_of(child.tag) == "news:news":
                news |= _texts(child)
                for publication in child:
                    if name_of(publication.tag) == "news:publication":
                        news |= {f"of {key}": text for key, text in _texts(publication).items()}
        url = absolute(said.get("loc"), (self._url, *bases_of(element)))
        if self._kind == "sitemap-index":
            if name == "sitemap" and url and len(self._sitemaps) < MOST_ENTRIES:
                when = instant(said.get("lastmod"))
                self._sitemaps[url] = when[1].isoformat() if when else ""
            return
        if news:
            self._kind = "news-sitemap"
            self._publication = self._publication or news.get("of news:name")
        self._entries.add(
            Raw(
                url=url,
                title=news.get("news:title"),
                published=news.get("news:publication_date"),
                updated=said.get("lastmod"),
                language=news.get("of news:language"),
            )
        )

    def feed(self, broken: str | None) -> Feed:
        """All that was read."""
        return Feed(
            kind=self._kind,
            title=title_of(self._publication),
            entries=tuple(self._entries.kept),
            sitemaps=tuple(sorted(self._sitemaps, key=self._sitemaps.__getitem__, reverse=True)),
            broken=broken,
            passed_over=self._entries.passed_over,
        )


def read_lines(text: str) -> Feed:
    """A sitemap of one URL a line. Raises NotAFeed unless its first lines are URLs."""
    lines = [line.strip() for line in text[: 1 << 16].splitlines() if line.strip()][:_LINES_SNIFFED]
    if not lines or not all(line.startswith(("http://", "https://")) and " " not in line for line in lines):
        raise NotAFeed("plain text")
    entries = Entries()
    for line in text.splitlines():
        if line.strip():
            entries.add(Raw(url=absolute(line, ())))
    return Feed("sitemap", entries=tuple(entries.kept), passed_over=entries.passed_over)


def _texts(element: Any) -> dict[str, str]:
    """The texts of the children, the first of each name."""
    found: dict[str, str] = {}
    for child in element:
        found.setdefault(name_of(child.tag), text_of(child).strip())
    return found
