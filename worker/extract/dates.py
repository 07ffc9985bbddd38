"""When an article was published and last modified: candidates from all over the page, weighed.

A missing publication date is never filled from the modification date, and digits of the URL count only
where nothing else speaks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from worker.extract import jsonld
from worker.extract.belonging import belongings
from worker.extract.date_forms import Instant, parse_instant
from worker.extract.markup import attribute, node_text
from worker.extract.structured import Candidate
from worker.extract.text import letters
from worker.model import DateEvidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from worker.extract.body import Body
    from worker.extract.structured import Structured

_PUBLISHED_METAS = (
    *("article:published_time", "og:article:published_time", "og:published_time", "datepublished"),
    *("article:published", "parsely-pub-date", "sailthru.date", "cxenseparse:recs:publishtime"),
    *("cxenseparse:publishtime", "dcterms.created", "dcterms.date", "dc.date.issued", "dc.date"),
    *("dc.date.created", "pubdate", "publishdate", "publish-date", "publish_date", "publication_date"),
    *("date", "article.published", "originalpublicationdate"),
)
_MODIFIED_METAS = (
    *("article:modified_time", "og:article:modified_time", "og:modified_time", "datemodified"),
    *("article:modified", "og:updated_time", "article.updated", "dcterms.modified", "dc.date.modified"),
    *("last-modified", "lastmod"),
)
#: A number of the article may begin with its date and clock time (`/A2024031108150001234`).
_URL_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01])"
    r"(?:(?:[01]\d|2[0-3])[0-5]\d\d*)?(?!\d)"
)
_YEAR = re.compile(r"\d{4}")
_MAX_RAW_CHARS = 120
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
    """What the page says of its dates, and where its sources are more than a day apart."""

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
    title: str,
    body: Body,
    url: str,
    language: str | None = None,
    fetched_at: datetime | None = None,
    hint: str | None = None,
) -> Dates:
    """Weigh all candidates. `title` and `body` tell what of the page belongs to the article.

    Dates more than a day after `fetched_at` (an aware datetime) are refused. Without it none is: this is a
    function of the page alone, which does not know what day it is.
    """
    known: dict[str, Instant | None] = {}  # one date stands in many places

    def parsed(candidates: Iterable[Candidate]) -> list[_Parsed]:
        found = []
        for candidate in candidates:
            raw = candidate.value[:_MAX_RAW_CHARS]
            if raw not in known:
                instant = parse_instant(raw, language=language)
                known[raw] = None if instant and _is_future(instant, fetched_at) else instant
            if instant := known[raw]:
                found.append(_Parsed(instant, raw, candidate.source))
        return found

    stated = parsed(_stated_published(facts))
    published = (
        stated
        or parsed(_visible(tree, facts, title, body))
        or parsed(_hinted(hint))
        or parsed(_from_url(url))
    )
    modified = parsed(_stated_modified(facts))
    first, last = _most_precise(published), _most_precise(modified)
    others = stated[1:4]
    if stated:
        others += parsed(_other_days(_from_url(url), stated[0]))
        others += _unlike(parsed(_other_days(_short_dated(body.above), stated[0])), last)
    return Dates(
        published=_dated(first),
        modified=_dated(last),
        disagreements=tuple(dict.fromkeys((*_disagreements(stated, others), *_reversed(first, last)))),
    )


def _stated_published(facts: Structured) -> Iterator[Candidate]:
    yield from facts.jsonld("datePublished")
    yield from _epochs(facts, "datePublished")
    yield from facts.metas(*_PUBLISHED_METAS)
    yield from facts.microdata("datePublished")
    yield from facts.jsonld("dateCreated", "uploadDate")
    for node in facts.of_type("webpage", "videoobject") if not facts.article else ():
        for value in jsonld.strings(node.get("datePublished") or node.get("uploadDate")):
            yield Candidate(value, "jsonld:datePublished")


def _epochs(facts: Structured, key: str) -> Iterator[Candidate]:
    """The date under `key` of JSON-LD, where it is a number: seconds or milliseconds since 1970."""
    value = facts.article.get(key)
    if isinstance(value, int | float) and 0 < value < 1e13:
        yield Candidate(str(int(value)), f"jsonld:{key}")


def _stated_modified(facts: Structured) -> Iterator[Candidate]:
    yield from facts.jsonld("dateModified")
    yield from _epochs(facts, "dateModified")
    yield from facts.metas(*_MODIFIED_METAS)
    yield from facts.microdata("dateModified")


def _visible(tree: LexborHTMLParser, facts: Structured, title: str, body: Body) -> Iterator[Candidate]:
    """Dates that readers see: <time>, the title's end, lines above the body, what is called a date."""
    own = belongings(tree, "time", title=title, paragraphs=body.paragraphs)
    yield from _times(node for node in own.elements if own.place(node) == "inside")
    for og_title in facts.metas("og:title"):
        # `Headline | The Site | 11.03.2024`: a date in the headline itself is that of its subject.
        if (end := og_title.value.rpartition("|"))[1] and sum(map(str.isalpha, end[2])) <= _MAX_MONTH_CHARS:
            yield Candidate(end[2], og_title.source)
    yield from _lines(facts, body)
    for node in tree.css(_DATED_ELEMENTS)[:200]:
        text = node_text(node)
        fits = 8 <= len(text) <= 80 and text not in body.below and not _MODIFIED_WORDS.search(text[:20])
        if fits and own.place(node) != "elsewhere":
            yield Candidate(text, "visible")
    for node in tree.css(_NAMES_OF_AUTHORS)[:1]:
        if node.parent and len(text := node_text(node.parent)) <= _MAX_BYLINE_CHARS:
            yield Candidate(text, "visible")
    yield from _times(node for node in own.elements if own.place(node) == "around")


