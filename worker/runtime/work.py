"""One lease, from claim to end: decide in the pipeline, act on the frontier, tell the log."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from worker.errors import StoreUnusable
from worker.events.envelope import article_event, dead_event
from worker.pipeline import Failed, Hop, Learnt, Pipeline, Publish, Verdict
from worker.retry import Again, Bury, decide
from worker.store.frontier import Settled
from worker.telemetry.log import get_logger, told

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from worker.clock import Clock
    from worker.events.payload import Change
    from worker.model import Lease, Redirect
    from worker.runtime.in_work import InWork
    from worker.store.frontier import Frontier
    from worker.telemetry.stats import Stats


class Work:
    """What is done with a lease. Safe to cancel: a script ends a lease whole or not at all."""

    def __init__(
        self,
        pipeline: Pipeline,
        frontier: Frontier,
        in_work: InWork,
        stats: Stats,
        *,
        namespace: str,
        max_crashes: int,
        clock: Clock,
    ) -> None:
        self._pipeline = pipeline
        self._frontier = frontier
        self._in_work = in_work
        self._stats = stats
        self._namespace = namespace
        self._max_crashes = max_crashes
        self._clock = clock

    async def run(self, lease: Lease) -> None:
        """Work on the lease until it is settled or lost. Raises StoreUnusable, and nothing else."""
        task = lease.task
        log = get_logger(task_id=lease.task_id, url=task.url, host=task.host, attempt=task.attempt)
        # A process that was stopped (SIGSTOP, a suspended laptop) wakes up after its leases have gone.
        if self._clock.monotonic() >= self._in_work.expires_monotonic(lease):
            # A claim answered only after an outage is as old, but still there to be given back.
            if await self._frontier.release(lease) is Settled.LOST:
                log.warning("lease_lost", step="claim")
            return
        try:
            if task.crashes >= self._max_crashes:
                says = f"its worker vanished {task.crashes} times while holding it"
                settled = await self._settle(lease, Failed(Bury("poison"), says), log)
            else:
                settled = await self._settle(lease, await self._verdict(lease, log), log)
        except StoreUnusable:
            raise
        except Exception as error:
            # The lease stays ours until it runs out: the URL is tried again, as a suspect.
            log.error("internal_error", where="settle", **told(error))
            return
        if settled is Settled.LOST:
            log.warning("lease_lost", step="settle")

    async def _verdict(self, lease: Lease, log: FilteringBoundLogger) -> Verdict:
        try:
            return await self._pipeline.process(lease.task, log)
        except Exception as error:
            log.error("internal_error", where="pipeline", **told(error))
            following = decide(
                reason="internal",
                attempt=lease.task.attempt,
                retry_after_s=None,
                policy=self._pipeline.policy,
                random=random.random,
            )
            return Failed(following, f"{type(error).__name__}: {error}")

    async def _settle(self, lease: Lease, verdict: Verdict, log: FilteringBoundLogger) -> Settled:
        match verdict:
            case Publish():
                return await self._publish(lease, verdict, log)
            case Hop(redirect=redirect, location=location, host=host):
                return await self._redirect(lease, redirect, location, host, log)
            case Learnt(crawl_delay_s=delay_s):
                return await self._learnt(lease, delay_s)
            case Failed(next=following, error=error):
                self._tell_failure(lease, verdict, log)
                if isinstance(following, Again):
                    return await self._retry(lease, following, log)
                return await self._bury(lease, following, error, log)

    async def _publish(self, lease: Lease, verdict: Publish, log: FilteringBoundLogger) -> Settled:
        article, task = verdict.article, lease.task
        change: Change = "new" if task.revision == 1 else "updated"
        event = article_event(
            task,
            article,
            verdict.page,
            fetched_at=verdict.fetched_at,
            now=self._clock.now(),
            namespace=self._namespace,
            partition=lease.partition,
            change=change,
        )
        settled = await self._frontier.finish(lease, event)
        if settled is not Settled.LOST:
            self._stats.count("published")
            self._stats.observe("fetch", verdict.page.duration_ms)
            self._stats.observe("extract", verdict.extract_ms)
            log.info(
                "article_published",
                article_id=article.article_id,
                event_id=str(event["id"]),
                revision=task.revision,
                change=change,
                title=article.title,
                word_count=article.word_count,
                paragraphs=len(article.paragraphs),
                confidence=round(article.extraction.confidence, 3),
                extract_ms=verdict.extract_ms,
                age_ms=self._age_ms(lease),
            )
        return settled

    async def _redirect(
        self, lease: Lease, redirect: Redirect, location: str, host: str, log: FilteringBoundLogger
    ) -> Settled:
        settled = await self._frontier.redirect(lease, location, host)
        if settled is not Settled.LOST:
            self._stats.count("redirected")
            hops = len(lease.task.redirects) + 1
            log.info("redirect_followed", status=redirect.status, location=location, hops=hops)
        return settled

    async def _learnt(self, lease: Lease, crawl_delay_s: float | None) -> Settled:
        host = lease.task.host
        await self._frontier.slow_down(host, crawl_delay_s)
        self._stats.count("robots_fetched")
        get_logger().info("robots_fetched", host=host, url=lease.task.target, crawl_delay_s=crawl_delay_s)
        return await self._frontier.wait_for_turn(lease)

    async def _retry(self, lease: Lease, again: Again, log: FilteringBoundLogger) -> Settled:
        settled = await self._frontier.retry(lease, delay_s=again.delay_s, hold_s=again.hold_s)
        if settled is not Settled.LOST:
            self._stats.count("retried")
            log.info("retry_scheduled", reason=again.reason, delay_s=round(again.delay_s, 3))
        return settled

    async def _bury(self, lease: Lease, end: Bury, error: str, log: FilteringBoundLogger) -> Settled:
        reason = end.reason
        event = dead_event(
            lease.task,
            reason=reason,
            error=error,
            now=self._clock.now(),
            namespace=self._namespace,
            partition=lease.partition,
        )
        settled = await self._frontier.bury(lease, reason, event, hold_s=end.hold_s)
        if settled is not Settled.LOST:
            self._stats.count("buried")
            log.warning(
                "url_buried",
                reason=reason,
                error=error,
                event_id=str(event["id"]),
                attempts=lease.task.attempt + 1,
                age_ms=self._age_ms(lease),
            )
        return settled

    def _tell_failure(self, lease: Lease, verdict: Failed, log: FilteringBoundLogger) -> None:
        reason, hold_s = verdict.next.reason, verdict.next.hold_s
        log.warning(
            "fetch_failed",
            reason=reason,
            error=verdict.error,
            status=verdict.status,
            retry_after_s=verdict.retry_after_s,
            target=lease.task.target,
        )
        if hold_s > 0:
            get_logger().warning(
                "host_penalised", host=lease.task.host, reason=reason, hold_s=round(hold_s, 3)
            )

    def _age_ms(self, lease: Lease) -> int:
        # Two clocks, Redis' and ours: the difference can be off, but not below nothing.
        return max(0, int(self._clock.now().timestamp() * 1000) - lease.task.accepted_ms)
