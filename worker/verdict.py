"""What follows from a URL's one request: the values that the pipeline answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.model import NotModified, Page, Redirect, Signal

if TYPE_CHECKING:
    from datetime import datetime

    from worker.model import Article, Visit
    from worker.reading import Reading
    from worker.retry import Again, Bury

_NO_REQUEST = Signal()


@dataclass(frozen=True, slots=True)
class Publish:
    """The page is an article; it is there as an object, too, where somebody wants that."""

    reading: Reading
    page: Page
    fetched_at: datetime
    extract_ms: int
    whole: Article | None = None

    @property
    def article(self) -> Article:
        """The object. For who has a pipeline that is `whole`."""
        assert self.whole is not None  # noqa: S101
        return self.whole

    @property
    def signal(self) -> Signal:
        """What the request says about its host."""
        return Signal("ok", self.page.duration_ms / 1000)


@dataclass(frozen=True, slots=True)
class Unmodified:
    """The server says that the page is as at the last visit."""

    page: NotModified
    fetched_at: datetime
    visit: Visit

    @property
    def signal(self) -> Signal:
        """What the request says about its host: how fast it makes a page it has not made is no measure."""
        return Signal("ok")


@dataclass(frozen=True, slots=True)
class Hop:
    """The URL leads elsewhere: ask there, in that host's turn."""

    redirect: Redirect
    location: str
    host: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """The request was spent on robots.txt; the URL's own is next. `signal` says how it went."""

    crawl_delay_s: float | None
    signal: Signal = _NO_REQUEST


@dataclass(frozen=True, slots=True)
class Postponed:
    """No request was made: another worker asks for robots.txt and takes its time, or ours ran out."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """No article this time; `next` is another try, or burial. `status` is the response's, if any."""

    next: Again | Bury
    error: str
    status: int | None = None
    retry_after_s: float | None = None
    signal: Signal = _NO_REQUEST


Verdict = Publish | Unmodified | Hop | Learnt | Postponed | Failed
