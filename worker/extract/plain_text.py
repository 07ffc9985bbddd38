"""An article out of plain text: either clean prose, or a dump of a page with its boilerplate lines around it.

Prose gives itself away: sentences end in punctuation, and menus, teasers and tags do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from worker.extract.agencies import agency_of, agency_signing
from worker.extract.bylines import split_names
from worker.extract.date_forms import parse_instant
from worker.extract.text import (
    CLOSING_MARKS,
    SENTENCE_ENDS,
    is_unstopped,
    letters,
    squeeze,
    word_count,
)
from worker.model import Author, DateEvidence, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.extract.date_forms import Instant

_ENDS = re.compile(rf"[{SENTENCE_ENDS}][{re.escape(CLOSING_MARKS)}]*$")
_BYLINE = re.compile(r"^(?:by|von|par|por|di|door|av|af)\s+\S", re.IGNORECASE)
_MIN_SENTENCE_WORDS = 6
_MIN_UNENDED_WORDS = 30
_MIN_UNSTOPPED_CHARS = 80
_HEADER_LINES = 80  # as far above the body as its title, date and section can be
_MAX_LINES = 20_000
_MAX_TAG_WORDS = 3
_MAX_HEADING_WORDS = 12
_GRADES = ("second", "minute", "local_unknown", "day")


@dataclass(frozen=True, slots=True)
class PlainArticle:
    """What plain text tells. `published` is the instant and the line that names it."""

    title: str | None
    paragraphs: tuple[Paragraph, ...]
    section: str | None = None
    published: tuple[Instant, DateEvidence] | None = None
    authors: tuple[Author, ...] = ()
    agency: str | None = None
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    alone: bool  # between blank lines
    prose: bool


def read_plain(text: str, *, language: str | None = None) -> PlainArticle:
    """The article in `text`: the longest run of prose is the body, and facts stand around it."""
    lines = list(islice(_lines(text), _MAX_LINES))
    start, end = _body_span(lines)
    before, body, after = lines[:start][-_HEADER_LINES:], lines[start:end], lines[end:]
    title = _title(before, lines)
    header = [line for line in before if line.text != title]
    dated = _dated(before, language)
    return PlainArticle(
        title=title,
        paragraphs=tuple(Paragraph("paragraph" if line.prose else "heading", line.text) for line in body),
        section=_section(header),
        published=dated,
        authors=_authors(header),
        agency=_agency(body, after),
        keywords=_tags(after),
    )


def _lines(text: str) -> Iterator[_Line]:
    rows = ["", *(squeeze(row) for row in text.splitlines()), ""]
    for above, row, below in zip(rows, rows[1:], rows[2:], strict=False):
        if row:
            yield _Line(row, not above and not below, _is_prose(row))


def _is_prose(row: str) -> bool:
    count = word_count(row)
    if count >= _MIN_SENTENCE_WORDS and _ENDS.search(row):
        return True
    return count >= (_MIN_UNSTOPPED_CHARS if is_unstopped(row) else _MIN_UNENDED_WORDS)


def _body_span(lines: list[_Line]) -> tuple[int, int]:
    """The run of prose with the most words, half-open. A heading alone between two paragraphs joins it."""
    best, best_words = (0, 0), 0
    index = 0
    while index < len(lines):
        if not lines[index].prose:
            index += 1
            continue
        end = index
        while end < len(lines) and (lines[end].prose or _is_heading(lines, end)):
            end += 1
        count = sum(word_count(line.text) for line in lines[index:end])
        if count > best_words:
            best, best_words = (index, end), count
        index = end
    return best


def _is_heading(lines: list[_Line], index: int) -> bool:
    following = lines[index + 1] if index + 1 < len(lines) else None
    line = lines[index]
    fits = (
        line.alone
        and following is not None
        and following.prose
        and word_count(line.text) <= _MAX_HEADING_WORDS
    )
    return fits and not agency_signing(line.text)


def _title(before: list[_Line], lines: list[_Line]) -> str | None:
    """The header line that the text repeats most (pages print their title several times), else the first."""
    candidates = [line.text for line in before if word_count(line.text) >= 3 and not _BYLINE.match(line.text)]
    candidates = [text for text in candidates if not _is_date_line(text)] or [
        line.text for line in before if not _is_date_line(line.text)
    ]
    return max(candidates, key=lambda text: sum(text in line.text for line in lines), default=None)


def _is_date_line(text: str) -> bool:
    return parse_instant(text) is not None and word_count(re.sub(r"\d+", "", text)) <= 4


def _dated(before: list[_Line], language: str | None) -> tuple[Instant, DateEvidence] | None:
    found = [
        (instant, DateEvidence(line.text[:120], instant.precision, "text"))
        for line in before
        if (instant := parse_instant(line.text, language=language))
    ]
    same_day = [item for item in found if item[0].when.date() == found[0][0].when.date()]
    return min(same_day, key=lambda item: _GRADES.index(item[0].precision), default=None)


def _section(header: list[_Line]) -> str | None:
    """The label on the line above the date line."""
    for above, line in pairwise(header):
        if (
            _is_date_line(line.text)
            and word_count(above.text) <= _MAX_TAG_WORDS
            and not re.search(r"\d", above.text)
        ):
            return above.text
    return None


def _authors(header: list[_Line]) -> tuple[Author, ...]:
    for line in header:
        if _BYLINE.match(line.text) and len(line.text) <= 120:
            return tuple(Author(name) for name in split_names(line.text) if not agency_signing(name))
    return ()


def _agency(body: list[_Line], after: list[_Line]) -> str | None:
    signed = next((found for line in after[:2] if (found := agency_signing(line.text))), None)
    return signed or agency_of([line.text for line in body])


def _tags(after: list[_Line]) -> tuple[str, ...]:
    """The short lines that follow the body one by one, each alone between blank lines."""
    rest = after[1:] if after and agency_signing(after[0].text) else after
    tags: dict[str, str] = {}
    for line in rest:
        if not line.alone or word_count(line.text) > _MAX_TAG_WORDS:
            break
        tags.setdefault(letters(line.text), line.text)
    return tuple(tags.values()) if len(tags) > 1 else ()
