"""The story of a URL, on one screen: lease → robots → fetch → extract → what to do next. No Redis here.

One lease is one request. What needs another one (robots.txt was unknown, a redirect, a retry) goes back to
the frontier, so that a host's spacing holds for every request of the fleet and not only for first ones.
"""

from __future__ import annotations

import random
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from worker.capture import Subject, on_behalf_of
from worker.errors import (
    ExtractCrashed,
    ExtractionFailed,
    ExtractTimeout,
    FetchFailed,
    Malformed,
    NotAnArticle,
)
from worker.extract.article import extract_article
from worker.extract.indexing import NOINDEX, Indexing
from worker.hooks import NO_HOOKS, Hooks
from worker.model import NotModified, Page, Record, Redirect, Signal
from worker.reading import Reading, Unreadable, read_page, reading_of
from worker.retry import RetryPolicy, decide, signal_of
from worker.urls import host_key
from worker.verdict import Failed, Hop, Learnt, Postponed, Publish, Unmodified, Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from structlog.typing import FilteringBoundLogger

    from worker.clock import Clock
    from worker.grouping import Grouping
    from worker.model import Article, Task
    from worker.tools import Extracts, Fetches, Gate

_NO_REQUEST = Signal()
#: When to look again for the robots.txt that another worker asks for.
_ASKED_BY_ANOTHER_S = 5.0


