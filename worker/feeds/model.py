"""What a feed says, whatever its format: frozen values that parsing yields and feeders read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from worker.errors import IngestError

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["rss", "atom", "json", "sitemap", "news-sitemap", "sitemap-index"]

_USERINFO = re.compile(r"^(\w+://)[^/?#]*@")
#: The sitemap protocol's own limit (sitemaps.org, "Sitemap file requirements"); no feed comes near it.
MOST_ENTRIES = 50_000


class NotAFeed(IngestError):
    """The document is neither feed nor sitemap. `why` says what it looks like instead."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Entry:
    """One article that a feed tells of; `url` is absolute, and not yet canonical."""

    url: str
    id: str | None = None
    title: str | None = None
    published_at: str | None = None  # RFC 3339
    updated_at: str | None = None  # RFC 3339
    authors: tuple[str, ...] = ()
    language: str | None = None  # as the entry or its feed says it
    when: datetime | None = None  # the later of both dates; aware

    def meta(self, feed: Feed, feed_url: str) -> dict[str, object]:
        """What goes with the URL into the queue; names that extraction reads as hints are used for those.

        User and password of the feed's URL are for its server, and not for whoever reads events.
        """
        said = {
            "feed": _USERINFO.sub(r"\1", feed_url),
            "feed_title": feed.title,
            "feed_kind": feed.kind,
            "entry_id": self.id,
            "title": self.title,
            "published_at": self.published_at,
            "updated_at": self.updated_at,
            "author": ", ".join(self.authors),
            "authors": list(self.authors),
            "language": self.language or feed.language,
        }
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed or sitemap as far as it could be read."""

    kind: Kind
    title: str | None = None
    language: str | None = None
    entries: tuple[Entry, ...] = ()  # in the document's order
    sitemaps: tuple[str, ...] = ()  # of an index: the URLs of its sitemaps, the newest first
    refresh_s: float | None = None  # how long it asks to be left alone (ttl, sy:updatePeriod)
    expired: bool = False  # it says that it will never change again (JSON Feed)
    broken: str | None = None  # why it could not be read to its end
    passed_over: int = 0  # entries without a usable link, or beyond the limit

    @property
    def newest(self) -> datetime | None:
        """The latest date of any entry; None where none has one."""
        return max((entry.when for entry in self.entries if entry.when), default=None)

    @property
    def is_news(self) -> bool:
        """Whether it is made of articles: all feeds, and sitemaps that say so."""
        return self.kind not in {"sitemap", "sitemap-index"}
