"""The frozen values that all layers share: tasks and leases on one side, articles on the other.

Article field names follow schema.org's NewsArticle where it has one. Missing is `None` or empty, never a
guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA_VERSION = "1.0"

Priority = Literal["normal", "high"]
Direction = Literal["ltr", "rtl"]
ParagraphKind = Literal["paragraph", "heading", "list_item", "quote", "lead", "preformatted"]
Precision = Literal["second", "minute", "day", "local_unknown"]


@dataclass(frozen=True, slots=True)
class Submission:
    """One item of the inbox, validated: what a producer asked for."""

    url: str  # canonical
    host: str  # host key, see `worker.urls.host_key`
    requested_url: str  # as the producer wrote it
    id: str | None = None  # the producer's own id, handed through
    priority: Priority = "normal"
    not_before_ms: int = 0  # Unix time; 0 is at once
    force: bool = False
    meta: Any = None  # the producer's own JSON, handed through untouched


@dataclass(frozen=True, slots=True)
class Task:
    """An accepted URL on its way to its one terminal event."""

    seq: int  # unique in its partition: one acceptance, one seq
    url: str  # canonical
    host: str  # host key of `target`
    attempt: int  # failed attempts so far
    crashes: int  # times its worker vanished while holding it
    accepted_ms: int
    revision: int  # 1, and one more each time the URL is forced in again
    requested_url: str
    id: str | None = None
    priority: Priority = "normal"
    meta: Any = None
    redirects: tuple[str, ...] = ()  # the hops followed so far; the last one is the next request's URL

    @property
    def target(self) -> str:
        """The URL to request next."""
        return self.redirects[-1] if self.redirects else self.url


def task_id(seq: int, partition: int) -> str:
    """A task's name in logs and events: its seq, with its partition's number if that is not the first."""
    return f"{partition}-{seq}" if partition else str(seq)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to make one request for a task and to end it, until it expires or is extended."""

    token: int
    partition: int
    task: Task
    expires_monotonic: float  # by this worker's monotonic clock, counted from before the claim was sent
    suspect: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """What tells leases apart: tokens are unique within their partition only."""
        return self.partition, self.token

    @property
    def task_id(self) -> str:
        """The task's name in logs and events, unique in the namespace."""
        return task_id(self.task.seq, self.partition)


@dataclass(frozen=True, slots=True)
class Page:
    """A response with a body worth extracting."""

    url: str
    status: int
    body: bytes  # decompressed, at most `body_limit_bytes`
    content_type: str | None
    wire_bytes: int
    duration_ms: int
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """A response that points elsewhere. `location` is absolute."""

    url: str
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Author:
    """A person; or the newsroom, where the page names it and nobody has signed. See also `Article.agency`."""

    name: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who runs the site."""

    name: str | None
    domain: str | None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One block of the body, in reading order."""

    kind: ParagraphKind
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that belongs to the article."""

    url: str
    caption: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """A video that belongs to the article."""

    url: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class DateEvidence:
    """Where an instant came from.

    With precision `local_unknown` the page printed a clock time without an offset: the instant is that
    clock time with the offset written `-00:00` (RFC 3339, section 4.3). With `day` the time is midnight,
    written the same way.
    """

    raw: str
    precision: Precision
    source: str


@dataclass(frozen=True, slots=True)
class Access:
    """Whether the page can be read without paying, with the evidence; never `free` without any."""

    status: Literal["free", "paid", "unknown"] = "unknown"
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """How the article was read from the page."""

    method: str  # html, plain_text
    version: str
    confidence: float  # 0 to 1
    provenance: dict[str, str]  # field → source
    disagreements: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """What `worker.extract.extract_article` makes of a page."""

    article_id: str  # stable over revisions: from the canonical URL
    url: str
    canonical_url: str
    title: str
    text: str
    paragraphs: tuple[Paragraph, ...]
    word_count: int
    reading_time_s: int
    content_hash: str  # sha256 of the folded text, hex
    simhash: str  # 64 bit, hex
    extraction: Extraction
    subtitle: str | None = None
    description: str | None = None
    authors: tuple[Author, ...] = ()
    agency: str | None = None
    publisher: Publisher = field(default_factory=lambda: Publisher(None, None))
    section: str | None = None
    keywords: tuple[str, ...] = ()
    language: str | None = None  # BCP 47
    direction: Direction | None = None
    published_at: str | None = None  # RFC 3339
    published_at_evidence: DateEvidence | None = None
    modified_at: str | None = None  # RFC 3339
    modified_at_evidence: DateEvidence | None = None
    images: tuple[Image, ...] = ()
    videos: tuple[Video, ...] = ()
    access: Access = field(default_factory=Access)
    completeness: Literal["full", "partial", "unknown"] = "unknown"
    type: Literal["news", "live", "opinion", "video", "review", "interview", "unknown"] = "unknown"
    charset: str | None = None  # the encoding that the bytes were read in
