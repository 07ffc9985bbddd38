"""When an article was published and last modified: candidates from all over the page, weighed.

A missing publication date is never filled from the modification date, and digits of the URL count only
where nothing else speaks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from worker.extract import jsonld
from worker.extract.date_forms import Instant, parse_instant
from worker.extract.markup import attribute, node_text
from worker.extract.structured import Candidate
from worker.extract.text import letters
from worker.model import DateEvidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from selectolax.lexbor import LexborHTMLParser

    from worker.extract.structured import Structured

_PUBLISHED_METAS = (
    *(
        "article:published_time",
        "og:article:published_time",
        "og:published_time",
        "datepublished",
        "article:published",
    ),
    *("parsely-pub-date", "sailthru.date", "cxenseparse:recs:publishtime", "cxenseparse:publishtime"),
    *(
        "dcterms.created",
        "dcterms.date",
        "dc.date.issued",
        "dc.date",
        "dc.date.created",
        "pubdate",
        "publishdate",
    ),
    *(
        "publish-date",
        "publish_date",
        "publication_date",
        "date",
        "article.published",
        "originalpublicationdate",
    ),
)
_MODIFIED_METAS = (
    *(
        "article:modified_time",
        "og:article:modified_time",
        "og:modified_time",
        "datemodified",
        "article:modified",
    ),
    *(
        "og:updated_time",
        "article.updated",
        "dcterms.modified",
        "dc.date.modified",
        "last-modified",
        "lastmod",
    ),
)
#: A number of the article may begin with its date and clock time (`/A2024031108150001234`).
_URL_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01])"
    r"(?:(?:[01]\d|2[0-3])[0-5]\d\d*)?(?!\d)"
)
_MAX_BYLINE_CHARS = 120
_FUTURE_TOLERANCE = timedelta(days=1)
_DISAGREEMENT = timedelta(days=1)
_DATED_ELEMENTS = (
    "[class*=publish i], [class*=date i], [class*=time i], [class*=byline i], [class*=meta i], [id*=date i]"
)
#: Beside them stands the date: `11.03.24 | 08:15 | By Ann Bell`.
_NAMES_OF_AUTHORS = "[class*=author i], [rel~=author i]"
_MAX_MONTH_CHARS = 12
_MODIFIED_WORDS = re.compile(
    r"updat|modif|aktualis|actuali|mis à jour|aggiorn|atualiza|bijgewerkt|güncelle|oppdater|uppdater",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Dated:
    """An instant with its evidence, as the event shows it."""

    at: str  # RFC 3339
    evidence: DateEvidence
    when: datetime


@dataclass(frozen=True, slots=True)
class Dates:
    """What the page says of its dates, and where its good sources are more than a day apart."""

    published: Dated | None
    modified: Dated | None
    disagreements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Parsed:
    instant: Instant
    raw: str
    source: str


def find_dates(
    tree: LexborHTMLParser,
    facts: Structured,
    *,
    url: str,
    language: str | None = None,
    fetched_at: datetime | None = None,
    hint: str | None = None,
    beside: Sequence[str] = (),
) -> Dates:
    """Weigh all candidates; `beside` are the lines above the body.

    Dates more than a day after `fetched_at` (an aware datetime) are refused.
    """

    def parsed(candidates: Iterable[Candidate]) -> list[_Parsed]:
        found = ((parse_instant(c.value, language=language), c) for c in candidates)
        return [_Parsed(i, c.value[:120], c.source) for i, c in found if i and not _is_future(i, fetched_at)]

    stated = parsed(_stated_published(facts))
    published = (
        stated or parsed(_visible(tree, facts, beside)) or parsed(_hinted(hint)) or parsed(_from_url(url))
    )
    modified = parsed(_stated_modified(facts))
    return Dates(
        published=_dated(_most_precise(published)),
        modified=_dated(_most_precise(modified)),
        disagreements=_disagreements(stated),
    )


def _stated_published(facts: Structured) -> Iterator[Candidate]:
    yield from facts.jsonld("datePublished")
    yield from facts.metas(*_PUBLISHED_METAS)
    yield from facts.microdata("datePublished")
    yield from facts.jsonld("dateCreated", "uploadDate")
    for node in facts.of_type("webpage", "videoobject") if not facts.article else ():
        for value in jsonld.strings(node.get("datePublished") or node.get("uploadDate")):
            yield Candidate(value, "jsonld:datePublished")


def _stated_modified(facts: Structured) -> Iterator[Candidate]:
    yield from facts.jsonld("dateModified")
    yield from facts.metas(*_MODIFIED_METAS)
    yield from facts.microdata("dateModified")


def _visible(tree: LexborHTMLParser, facts: Structured, beside: Sequence[str]) -> Iterator[Candidate]:
    """Dates that readers see: <time>, the title's end, lines above the body, what is called a date."""
    times = tree.css("article time, main time") or tree.css("time")
    for node in times[:5]:
        around = attribute(node, "class") + node_text(node)
        if not _MODIFIED_WORDS.search(around):
            yield Candidate(attribute(node, "datetime") or node_text(node), "time")
    for title in facts.metas("og:title"):
        # `Headline | The Site | 11.03.2024`: a date in the headline itself is that of its subject.
        if (end := title.value.rpartition("|"))[1] and sum(map(str.isalpha, end[2])) <= _MAX_MONTH_CHARS:
            yield Candidate(end[2], title.source)
    titles = [title.value for title in (*facts.metas("og:title"), *facts.jsonld("headline"))]
    headlines = {letters(text) for text in (*titles, *map(node_text, tree.css("h1")[:3]))}
    for line in beside:
        if letters(line) not in headlines and not _MODIFIED_WORDS.search(line[:20]):
            yield Candidate(line, "visible")
    for node in tree.css(_DATED_ELEMENTS)[:200]:
        text = node_text(node)
        if 8 <= len(text) <= 80 and not _MODIFIED_WORDS.search(text[:20]):
            yield Candidate(text, "visible")
    for node in tree.css(_NAMES_OF_AUTHORS)[:1]:
        if node.parent and len(text := node_text(node.parent)) <= _MAX_BYLINE_CHARS:
            yield Candidate(text, "visible")


