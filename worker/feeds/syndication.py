"""RSS in all its versions and Atom: publishers mix their elements, so one reader knows both."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from worker.feeds.markup import bases_of, name_of, text_of
from worker.feeds.model import Feed, Kind
from worker.feeds.records import Entries, Raw, absolute, title_of
from worker.feeds.text import squeezed

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOTS: dict[str, Kind] = {"rss": "rss", "rdf:rdf": "rss", "rdf": "rss", "channel": "rss", "feed": "atom"}

#: Which elements hold what, the best first.
_ORIGINAL = ("feedburner:origlink", "pheedo:origlink")
_PUBLISHED = (
    "published",
    "pubdate",
    "issued",
    "dc:date",
    "dcterms:issued",
    "dcterms:created",
    "created",
    "date",
)
_UPDATED = ("updated", "modified", "dcterms:modified", "lastbuilddate")
_AUTHORS = ("dc:creator", "author", "itunes:author", "creator")
_LANGUAGE = ("language", "dc:language")
#: Beside an address, RSS 2.0's `author` has the name in brackets.
_NAME_OF_ADDRESS = re.compile(r"\s*[^\s@()]+@[^\s@()]+\s*\((.+)\)\s*\Z", re.DOTALL)
_ADDRESS = re.compile(r"\s*(?:mailto:)?[^\s@]+@[^\s@]+\s*\Z")
#: RSS 1.0's syndication module: updatePeriod (daily by default) over updateFrequency.
_PERIODS_S = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_PAGES = ("text/html", "application/xhtml+xml")


class Reader:
    """Reads one document, record by record."""

    RECORDS = frozenset({"item", "entry"})

    def __init__(self, url: str, kind: Kind) -> None:
        self._url = url
        self._kind = kind
        self._entries = Entries()
        self._said: dict[str, str] = {}  # of the feed itself: the first of each element
        self._authors: list[str] = []

    def outside(self, element: Any, name: str) -> None:
        """Note what is said of the feed as a whole: the children of its root or its channel."""
        parent = name_of(element.getparent().tag)
        if parent not in {"channel", "feed"}:
            return
        if name == "author":
            self._authors += _names([element])
        self._said.setdefault(name, text_of(element)[:10_000])

    def record(self, element: Any, _name: str) -> None:
        """Keep the entry that the element is."""
        children: dict[str, list[Any]] = defaultdict(list)
        for child in element:
            children[name_of(child.tag)].append(child)
        guid = _first(children, ("guid", "id"))
        authors = next((names for each in _AUTHORS if (names := _names(children[each]))), self._authors)
        self._entries.add(
            Raw(
                url=self._link(element, children, guid),
                id=guid or element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"),
                title=_first(children, ("title", "dc:title")),
                published=_first(children, _PUBLISHED),
                updated=_first(children, _UPDATED),
                authors=authors,
                language=_first(children, _LANGUAGE)
                or element.get("{http://www.w3.org/XML/1998/namespace}lang"),
            )
        )

    def feed(self, broken: str | None) -> Feed:
        """All that was read."""
        return Feed(
            kind=self._kind,
            title=title_of(self._said.get("title")),
            language=squeezed(self._said.get("language") or self._said.get("dc:language"), 35),
            entries=tuple(self._entries.kept),
            refresh_s=self._refresh_s(),
            broken=broken,
            passed_over=self._entries.passed_over,
        )

    def _link(self, element: Any, children: dict[str, list[Any]], guid: str | None) -> str | None:
        """The page of the entry: behind a counting redirect, else its alternate, else its guid."""
        for text in (_first(children, _ORIGINAL), _alternate(children["link"])):
            if text and (url := absolute(text, (self._url, *_bases(element, children["link"])))):
                return url
        for link in children["link"]:
            if not link.get("href") and (url := absolute(text_of(link), (self._url, *bases_of(link)))):
                return url
        is_link = all(each.get("isPermaLink", "true").lower() != "false" for each in children["guid"])
        candidates = [
            guid if is_link else None,
            element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"),
        ]
        # Nothing relative: a guid is any text, and every text is a relative URL.
        return next((url for text in candidates if (url := absolute(text, ()))), None)

    def _refresh_s(self) -> float | None:
        said = [self._ttl_s(), self._period_s()]
        return max((each for each in said if each is not None), default=None)

    def _ttl_s(self) -> float | None:
        """RSS 2.0: minutes that the channel can be cached for."""
        minutes = _number(self._said.get("ttl"))
        return None if minutes is None else minutes * 60

    def _period_s(self) -> float | None:
        period, often = self._said.get("sy:updateperiod"), _number(self._said.get("sy:updatefrequency"))
        if period is None and often is None:
            return None
        length_s = _PERIODS_S.get((period or "daily").strip().lower())
        return length_s / (often or 1) if length_s else None


def _first(children: dict[str, list[Any]], names: Iterable[str]) -> str | None:
    found = (text_of(each) for name in names for each in children.get(name, ()))
    return next((text.strip() for text in found if text.strip()), None)


def _alternate(links: list[Any]) -> str | None:
    """The link of rel `alternate` (RFC 4287, 4.2.7.2, also without a rel), one to a page before any other."""
    found = [
        (
            link.get("type", _PAGES[0]).partition(";")[0].strip().lower() not in _PAGES,
            number,
            link.get("href"),
        )
        for number, link in enumerate(links)
        if link.get("href") and link.get("rel", "alternate").strip().lower() in {"alternate", ""}
    ]
    return min(found)[2] if found else None


def _bases(element: Any, links: list[Any]) -> list[str]:
    return bases_of(links[0] if links else element)


def _names(elements: list[Any]) -> list[str]:
    """Names of persons: a text, `name (address)` turned round, or Atom's element with a name in it."""
    found = []
    for element in elements:
        inner = [each for each in element if name_of(each.tag) == "name"]
        for text in map(text_of, inner or ([element] if not len(element) else [])):
            named = _NAME_OF_ADDRESS.match(text)
            name = named[1] if named else text
            if name.strip() and not _ADDRESS.match(name):
                found.append(name)
    return found


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) <= 9 and int(text) else None
