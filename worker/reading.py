"""An article as the process that read its page hands it over: written out for its event.

Forty paragraphs as objects took the worker's one loop 0.4 ms to unpickle and to write as JSON again, and
their fingerprints 0.6 ms. Where nobody wants the object, its process does all that; there are several.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import orjson

from worker.changes import prints_of
from worker.errors import FetchFailed
from worker.extract.article import extract_article
from worker.extract.fingerprints import fingerprints
from worker.extract.indexing import Indexing
from worker.fetch.coding import undone
from worker.fetch.response import check_body
from worker.habits.sightings import found_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Article

#: The article's fields in an event's order, parted where the event has keys of its own.
PARTS: tuple[tuple[str, ...], ...] = (
    ("article_id",),
    ("url", "canonical_url"),
    (
        *("title", "subtitle", "description", "authors", "agency", "publisher", "section", "keywords"),
        *("language", "direction", "published_at", "published_at_evidence", "modified_at"),
        *("modified_at_evidence", "paragraphs", "text", "word_count", "reading_time_s", "images", "videos"),
        *("access", "completeness", "type", "content_hash", "simhash"),
    ),
    ("extraction",),
)


class Reading(NamedTuple):
    """What an event, the log, the frontier and the listener want of an article."""

    article_id: str
    title: str
    word_count: int
    paragraphs: int  # how many
    confidence: float  # 0 to 1
    warnings: tuple[str, ...]
    charset: str | None
    found: int  # see `worker.habits.sightings.found_in`
    prints: str  # see `worker.changes.prints_of`
    fingerprints: tuple[bytes, ...]  # see `worker.extract.fingerprints`; empty where none were wanted
    parts: tuple[bytes, ...]  # see `written`
    body_bytes: int | None = None  # of the page without its codings, where they were undone here


class Unreadable(NamedTuple):
    """A page that was no page once its content codings were undone: the words of a FetchFailed."""

    reason: str
    detail: str


def read_page(
    page: bytes,
    *,
    url: str,
    subject: str | None = None,
    content_type: str | None = None,
    fetched_s: float | None = None,
    hints: dict[str, object] | None = None,
    robots_tag: tuple[str, ...] = (),
    robot: str = "ingest",
    fingerprinted: bool = True,
    codings: tuple[str, ...] = (),
    limit_bytes: int = 10_000_000,
) -> Reading | Unreadable:
    """`extract_article`, and `reading_of` what it makes of the page. Raises NotAnArticle.

    With `codings`, the page is as it came over the wire, and unreadable where they are broken, it is larger
    than `limit_bytes`, or no text. The arguments are plain values, `fetched_s` Unix time: an aware datetime
    and a dataclass took 60 µs to pickle.
    """
    if codings:
        try:
            page = undone(page, codings, limit_bytes=limit_bytes)
            check_body(content_type, page)
        except FetchFailed as failure:
            return Unreadable(failure.reason, failure.detail)
    fetched_at = None if fetched_s is None else datetime.fromtimestamp(fetched_s, UTC)
    article = extract_article(
        page,
        url=url,
        subject=subject,
        content_type=content_type,
        fetched_at=fetched_at,
        hints=hints,
        indexing=Indexing(robots_tag, robot, fetched_at),
    )
    reading = reading_of(article, fingerprinted=fingerprinted)
    return reading._replace(body_bytes=len(page)) if codings else reading


def reading_of(article: Article, *, fingerprinted: bool = True) -> Reading:
    """What is handed over of an article; with its fingerprints, if they are wanted."""
    return Reading(
        article_id=article.article_id,
        title=article.title,
        word_count=article.word_count,
        paragraphs=len(article.paragraphs),
        confidence=article.extraction.confidence,
        warnings=article.extraction.warnings,
        charset=article.charset,
        found=found_in(article),
        prints=prints_of(article),
        fingerprints=fingerprints(article.text) if fingerprinted else (),
        parts=written(article),
    )


def written(article: Article) -> tuple[bytes, ...]:
    """The members of an event's JSON that are the article's, one text for each of `PARTS`."""
    return tuple(members({name: getattr(article, name) for name in part}) for part in PARTS)


def members(fields: Mapping[str, object]) -> bytes:
    """The fields as members of a JSON object, without its braces."""
    try:
        return orjson.dumps(fields)[1:-1]
    except orjson.JSONEncodeError:
        # A page's JSON-LD can hold half a surrogate pair (\ud83d), which no UTF-8 can: "?" stands for it.
        return json.dumps(fields, ensure_ascii=False, default=asdict).encode("utf-8", "replace")[1:-1]