def _times(nodes: Iterable[LexborNode]) -> Iterator[Candidate]:
    for node in islice(nodes, 5):
        if not _MODIFIED_WORDS.search(attribute(node, "class") + node_text(node)):
            yield Candidate(attribute(node, "datetime") or node_text(node), "time")


def _lines(facts: Structured, body: Body) -> Iterator[Candidate]:
    """The lines above the body that are no headline: the date in one is that of its subject."""
    titles = [title.value for title in (*facts.metas("og:title"), *facts.jsonld("headline"))]
    headlines = {letters(text) for text in (*titles, *facts.headings[:3])}
    for line in body.above:
        if letters(line) not in headlines and not _MODIFIED_WORDS.search(line[:20]):
            yield Candidate(line, "visible")


def _short_dated(lines: Iterable[str]) -> Iterator[Candidate]:
    """The lines that hold hardly more than a date: in a longer one it may be that of the subject."""
    for line in lines:
        if len(line) <= 40 and _YEAR.search(line) and not _MODIFIED_WORDS.search(line):
            yield Candidate(line, "visible")


def _other_days(candidates: Iterable[Candidate], stated: _Parsed) -> Iterator[Candidate]:
    """Without those that hold the digits of the stated day: they need not be parsed."""
    year, day = str(stated.instant.when.year), str(stated.instant.when.day)
    return (c for c in candidates if year not in c.value or day not in c.value.replace(year, ""))


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


def _disagreements(stated: list[_Parsed], others: list[_Parsed]) -> Iterator[str]:
    return (
        f"published_at: {stated[0].source} {stated[0].raw}, {other.source} {other.raw}"
        for other in others
        if _apart(stated[0], other) > _DISAGREEMENT
    )


def _unlike(seen: list[_Parsed], modified: _Parsed | None) -> list[_Parsed]:
    """The first of the dates that readers see, unless it is that of the last change."""
    return [date for date in seen[:1] if modified is None or _apart(date, modified) > _DISAGREEMENT]


def _reversed(published: _Parsed | None, modified: _Parsed | None) -> Iterator[str]:
    """That the article changed before it appeared, by more than what an unknown offset explains."""
    if published and modified and published.instant.when - modified.instant.when > _DISAGREEMENT:
        yield f"modified_at: {modified.source} {modified.raw}, published {published.source} {published.raw}"


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
