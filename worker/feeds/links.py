"""Where a page says that its feeds are."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from worker.feeds.records import absolute
from worker.feeds.text import plain

_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "application/json",
        "application/xml",
        "text/xml",
    }
)
#: Kinds of feeds that WordPress and others offer beside the articles.
_NO_ARTICLES = ("/comments/", "oembed", "wp-json")
MOST_LINKS = 20


def feed_links(page: str, url: str) -> dict[str, str | None]:
    """URL → title of the feeds that a page's `<link rel="alternate">` and `rel="feed"` name, in its order."""
    tree = LexborHTMLParser(page)
    base = tree.css_first("base[href]")
    bases = (url, (base.attributes.get("href") or "") if base is not None else "")
    found: dict[str, str | None] = {}
    for link in tree.css("link[rel][href]"):
        said = {name: value or "" for name, value in link.attributes.items()}
        rels = said["rel"].lower().split()
        kind = said.get("type", "").partition(";")[0].strip().lower()
        named = "feed" in rels or ("alternate" in rels and kind in _TYPES)
        target = absolute(said["href"], [each for each in bases if each]) if named else None
        if target and not any(word in target for word in _NO_ARTICLES):
            found.setdefault(target, plain(said.get("title"), 200))
        if len(found) == MOST_LINKS:
            break
    return found
