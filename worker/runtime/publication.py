"""The end of a visit that found an article: an event with what it says, or one that nothing has changed.

The rule of revisions: Redis keeps the revision of an article's last published event for good, and an event is
written only with a higher one, by the script that keeps it. Who comes too late, because another task of the
same URL was in work too, writes nothing, and compares anew with what that one found.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from worker.changes import changed_fields
from worker.events.envelope import article_event, unchanged_event
from worker.model import Validators, Visit
from worker.store.settling import Settled
from worker.urls import article_id
from worker.verdict import Publish

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from worker.clock import Clock
    from worker.events.payload import Change
    from worker.habits.sightings import Sightings
    from worker.model import Lease, Record, Task
    from worker.runtime.stories import Stories
    from worker.store.frontier import Frontier
    from worker.telemetry.stats import Stats
    from worker.verdict import Unmodified

#: Called with the lease that has ended and its event's fields.
Tell = Callable[["Lease", Mapping[str, str | bytes]], Awaitable[None]]


class Publication:
    """Writes the events of articles, and tells of those that stand in their stream."""

    def __init__(
        self,
        frontier: Frontier,
        stats: Stats,
        sightings: Sightings,
        *,
        stories: Stories,
        namespace: str,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._frontier = frontier
        self._stats = stats
        self._sightings = sightings
        self._stories = stories
        self._namespace = namespace
        self._clock = clock
        self._tell = tell

    async def read(self, lease: Lease, verdict: Publish, known: Record, log: FilteringBoundLogger) -> Settled:
        """End the lease with the article that was read, as far as it differs from what is known of it."""
        cluster = known.visit.cluster if known.visit else None
        while (settled := await self._compared(lease, verdict, known, cluster, log)) is Settled.OUTDATED:
            known = await self._frontier.visits.recall(lease)
            cluster = (known.visit.cluster if known.visit else None) or cluster
        return settled

    async def unmodified(self, lease: Lease, verdict: Unmodified, log: FilteringBoundLogger) -> Settled:
        """End the lease with the server's word that nothing has changed."""
        answer, before = verdict.page, verdict.visit.validators
        # A 304 brings the page's validators anew (RFC 9110, 15.4.5); those that it leaves out still hold.
        validators = Validators(answer.etag or before.etag, answer.last_modified or before.last_modified)
        seen = replace(verdict.visit, validators=validators, fetched_ms=0)  # it is as of now
        settled = await self._unchanged(lease, verdict, seen, log)
        if settled is Settled.OUTDATED:
            # Of what has been published meanwhile the server said nothing: it is asked again.
            return await self._frontier.release(lease)
        return settled

    async def _compared(
        self,
        lease: Lease,
        verdict: Publish,
        known: Record,
        cluster: str | None,
        log: FilteringBoundLogger,
    ) -> Settled:
        page, last = verdict.page, known.visit
        visit = Visit(
            revision=known.revision,
            url=page.url,
            validators=Validators(page.etag, page.last_modified),
            prints=verdict.reading.prints,
            record=page.record,
            cluster=cluster,
        )
        changed = changed_fields(last.prints, visit.prints) if last else ()
        if last and not changed:
            return await self._unchanged(lease, verdict, visit, log)
        return await self._changed(lease, verdict, replace(visit, revision=known.revision + 1), changed, log)

    async def _changed(
        self,
        lease: Lease,
        verdict: Publish,
        visit: Visit,
        changed: tuple[str, ...],
        log: FilteringBoundLogger,
    ) -> Settled:
        article = verdict.reading
        cluster = await self._stories.cluster_of(article.article_id, article.fingerprints, visit.cluster)
        visit = visit if visit.cluster == cluster else replace(visit, cluster=cluster)
        change: Change = "new" if visit.revision == 1 else "updated"
        event = article_event(
            _as_of(lease.task, visit),
            article,
            verdict.page,
            fetched_at=verdict.fetched_at,
            now=self._clock.now(),
            namespace=self._namespace,
            partition=lease.partition,
            change=change,
            changed_fields=changed,
            cluster_id=cluster,
        )
        with self._stats.timed("publish"):
            settled = await self._frontier.finish(lease, event, signal=verdict.signal, visit=visit)
        if settled in {Settled.DONE, Settled.REPEATED}:
            self._count("published", verdict)
            self._sightings.published(lease.task, article.found)
            log.info(
                "article_published",
                article_id=article.article_id,
                event_id=str(event["id"]),
                revision=visit.revision,
                change=change,
                changed_fields=changed or None,
                title=article.title,
                copy_of=cluster if cluster != article.article_id else None,
                word_count=article.word_count,
                body_bytes=article.body_bytes,
                paragraphs=article.paragraphs,
                confidence=round(article.confidence, 3),
                extract_ms=verdict.extract_ms,
                age_ms=age_ms(lease.task, self._clock),
            )
            await self._tell(lease, event)
        return settled

    async def _unchanged(
        self, lease: Lease, verdict: Publish | Unmodified, visit: Visit, log: FilteringBoundLogger
    ) -> Settled:
        read = verdict if isinstance(verdict, Publish) else None
        event = unchanged_event(
            _as_of(lease.task, visit),
            verdict.page,
            fetched_at=verdict.fetched_at,
            now=self._clock.now(),
            namespace=self._namespace,
            partition=lease.partition,
            charset=read.reading.charset if read else None,
        )
        with self._stats.timed("publish"):
            settled = await self._frontier.finish(
                lease, event, signal=verdict.signal, end="unchanged", visit=visit
            )
        if settled in {Settled.DONE, Settled.REPEATED}:
            self._count("unchanged", verdict)
            self._sightings.unchanged(lease.task)
            log.info(
                "article_unchanged",
                article_id=article_id(lease.task.url),
                event_id=str(event["id"]),
                revision=visit.revision,
                status=verdict.page.status,
                extract_ms=read.extract_ms if read else None,
                age_ms=age_ms(lease.task, self._clock),
            )
            await self._tell(lease, event)
        return settled

    def _count(self, end: str, verdict: Publish | Unmodified) -> None:
        self._stats.count(end)
        self._stats.observe("fetch", verdict.page.duration_ms)
        if isinstance(verdict, Publish):
            self._stats.observe("extract", verdict.extract_ms)


def _as_of(task: Task, visit: Visit) -> Task:
    return task if task.revision == visit.revision else replace(task, revision=visit.revision)


def age_ms(task: Task, clock: Clock) -> int:
    """How long the task has waited for its end since it was accepted, or due if that was later."""
    # Two clocks, Redis' and ours: the difference can be off, but not below nothing.
    return max(0, int(clock.now().timestamp() * 1000) - max(task.accepted_ms, task.due_ms))
