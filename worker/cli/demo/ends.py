"""How each URL of a demo ended, and how that differs from what was expected. Pure."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from worker.errors import Malformed
from worker.events import envelope
from worker.urls import canonicalise, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.site.expected import Expected
    from worker.cli.following import Entry
    from worker.store.ledger import Ledger

ARTICLE = "article"
UNCHANGED = "unchanged"
REFUSED = "refused:duplicate"
NO_END = "no end"


@dataclass(frozen=True, slots=True)
class End:
    """What became of one URL; `data` is its event's, if it has one."""

    url: str  # as it was pushed
    outcome: str  # article, unchanged, dead:<reason>, refused:duplicate
    data: dict[str, Any] | None = None

    @property
    def article(self) -> dict[str, Any] | None:
        """The article's fields."""
        return self.data if self.outcome == ARTICLE else None


class Ends:
    """Pushed URLs and their ends, in the order of pushing."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = urls
        self._ends: list[End | None] = [None] * len(urls)
        self._open: defaultdict[str, list[int]] = defaultdict(
            list
        )  # by URL, and by its form in a dead letter
        for index, url in enumerate(urls):
            self._open[url].append(index)
            if quoted(url) != url:
                self._open[quoted(url)].append(index)

    @property
    def count(self) -> int:
        """How many have ended."""
        return sum(end is not None for end in self._ends)

    def note(self, entry: Entry) -> End | None:
        """Take in an event; None when it is not of these URLs."""
        data = entry.data
        indexes = self._open.get(data["requested_url"] or data["item"], [])
        if not indexes:
            return None
        index = indexes.pop(0)
        end = End(self.urls[index], _outcome(entry), data)
        self._ends[index] = end
        return end

    def all(self) -> list[End]:
        """Every URL's end, once all work is done: what has no event but a double that has, was refused."""
        ended = {_canonical(end.url) for end in self._ends if end is not None}
        return [
            end or End(url, REFUSED if _canonical(url) in ended else NO_END)
            for url, end in zip(self.urls, self._ends, strict=True)
        ]


def _outcome(entry: Entry) -> str:
    match entry.attributes["type"]:
        case envelope.URL_DEAD:
            return f"dead:{entry.data['reason']}"
        case envelope.ARTICLE_UNCHANGED:
            return UNCHANGED
        case _:
            return ARTICLE


def _canonical(url: str) -> str:
    with suppress(Malformed):
        return canonicalise(url)
    return url


def ledger_faults(ledger: Ledger, ends: Iterable[End]) -> Iterator[str]:
    """Where the ledger is off by itself, or tells another story than the streams."""
    if not ledger.balanced:
        yield "the ledger does not balance"
    if not ledger.settled:
        yield f"{ledger.waiting} URLs are waiting and {ledger.leased} in work"
    outcomes = [end.outcome.partition(":")[0] for end in ends]
    for name, word in (
        ("articles", ARTICLE),
        ("unchanged", UNCHANGED),
        ("dead", "dead"),
        ("refused", "refused"),
    ):
        counted, seen = getattr(ledger, name), outcomes.count(word)
        if counted != seen:
            yield f"the ledger counts {counted} {name}, and {seen} were seen"


def differences(expected: Expected, end: End) -> list[str]:
    """What is not as expected, a sentence each; none is as it should be."""
    if end.outcome != expected.outcome:
        return [f"ended as {end.outcome}, not {expected.outcome}"]
    if end.article is None:
        return []
    got = end.article
    text = _squeezed(got["text"])
    faults = [
        f"{name} is {found!r}, not {wanted!r}"
        for name, found, wanted in (
            ("title", got["title"], expected.title),
            ("language", got["language"] and got["language"].partition("-")[0], expected.language),
            ("authors", tuple(author["name"] for author in got["authors"]), expected.authors),
        )
        if found != wanted
    ]
    if not _same_instant(got["published_at"], expected.published_at):
        faults.append(f"published_at is {got['published_at']}, not {expected.published_at}")
    faults += [f"the text lacks {part!r}" for part in expected.must_contain if _squeezed(part) not in text]
    faults += [f"the text holds {part!r}" for part in expected.must_not_contain if _squeezed(part) in text]
    return faults


def _same_instant(got: str | None, wanted: str | None) -> bool:
    if got is None or wanted is None:
        return got is wanted
    # An offset of -00:00 says that the offset is unknown (RFC 3339, 4.3), which is no offset of nought.
    unknown = got.endswith("-00:00"), wanted.endswith("-00:00")
    return unknown[0] == unknown[1] and datetime.fromisoformat(got) == datetime.fromisoformat(wanted)


def _squeezed(text: str) -> str:
    return " ".join(text.split())
