"""What the `data` of an event holds. A public contract, versioned by `worker.model.SCHEMA_VERSION`.

It is written out here, apart from `worker.model.Article`, so that an inner change never changes it unseen.
Every key is always there; what is unknown is null. New keys come with a new minor version; what would break a
reader of a released version, with a new major one (`tests/events/test_releases.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from worker.model import (  # noqa: TC001 - pydantic reads the annotations
    Access,
    Author,
    DateEvidence,
    Direction,
    Extraction,
    Image,
    Paragraph,
    Priority,
    Publisher,
    Video,
)

Change = Literal["new", "updated"]
Instant = Annotated[
    str,
    Field(
        json_schema_extra={"format": "date-time"},
        description="RFC 3339; an offset of -00:00 says that the page named none (RFC 3339, 4.3)",
    ),
]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """The response that the article was read from, or that said that it has not changed."""

    status: Annotated[int, Field(ge=100, le=599)]
    final_url: Annotated[Url, Field(description="the URL that answered, after all redirects")]
    redirects: Annotated[tuple[str, ...], Field(description="the hops in order, the last one final_url")]
    fetched_at: Instant
    bytes: Annotated[int, Field(ge=0, description="bytes of the body on the wire")]
    duration_ms: Annotated[int, Field(ge=0)]
    etag: str | None
    last_modified: Annotated[str | None, Field(description="as the header reads")]
    content_type: Annotated[str | None, Field(description="as the header reads")]
    charset: Annotated[str | None, Field(description="the encoding that the bytes were read in")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRef:
    """The accepted URL that came to its end."""

    task_id: Annotated[str, Field(description="as in the log lines of this URL")]
    id: Annotated[str | None, Field(description="the producer's own id, handed through")]
    attempt: Annotated[int, Field(ge=0, description="tries that had failed before the last one")]
    revision: Annotated[int, Field(ge=1)]
    priority: Priority
    accepted_at: Instant
    meta: Annotated[Any, Field(description="the producer's own JSON, handed through untouched")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleEvent:
    """An article. Names follow schema.org's NewsArticle where it has one."""

    schema_version: str
    article_id: Annotated[str, Field(description="the same for all revisions of a canonical URL")]
    revision: Annotated[int, Field(ge=1, description="1, and one more with each event of the article")]
    change: Change
    changed_fields: Annotated[
        tuple[str, ...],
        Field(description="with updated: what differs from the last visit; empty if that is too long ago"),
    ]
    url: Annotated[Url, Field(description="canonical form of the URL that was accepted")]
    canonical_url: Annotated[Url, Field(description="the URL that the page calls its own, or final_url")]
    requested_url: Annotated[str, Field(description="as the producer wrote it")]
    title: str
    subtitle: str | None
    description: str | None
    authors: tuple[Author, ...]
    agency: Annotated[str | None, Field(description="wire service that the text came from")]
    publisher: Publisher
    section: str | None
    keywords: tuple[str, ...]
    language: Annotated[str | None, Field(description="BCP 47")]
    direction: Direction | None
    published_at: Instant | None
    published_at_evidence: DateEvidence | None
    modified_at: Instant | None
    modified_at_evidence: DateEvidence | None
    paragraphs: tuple[Paragraph, ...]
    text: Annotated[str, Field(description="the paragraphs, with an empty line between them")]
    word_count: Annotated[int, Field(ge=0)]
    reading_time_s: Annotated[int, Field(ge=0)]
    images: tuple[Image, ...]
    videos: tuple[Video, ...]
    access: Access
    completeness: Literal["full", "partial", "unknown"]
    type: Literal["news", "live", "opinion", "video", "review", "interview", "unknown"]
    content_hash: Annotated[str, Field(description="sha256 of the folded text, hex")]
    simhash: Annotated[str, Field(description="64 bits, hex: similar texts differ in few bits")]
    cluster_id: Annotated[
        str | None,
        Field(
            description="the same for near-duplicates, such as copies of a wire's text; null: none looked for"
        ),
    ] = None  # events of earlier versions have none
    extraction: Extraction
    fetch: Fetch
    task: TaskRef


@dataclass(frozen=True, slots=True, kw_only=True)
class UnchangedEvent:
    """An article was visited again, and says what its last published event says."""

    schema_version: str
    article_id: Annotated[str, Field(description="as in the events of the article")]
    revision: Annotated[int, Field(ge=1, description="of the last published event, which still holds")]
    url: Annotated[Url, Field(description="canonical form of the URL that was accepted")]
    requested_url: Annotated[str, Field(description="as the producer wrote it")]
    fetch: Annotated[Fetch, Field(description="status 304, or that of a page that was read and compared")]
    task: TaskRef


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadEvent:
    """A dead letter: why an accepted URL became no article, and how to try it again."""

    schema_version: str
    reason: Annotated[str, Field(description="a row of the table of outcomes, or http_ and a status")]
    says: Annotated[str, Field(description="the reason in words")]
    error: Annotated[str | None, Field(description="what exactly went wrong the last time")]
    url: Annotated[Url | None, Field(description="canonical; null for a malformed item")]
    requested_url: Annotated[str | None, Field(description="as the producer wrote it")]
    item: Annotated[str | None, Field(description="start of the queue item, if it was malformed")]
    redirects: Annotated[tuple[str, ...], Field(description="the hops followed in the last try")]
    attempts: Annotated[int, Field(ge=0, description="tries made, the last one included")]
    accepted_at: Instant
    died_at: Instant
    task: Annotated[TaskRef | None, Field(description="null for a malformed item")]
    how_to_retry: str