def _hinted(hint: str | None) -> Iterator[Candidate]:
    if hint:
        yield Candidate(hint, "hint:published_at")


def _from_url(url: str) -> Iterator[Candidate]:
    if found := _URL_DATE.search(url):
        yield Candidate(f"{found[1]}-{found[2]}-{found[3]}", "url")


def _most_precise(candidates: list[_Parsed]) -> _Parsed | None:
    """The first candidate, or a later one of the same day that also knows the offset or the clock time."""
    if not candidates:
        return None
    first = candidates[0]
    for grades in (("second", "minute"), ("second", "minute", "local_unknown")):
        if first.instant.precision in grades:
            return first
        for other in candidates[1:]:
            if other.instant.precision in grades and _apart(other, first) <= _DISAGREEMENT:
                return other
    return first


def _apart(one: _Parsed, other: _Parsed) -> timedelta:
    return abs(one.instant.when - other.instant.when)


def _is_future(instant: Instant, fetched_at: datetime | None) -> bool:
    return fetched_at is not None and instant.when > fetched_at.astimezone(UTC) + _FUTURE_TOLERANCE


def _disagreements(stated: list[_Parsed]) -> tuple[str, ...]:
    return tuple(
        f"published_at: {stated[0].source} {stated[0].raw}, {other.source} {other.raw}"
        for other in stated[1:4]
        if _apart(stated[0], other) > _DISAGREEMENT
    )


def _dated(chosen: _Parsed | None) -> Dated | None:
    if chosen is None:
        return None
    instant = chosen.instant
    evidence = DateEvidence(chosen.raw, instant.precision, chosen.source)
    return Dated(instant.rfc3339(), evidence, instant.when)


def plain_date(
    published: tuple[Instant, DateEvidence] | None, *, fetched_at: datetime | None
) -> Dated | None:
    """The date that plain text gives, unless it lies in the future."""
    if published is None or _is_future(published[0], fetched_at):
        return None
    instant, evidence = published
    return Dated(instant.rfc3339(), evidence, instant.when)
