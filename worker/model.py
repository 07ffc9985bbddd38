"""The frozen values that all layers share: tasks and leases on one side, articles on the other.

An article's fields are named as in schema.org's NewsArticle. Missing is `None` or empty, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA_VERSION = "1.0"

_CHAIN_COOKIES = 20
_CHAIN_COOKIE_CHARS = 4096

Priority = Literal["normal", "high"]
Direction = Literal["ltr", "rtl"]
ParagraphKind = Literal["paragraph", "heading", "list_item", "quote", "lead", "preformatted"]
Precision = Literal["second", "minute", "day", "local_unknown"]
#: How a request went, as the policy of its host sees it; `none` where no request was made.
Sign = Literal["ok", "failed", "throttled", "none"]


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
    recrawl_after_s: float | None = None  # take it again once its last visit is as old; None: a duplicate
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
    revision: int  # as of its acceptance, that of the article's next event: 1 if there was none before
    requested_url: str
    id: str | None = None
    priority: Priority = "normal"
    meta: Any = None
    redirects: tuple[str, ...] = ()  # the hops followed so far; the last one is the next request's URL
    cookies: tuple[tuple[str, str], ...] = ()  # of these hops: the URL that set it, the raw Set-Cookie
    canonical: bool = False  # one of these hops was to the canonical URL that a page without an article named
    due_ms: int = 0  # when it first had need of a worker: `not_before`, or its dead letter's retry

    @property
    def target(self) -> str:
        """The URL to request next."""
        return self.redirects[-1] if self.redirects else self.url

    def hop(
        self, location: str, host: str, set_cookies: Sequence[str] = (), *, canonical: bool = False
    ) -> Task:
        """The task on its way to `location`, with the newest of the chain's cookies: at most 20, 4 KB."""
        cookies = (*self.cookies, *((self.target, cookie) for cookie in set_cookies))[-_CHAIN_COOKIES:]
        while sum(len(cookie) for _, cookie in cookies) > _CHAIN_COOKIE_CHARS:
            cookies = cookies[1:]
        redirects, canonical = (*self.redirects, location), self.canonical or canonical
        return replace(self, host=host, redirects=redirects, cookies=cookies, canonical=canonical)


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
    probe: bool = False  # its request tries a host that is left alone otherwise

    @property
    def key(self) -> tuple[int, int]:
        """What tells leases apart: tokens are unique within their partition only."""
        return self.partition, self.token

    @property
    def task_id(self) -> str:
        """The task's name in logs and events, unique in the namespace."""
        return task_id(self.task.seq, self.partition)


@dataclass(frozen=True, slots=True)
class Signal:
    """What one request says about its host, for the policy that the fleet shares."""

    sign: Sign = "none"
    latency_s: float = 0.0  # how long the request took; 0 where that says nothing about the host
    hold_s: float = 0.0  # how long the server asked to be left alone
    reason: str = ""  # a row of `worker.outcomes`, where it failed


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server recognises an unchanged page by (RFC 9110, 8.8), as it sent them."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A response with a body worth extracting."""

    url: str
    status: int
    body: bytes  # decompressed but for `codings`, at most `body_limit_bytes`
    content_type: str | None
    wire_bytes: int
    duration_ms: int
    etag: str | None = None
    last_modified: str | None = None
    robots_tag: tuple[str, ...] = ()  # the values of X-Robots-Tag, bounded
    set_cookies: tuple[str, ...] = ()  # the raw values of Set-Cookie, bounded
    max_age_s: float | None = None  # how long the response says that it stays true (RFC 9111, 4.2)
    record: str | None = None  # the archive's record of it, if it was given one
    codings: tuple[str, ...] = ()  # in the order in which they were applied


@dataclass(frozen=True, slots=True)
class Redirect:
    """A response that points elsewhere, by its status or by what its page says. `location` is absolute."""

    url: str
    status: int
    location: str
    set_cookies: tuple[str, ...] = ()  # the raw values of Set-Cookie, bounded
    by: Literal["status", "refresh", "canonical"] = "status"


@dataclass(frozen=True, slots=True)
class NotModified:
    """The answer to a conditional request whose page has not changed (RFC 9110, 15.4.5)."""

    url: str
    status: int
    duration_ms: int
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """What the last visit of an article left behind, to tell whether the article has changed since."""

    revision: int  # of the last published event
    url: str  # the URL that answered: the validators are no other's
    validators: Validators
    prints: str  # see `worker.changes`
    record: str | None = None  # of the archive, from which the page can be read again
    fetched_ms: int = 0  # Unix time of the page, where that is not when the visit was kept
    cluster: str | None = None  # the same for all revisions


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of an article before it is visited again."""

    revision: int = 0  # of the last published event; 0: none that Redis knows of
    visit: Visit | None = None  # None: never visited, or too long ago

    def visit_at(self, url: str) -> Visit | None:
        """The last visit, if it was `url` that answered."""
        return self.visit if self.visit is not None and self.visit.url == url else None


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
