"""One look at one feed: ask for it, read it, push what is new, say when to look again."""

from __future__ import annotations

import random
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from worker.errors import FetchFailed, Malformed
from worker.feeds import NotAFeed
from worker.feeds.schedule import Bounds, after_failure, after_look
from worker.model import NotModified, Page, Validators
from worker.runtime.feed_room import NoRoom
from worker.runtime.polite import HostBusy
from worker.runtime.sitemaps import adopt
from worker.store.feeds import LeaseLost
from worker.telemetry.log import get_logger
from worker.urls import canonicalise, url_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from structlog.typing import FilteringBoundLogger

    from worker.clock import Clock
    from worker.feeds import Feed
    from worker.runtime.feed_reader import FeedReader
    from worker.runtime.feed_room import Room
    from worker.runtime.polite import Polite
    from worker.store.connection import Word
    from worker.store.feeds import FeedLease, Feeds, WatchedFeed

#: Entries in one call of a script: a few milliseconds of Redis' time.
_AT_ONCE = 500
#: A sitemap of an index that was missing so often, over days, is one that the site has given up.
_MISSES_OF_A_SITEMAP = 20
_VALIDATOR_CHARS = 1_000
_ERROR_CHARS = 300
_GONE = "http_410"  # RFC 9110, 15.5.11: "likely to be permanent"


@dataclass
class Tally:
    """What a process has done so far."""

    looked: int = 0
    pushed: int = 0


