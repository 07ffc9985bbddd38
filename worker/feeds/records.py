"""What the readers of all formats share: links made whole, dates made instants, and the bound on entries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ada_url import URL

from worker.feeds.model import MOST_ENTRIES, Entry
from worker.feeds.text import instant, plain, squeezed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TITLE_CHARS = 500
_NAME_CHARS = 200
_ID_CHARS = 1_000
_AUTHORS = 20
_URL_CHARS = 8_192


def absolute(link: str | None, bases: Iterable[str]) -> str | None:
    """`link` against the bases, the outermost first; None unless that makes an http(s) URL."""
    if not link or len(link) > _URL_CHARS:
        return None
    whole: str | None = None
    for part in (*bases, link.strip()):
        try:
            whole = URL(part, base=whole).href if whole else URL(part).href
        except ValueError:
            if part == link.strip():
                return None
    return whole if whole and whole.startswith(("http://", "https://")) else None


@dataclass
class Raw:
    """An entry as its format has it."""

    url: str | None
    id: str | None = None
    title: str | None = None
    published: str | None = None
    updated: str | None = None
    authors: Sequence[str] = ()
    language: str | None = None


@dataclass
class Entries:
    """The entries of one document, up to the limit."""

    kept: list[Entry] = field(default_factory=list)
    passed_over: int = 0

    def add(self, raw: Raw) -> None:
        """Keep the entry, unless it has no usable link or there are too many."""
        if raw.url is None or len(self.kept) >= MOST_ENTRIES:
            self.passed_over += 1
            return
        published, updated = instant(raw.published), instant(raw.updated)
        names = (plain(name, _NAME_CHARS) for name in raw.authors[:_AUTHORS])
        self.kept.append(
            Entry(
                url=raw.url,
                id=squeezed(raw.id, _ID_CHARS),
                title=plain(raw.title, _TITLE_CHARS),
                published_at=published[0] if published else None,
                updated_at=updated[0] if updated else None,
                authors=tuple(dict.fromkeys(name for name in names if name)),
                language=squeezed(raw.language, 35),  # BCP 47, 4.4.1
                when=max((found[1] for found in (published, updated) if found), default=None),
            )
        )


def title_of(text: str | None) -> str | None:
    """The title of a feed, without markup."""
    return plain(text, _TITLE_CHARS)