_UNKNOWN = Record()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The tools, and the limits that are not theirs. `gate` is None where robots.txt is not obeyed."""

    fetcher: Fetches
    gate: Gate | None
    extractor: Extracts
    policy: RetryPolicy
    max_redirects: int
    clock: Clock
    hold: Callable[[], AbstractContextManager[None]] = nullcontext  # what bounds the memory of pages in work
    grouping: Grouping = "host"
    robot: str = "ingest"  # our product token, by which pages name us
    noindex: Literal["warn", "refuse"] = "warn"
    hooks: Hooks = NO_HOOKS
    whole: bool = False  # whether `Publish` has the article as an object, too, for a program of one's own
    clusters: bool = True  # whether stories are looked for, which takes fingerprints
    body_limit_bytes: int = 10_000_000  # of a page whose codings are undone where it is read

    @property
    def wants_articles(self) -> bool:
        """Whether articles are made objects in this process; then pages must come decompressed."""
        return self.whole or bool(self.hooks.after_extract)

    async def process(
        self,
        task: Task,
        log: FilteringBoundLogger,
        known: Record = _UNKNOWN,
        *,
        may_ask: Callable[[], bool] = lambda: True,
    ) -> Verdict:
        """Make the task's next request and say what follows from it. Raises nothing on purpose.

        The request is conditional where the last visit of the article makes it so. `may_ask` is asked right
        before it: what is known of robots.txt may have come so late that the host is another one's by then.
        """
        began = self.clock.monotonic()
        try:
            with self.hold():
                return await self._process(task, log, known, may_ask)
        except FetchFailed as failure:
            return self._failed(task, failure, took_s=self.clock.monotonic() - began)
        except NotAnArticle as refusal:
            return self._failed(task, FetchFailed("not_article", str(refusal)))
        except ExtractTimeout as failure:
            return self._failed(task, FetchFailed("extract_timeout", str(failure)))
        except ExtractCrashed as failure:
            return self._failed(task, FetchFailed("poison", str(failure)))
        except ExtractionFailed as failure:
            return self._failed(task, FetchFailed("internal", str(failure)))

    async def _process(
        self, task: Task, log: FilteringBoundLogger, known: Record, may_ask: Callable[[], bool]
    ) -> Verdict:
        if self.gate is not None:
            rules = await self.gate.rules(task.target)
            if rules is None:
                return await self._learn(self.gate, task)
            if not rules.allows(task.target):
                raise FetchFailed("robots", f"robots.txt of {task.host} disallows {task.target}")
        await self.hooks.permit(task)
        if not may_ask():
            return Postponed(0.0)
        log.debug("fetch_started", target=task.target)
        visit = known.visit_at(task.target)
        validators = visit.validators if visit else None
        with on_behalf_of(Subject(task.url, _hints(task))):
            response = await self.fetcher.request(task.target, validators=validators, cookies=task.cookies)
        if isinstance(response, NotModified):
            if visit is None:
                raise FetchFailed("bad_response", "304 to a request without a condition")
            return Unmodified(response, self.clock.now(), visit)
        if isinstance(response, Redirect):
            return self._hop(task, response)
        return await self._read(task, response, known, log)

    async def _read(self, task: Task, page: Page, known: Record, log: FilteringBoundLogger) -> Publish | Hop:
        log.info(
            "page_fetched",
            status=page.status,
            wire_bytes=page.wire_bytes,
            body_bytes=None if page.codings else len(page.body),
            duration_ms=page.duration_ms,
            content_type=page.content_type,
        )
        fetched_at = self.clock.now()
        began = self.clock.monotonic()
        try:
            found = await self._extract(task, page, fetched_at, known, log)
        except NotAnArticle as refusal:
            return self._elsewhere(task, page, refusal)
        if isinstance(found, Unreadable):
            failure = FetchFailed(found.reason, found.detail)
            failure.took_s = page.duration_ms / 1000  # what came after the request says nothing of the host
            raise failure
        whole: Article | None = None
        if NOINDEX in (found.warnings if isinstance(found, Reading) else found.extraction.warnings):
            self._heed_noindex(task, log)
        if not isinstance(found, Reading):
            whole = await self.hooks.changed(found, page, task)
            found = reading_of(whole, fingerprinted=self.clusters)
        took_ms = int((self.clock.monotonic() - began) * 1000)
        return Publish(found, replace(page, body=b"", codings=()), fetched_at, took_ms, whole)

    async def _learn(self, gate: Gate, task: Task) -> Learnt | Postponed | Failed:
        learning = await gate.learn(task.target)
        signal = learning.signal
        if learning.failure:
            # A neighbour's outage is no reason to leave the rest of a domain alone.
            neighbour = learning.failure.reason == "robots_unreachable" and host_key(task.target) != task.host
            return self._failed(task, learning.failure, signal=_NO_REQUEST if neighbour else signal)
        return (
            Learnt(learning.rules.crawl_delay_s, signal) if learning.rules else Postponed(_ASKED_BY_ANOTHER_S)
        )

    def _heed_noindex(self, task: Task, log: FilteringBoundLogger) -> None:
        refused = self.noindex == "refuse"
        log.warning("noindex_found", target=task.target, refused=refused)
        if refused:
            raise FetchFailed("noindex", f"{task.target} asks not to be indexed")

    def _elsewhere(self, task: Task, page: Page, refusal: NotAnArticle) -> Hop:
        """The hop to where a page without an article says that it is. Raises the refusal where there is none.

        A refresh is a redirect like any other. A canonical URL is followed once, and not back: it is only a
        hint, and a page that sends its readers away and calls itself canonical is no loop but no article.
        """
        location, named_by = refusal.elsewhere, refusal.named_by
        known = task.canonical or location in {task.url, *task.redirects}
        if location is None or named_by is None or (named_by == "canonical" and known):
            raise refusal
        return self._hop(task, Redirect(page.url, page.status, location, page.set_cookies, named_by))

    def _hop(self, task: Task, redirect: Redirect) -> Hop:
        # Not the canonical form: a site may tell by a tracking parameter that its redirect was followed.
        location = redirect.location
        visits = (task.url, *task.redirects).count(location)
        # A wall sets a cookie and sends the visitor back; a loop does so again and again.
        if visits > bool(task.cookies or redirect.set_cookies):
            raise FetchFailed("redirect_loop", f"{task.target} leads back to {location}")
        if len(task.redirects) >= self.max_redirects:
            raise FetchFailed("too_many_redirects", f"more than {self.max_redirects}, the last to {location}")
        try:
            return Hop(redirect, location, host_key(location, self.grouping))
        except Malformed as refusal:
            raise FetchFailed("bad_redirect", f"Location {refusal.item}: {refusal.why}") from refusal

    async def _extract(
        self, task: Task, page: Page, fetched_at: datetime, known: Record, log: FilteringBoundLogger
    ) -> Article | Reading | Unreadable:
        """Twice, when the process that reads the page is killed: the first time it may have been innocent."""
        read: Callable[[], Awaitable[Article | Reading | Unreadable]]
        known_of = {
            "url": page.url,
            "subject": task.url,
            "content_type": page.content_type,
            "hints": _hints(task),
        }
        if self.wants_articles:
            indexing = Indexing(page.robots_tag, self.robot, fetched_at)
            more: dict[str, object] = {"fetched_at": fetched_at, "indexing": indexing}
            read = partial(self.extractor.call, extract_article, page.body, **known_of, **more)
        else:
            more = {
                "fetched_s": fetched_at.timestamp(),
                "robots_tag": page.robots_tag,
                "robot": self.robot,
                # A cluster is for good: the fingerprints of what has one are wanted no more.
                "fingerprinted": self.clusters and not _has_cluster(known),
                "codings": page.codings,
                "limit_bytes": self.body_limit_bytes,
            }
            read = partial(self.extractor.call, read_page, page.body, **known_of, **more)
        for last in (False, True):
            try:
                return await read()
            except (ExtractTimeout, ExtractCrashed) as failure:
                reason = "extract_timeout" if isinstance(failure, ExtractTimeout) else "poison"
                log.warning("extract_killed", reason=reason, error=str(failure))
                if last:
                    raise
        raise AssertionError("unreachable")

    def _failed(
        self, task: Task, failure: FetchFailed, *, took_s: float = 0.0, signal: Signal | None = None
    ) -> Failed:
        following = decide(
            reason=failure.reason,
            attempt=task.attempt,
            retry_after_s=failure.retry_after_s,
            policy=self.policy,
            random=random.random,
        )
        error = failure.detail or failure.reason
        signal = signal or signal_of(failure, took_s)
        return Failed(following, error, failure.status, failure.retry_after_s, signal)


def _has_cluster(known: Record) -> bool:
    return known.visit is not None and known.visit.cluster is not None


def _hints(task: Task) -> dict[str, object] | None:
    return task.meta if isinstance(task.meta, dict) else None