@dataclass(frozen=True)
class Looks:
    """What a look is made with."""

    feeds: Feeds
    polite: Polite
    reader: FeedReader
    room: Room
    bounds: Bounds
    max_crashes: int
    clock: Clock
    hold: Callable[[], AbstractContextManager[None]] = nullcontext  # what bounds the memory of documents
    tally: Tally = field(default_factory=Tally)

    async def look(self, lease: FeedLease) -> None:
        """Look at the leased feed and end the lease. Raises LeaseLost, and what Redis' troubles raise."""
        feed = lease.feed
        log = get_logger(feed_id=feed.id, feed=feed.url)
        self.tally.looked += 1
        if feed.crashes:
            log.warning("feed_taken_over", crashes=feed.crashes)
        began = self.clock.monotonic()
        try:
            if feed.crashes >= self.max_crashes:
                raise FetchFailed("poison", f"{feed.crashes} processes vanished while looking at it")
            await self._looked(lease, log, began)
        except HostBusy as busy:
            due_s = max(busy.retry_after_s, 1.0)
            await self._finish(lease, due_s, {})
            log.debug("feed_postponed", next_in_s=round(due_s, 3))
        except NoRoom:
            # Without its validators: they would bring a 304, and what was not pushed would stay so.
            await self._finish(lease, self.bounds.min_s, {"etag": "", "last_modified": ""})
            log.debug("feed_postponed", next_in_s=round(self.bounds.min_s, 3))
        except NotAFeed as refusal:
            await self._failed(lease, FetchFailed("not_feed", refusal.why), log)
        except FetchFailed as failure:
            if failure.reason == _GONE and not feed.moved_to:
                await self._ended(lease, failure.reason, log)
            else:
                await self._failed(lease, failure, log)

    async def _looked(self, lease: FeedLease, log: FilteringBoundLogger, began: float) -> None:
        feed = lease.feed
        with self.hold():
            answer = await self.polite.get(feed.address, feed.validators)
            page = answer.response
            found = await self.reader.read(page) if isinstance(page, Page) else None
            page = replace(page, body=b"") if isinstance(page, Page) else page
        said: dict[str, Any] = {}
        new, sitemaps, asked_s = 0, 0, feed.asked_s
        fields: dict[str, Word] = {}
        if found is not None:
            new = await self._pushed(lease, found)
            sitemaps = await adopt(self.feeds, lease, found.sitemaps)
            asked_s = found.refresh_s or 0.0
            fields = {"kind": found.kind, "title": found.title or "", "entries": len(found.entries)}
            said = {"entries": len(found.entries), "kind": found.kind, "sitemaps": sitemaps or None}
            said |= {"passed_over": found.passed_over or None, "broken": found.broken}
            if found.expired:
                await self._ended(lease, "expired", log, fields)
                return
        # What a 304 says of the validators replaces them, the others stay (RFC 9110, 15.4.5).
        known = feed.validators if isinstance(page, NotModified) else Validators()
        fields["etag"] = _kept(page.etag or known.etag)
        fields["last_modified"] = _kept(page.last_modified or known.last_modified)
        if answer.moved_to and answer.moved_to != feed.address:
            fields["moved_to"] = answer.moved_to
            log.info("feed_moved", location=answer.moved_to)
        max_age_s = page.max_age_s if isinstance(page, Page) else None
        plan = after_look(
            feed.interval_s or self.bounds.min_s,
            new + sitemaps,
            self.bounds,
            asked_s=max(asked_s, max_age_s or 0.0),
            random=random.random,
        )
        fields |= {"interval_s": f"{plan.interval_s:.3f}", "asked_s": f"{asked_s:g}" if asked_s else ""}
        fields |= {"failures": "", "error": "", "skip_present": "", "worked_ms": self._now_ms()}
        await self._finish(lease, plan.due_s, fields, read=found is not None)
        log.info(
            "feed_checked",
            status=page.status,
            new=new,
            duration_ms=round((self.clock.monotonic() - began) * 1000),
            interval_s=round(plan.interval_s, 3),
            next_in_s=round(plan.due_s, 3),
            **{name: value for name, value in said.items() if value is not None},
        )

    async def _pushed(self, lease: FeedLease, found: Feed) -> int:
        """Push the new entries, the oldest first as far as the feed's order tells; returns how many.

        Raises NoRoom where there is none for the rest of them.
        """
        total, entries = 0, iter(_items(found, lease.feed))
        while batch := list(islice(entries, _AT_ONCE)):
            new = await self.feeds.look(lease, [digest for digest, _ in batch])
            if new is None:
                raise LeaseLost("look")
            if new:
                if await self.room.is_full():
                    raise NoRoom
                pushed = await self.feeds.push(lease, [batch[index] for index in new])
                if pushed is None:
                    raise LeaseLost("push")
                self.tally.pushed += pushed - total
                total = pushed
        return total

    async def _failed(self, lease: FeedLease, failure: FetchFailed, log: FilteringBoundLogger) -> None:
        feed = lease.feed
        failures = feed.failures + 1
        if feed.parent and failure.reason == "http_404" and failures >= _MISSES_OF_A_SITEMAP:
            await self._ended(lease, failure.reason, log)
            return
        plan = after_failure(
            feed.interval_s, failures, self.bounds, retry_after_s=failure.retry_after_s, random=random.random
        )
        fields: dict[str, Word] = {"failures": failures, "error": str(failure)[:_ERROR_CHARS]}
        if failure.status and 400 <= failure.status < 500:
            fields["moved_to"] = ""  # it is not there any more: the address that was given may know better
        await self._finish(lease, plan.due_s, fields)
        status = {"status": failure.status} if failure.status else {}
        log.warning(
            "feed_failed",
            reason=failure.reason,
            error=str(failure)[:_ERROR_CHARS],
            failures=failures,
            next_in_s=round(plan.due_s, 3),
            **status,
        )

    async def _ended(
        self,
        lease: FeedLease,
        reason: str,
        log: FilteringBoundLogger,
        fields: dict[str, Word] | None = None,
    ) -> None:
        await self._finish(lease, None, {**(fields or {}), "state": "ended", "error": reason})
        log.warning("feed_ended", reason=reason)

    async def _finish(
        self, lease: FeedLease, due_s: float | None, fields: dict[str, Word], *, read: bool = False
    ) -> None:
        if not await self.feeds.finish(lease, due_s=due_s, fields=fields, read=read):
            raise LeaseLost("finish")

    def _now_ms(self) -> int:
        return int(self.clock.now().timestamp() * 1000)


def _items(found: Feed, feed: WatchedFeed) -> Iterator[tuple[bytes, bytes]]:
    """Each entry's digest and its queue item, an empty one where it is to be remembered only."""
    for entry in _oldest_first(found.entries):
        try:
            url = canonicalise(entry.url)
        except Malformed:
            continue
        item = (
            b""
            if feed.skip_present
            else orjson.dumps({"url": entry.url, "meta": entry.meta(found, feed.url)})
        )
        yield url_digest(url), item


def _oldest_first(entries: Sequence[Any]) -> Sequence[Any]:
    """By their dates where all have one; else feeds are taken to list the newest first."""
    if all(entry.when for entry in entries):
        return sorted(entries, key=lambda entry: entry.when or datetime.min.replace(tzinfo=UTC))
    return entries[::-1]


def _kept(validator: str | None) -> str:
    fits = (
        validator and len(validator) <= _VALIDATOR_CHARS and validator.isascii() and validator.isprintable()
    )
    return validator or "" if fits else ""
