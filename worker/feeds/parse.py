"""Any bytes to a Feed, or to a word on why they are none."""

from __future__ import annotations

import re
from typing import Any

from worker.feeds import json_feed, sitemap, syndication
from worker.feeds.markup import elements, name_of
from worker.feeds.model import Feed, NotAFeed
from worker.feeds.text import decoded, unzipped

#: The protocol's limit is 50 MB (52,428,800 bytes) before compression (sitemaps.org).
MOST_BYTES = 52_428_800
_SNIFFED_CHARS = 2_000
#: What records stand in: what else stands there is of no use once it was noted.
_FRAMES = frozenset({"rss", "rdf:rdf", "channel", "feed", "urlset", "sitemapindex"})
_HTML = re.compile(r"<!doctype html|<html[\s>]", re.IGNORECASE)


def parse_feed(
    body: bytes, *, url: str, content_type: str | None = None, limit_bytes: int = MOST_BYTES
) -> Feed:
    """What `body`, had from `url`, tells: RSS 0.9x, 1.0 and 2.0, Atom, JSON Feed, sitemaps and their indexes.

    A document that is broken or cut gives what can be read of it, and `broken` says so. Total: raises
    NotAFeed, and nothing else, for whatever bytes.
    """
    text = decoded(unzipped(body, limit_bytes), content_type).lstrip()
    head = text[:_SNIFFED_CHARS]
    if not head:
        raise NotAFeed("an empty document")
    if head[0] in "{[":
        return json_feed.read(text, url)
    if "<" not in head:
        return sitemap.read_lines(text)
    if _HTML.search(head):
        raise NotAFeed("an HTML page")
    return _read_xml(text, url)


def _read_xml(text: str, url: str) -> Feed:
    """Walk the elements once, clearing each record that was read: memory stays that of one record."""
    troubles: list[str] = []
    reader: syndication.Reader | sitemap.Reader | None = None
    inside = 0  # of how many records: one that is in another stands behind one that was not closed
    root: Any = None
    for event, element in elements(text, troubles):
        name = name_of(element.tag)
        if root is None:
            root, reader = element, _reader_of(name, url)
        if reader is None:
            raise NotAFeed(f"XML of another kind: its root is <{name or 'nameless'}>")
        if name in reader.RECORDS:
            inside += 1 if event == "start" else -1
            if event == "end":
                reader.record(element, name)
                _forget(element, alone=inside > 0)
        elif event == "end" and not inside and (parent := element.getparent()) is not None:
            reader.outside(element, name)
            if name_of(parent.tag) in _FRAMES:
                _forget(element)
    if reader is None:
        raise NotAFeed("text without any element of XML")
    return reader.feed(troubles[0] if troubles else None)


def _reader_of(name: str, url: str) -> syndication.Reader | sitemap.Reader | None:
    if name in syndication.ROOTS:
        return syndication.Reader(url, syndication.ROOTS[name])
    if name in sitemap.ROOTS:
        return sitemap.Reader(url, sitemap.ROOTS[name])
    return None


def _forget(element: Any, *, alone: bool = False) -> None:
    """Free its memory, and unless `alone` that of its elder siblings."""
    element.clear()
    parent = None if alone else element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
