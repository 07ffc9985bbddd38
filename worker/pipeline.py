"""The story of a URL, on one screen: lease → robots → fetch → extract → what to do next. No Redis here.

One lease is one request. What needs another one (robots.txt was unknown, a redirect, a retry) goes back to
the frontier, so that a host's spacing holds for every request of the fleet and not only for first ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from worker.errors import (
    ExtractCrashed,
    ExtractionFailed,
    ExtractTimeout,
    FetchFailed,
    Malformed,
    NotAnArticle,
)
from worker.model import Page, Redirect
from worker.retry import Again, Bury, RetryPolicy, decide
from worker.urls import host_key

if TYPE_CHECKING:
    from datetime import datetime

    from structlog.typing import FilteringBoundLogger

    from worker.clock import Clock
    from worker.model import Article, Task


class Fetches(Protocol):
    """Makes one request."""

    async def request(self, url: str) -> Page | Redirect:
        """Raises FetchFailed."""


class Rules(Protocol):
    """A robots.txt, for our product token."""

    @property
    def crawl_delay_s(self) -> float | None:
        """Seconds between requests that the host asks for."""

    def allows(self, url: str) -> bool:
        """Whether the URL may be fetched."""


class Gate(Protocol):
    """Knows robots.txt files."""

    async def rules(self, url: str) -> Rules | None:
        """None: not known yet."""

    async def learn(self, url: str) -> Rules | None:
        """Spends a request. None: unreachable. Raises FetchFailed for an address that is off limits."""


class Extracts(Protocol):
    """Reads pages, somewhere that a page cannot harm us."""

    async def extract(
        self,
        page: bytes,
        *,
        url: str,
        subject: str,
        content_type: str | None,
        fetched_at: datetime | None,
        hints: dict[str, object] | None = None,
    ) -> Article:
        """Raises NotAnArticle or ExtractionFailed."""


@dataclass(frozen=True, slots=True)
class Publish:
    """The page is an article."""

    article: Article
    page: Page
    fetched_at: datetime
    extract_ms: int


@dataclass(frozen=True, slots=True)
class Hop:
    """The URL leads elsewhere: ask there, in that host's turn."""

    redirect: Redirect
    location: str
    host: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """The request was spent on robots.txt; the URL's own is next."""

    crawl_delay_s: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """No article this time; `next` is another try, or burial. `status` is the response's, if any."""

    next: Again | Bury
    error: str
    status: int | None = None
    retry_after_s: float | None = None


Verdict = Publish | Hop | Learnt | Failed


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The tools, and the limits that are not theirs. `gate` is None where robots.txt is not obeyed."""

    fetcher: Fetches
    gate: Gate | None
    extractor: Extracts
    policy: RetryPolicy
    max_redirects: int
    clock: Clock

    async def process(self, task: Task, log: FilteringBoundLogger) -> Verdict:
        """Make the task's next request and say what follows from it. Raises nothing on purpose."""
        try:
            return await self._process(task, log)
        except FetchFailed as failure:
            return self._failed(task, failure)
        except NotAnArticle as refusal:
            return self._failed(task, FetchFailed("not_article", str(refusal)))
        except ExtractTimeout as failure:
            return self._failed(task, FetchFailed("extract_timeout", str(failure)))
        except ExtractCrashed as failure:
            return self._failed(task, FetchFailed("poison", str(failure)))
        except ExtractionFailed as failure:
            return self._failed(task, FetchFailed("internal", str(failure)))

    async def _process(self, task: Task, log: FilteringBoundLogger) -> Verdict:
        if self.gate is not None:
            rules = await self.gate.rules(task.target)
            if rules is None:
                return await self._learn(self.gate, task)
            if not rules.allows(task.target):
                raise FetchFailed("robots", f"robots.txt of {task.host} disallows {task.target}")
        log.debug("fetch_started", target=task.target)
        response = await self.fetcher.request(task.target)
        if isinstance(response, Redirect):
            return self._hop(task, response)
        log.info(
            "page_fetched",
            status=response.status,
            wire_bytes=response.wire_bytes,
            body_bytes=len(response.body),
            duration_ms=response.duration_ms,
            content_type=response.content_type,
        )
        fetched_at = self.clock.now()
        began = self.clock.monotonic()
        article = await self._extract(task, response, fetched_at, log)
        return Publish(article, response, fetched_at, int((self.clock.monotonic() - began) * 1000))

    async def _learn(self, gate: Gate, task: Task) -> Learnt:
        rules = await gate.learn(task.target)
        if rules is None:
            raise FetchFailed("robots_unreachable", f"robots.txt of {task.host} could not be had")
        return Learnt(rules.crawl_delay_s)

    def _hop(self, task: Task, redirect: Redirect) -> Hop:
        # Not the canonical form: a site may tell by a tracking parameter that its redirect was followed.
        location = redirect.location
        if location in {task.url, *task.redirects}:
            raise FetchFailed("redirect_loop", f"{task.target} leads back to {location}")
        if len(task.redirects) >= self.max_redirects:
            raise FetchFailed("too_many_redirects", f"more than {self.max_redirects}, the last to {location}")
        try:
            return Hop(redirect, location, host_key(location))
        except Malformed as refusal:
            raise FetchFailed("bad_redirect", f"Location {refusal.item}: {refusal.why}") from refusal

    async def _extract(
        self, task: Task, page: Page, fetched_at: datetime, log: FilteringBoundLogger
    ) -> Article:
        """Twice, when the process that reads the page is killed: the first time it may have been innocent."""
        hints = task.meta if isinstance(task.meta, dict) else None
        for last in (False, True):
            try:
                return await self.extractor.extract(
                    page.body,
                    url=page.url,
                    subject=task.url,
                    content_type=page.content_type,
                    fetched_at=fetched_at,
                    hints=hints,
                )
            except (ExtractTimeout, ExtractCrashed) as failure:
                reason = "extract_timeout" if isinstance(failure, ExtractTimeout) else "poison"
                log.warning("extract_killed", reason=reason, error=str(failure))
                if last:
                    raise
        raise AssertionError("unreachable")

    def _failed(self, task: Task, failure: FetchFailed) -> Failed:
        following = decide(
            reason=failure.reason,
            attempt=task.attempt,
            retry_after_s=failure.retry_after_s,
            policy=self.policy,
            random=random.random,
        )
        return Failed(following, failure.detail or failure.reason, failure.status, failure.retry_after_s)
