"""One lease, from claim to end: decide in the pipeline, act on the frontier, tell the log."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from worker.errors import StoreUnusable
from worker.events.envelope import dead_event
from worker.model import Record, Signal
from worker.retry import Again, Bury, decide
from worker.runtime.publication import Publication, age_ms
from worker.runtime.stories import NO_STORIES
from worker.store.settling import Settled
from worker.telemetry.log import get_logger, told
from worker.urls import host_key
from worker.verdict import Failed, Hop, Learnt, Postponed, Publish, Unmodified, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from structlog.typing import FilteringBoundLogger

    from worker.clock import Clock
    from worker.habits.sightings import Sightings
    from worker.model import Lease, Redirect
    from worker.pipeline import Pipeline
    from worker.runtime.in_work import InWork
    from worker.runtime.stories import Stories
    from worker.store.frontier import Frontier
    from worker.telemetry.stats import Stats

#: The host answered, and by how long that took nothing is known of its pages.
_ANSWERED = Signal("ok")
_UNKNOWN = Record()


class Work:
    """What is done with a lease. Safe to cancel: a script ends a lease whole or not at all."""

    def __init__(
        self,
        pipeline: Pipeline,
        frontier: Frontier,
        in_work: InWork,
        stats: Stats,
        sightings: Sightings,
        *,
        stories: Stories = NO_STORIES,
        namespace: str,
        max_crashes: int,
        clock: Clock,
    ) -> None:
        self._pipeline = pipeline
        self._frontier = frontier
        self._in_work = in_work
        self._stats = stats
        self._sightings = sightings
        self._namespace = namespace
        self._max_crashes = max_crashes
        self._clock = clock
        self._publication = Publication(
            frontier,
            stats,
            sightings,
            stories=stories,
            namespace=namespace,
            clock=clock,
            tell=self._tell,
        )

    async def run(self, lease: Lease) -> None:
        """Work on the lease until it is settled or lost. Raises StoreUnusable, and nothing else."""
        task = lease.task
        log = get_logger(task_id=lease.task_id, url=task.url, host=task.host, attempt=task.attempt)
        # A process that was stopped (SIGSTOP, a suspended laptop) wakes up after its leases have gone.
        if not self._is_ours(lease) or self._frontier.is_misplaced(lease):
            # A claim answered only after an outage is as old, but still there to be given back.
            if await self._frontier.release(lease) is Settled.LOST:
                log.warning("lease_lost", step="claim")
            return
        if lease.probe:
            get_logger().info("host_half_open", host=task.host, task_id=lease.task_id)
        try:
            if task.crashes >= self._max_crashes:
                says = f"its worker vanished {task.crashes} times while holding it"
                settled = await self._settle(lease, Failed(Bury("poison"), says), _UNKNOWN, log)
            else:
                known = await self._frontier.visits.recall(lease) if task.revision > 1 else _UNKNOWN
                settled = await self._settle(lease, await self._verdict(lease, known, log), known, log)
        except StoreUnusable:
            raise
        except Exception as error:
            # The lease stays ours until it runs out: the URL is tried again, as a suspect.
            log.error("internal_error", where="settle", **told(error))
            return
        if settled is Settled.LOST:
            log.warning("lease_lost", step="settle")

    def _is_ours(self, lease: Lease) -> bool:
        return self._clock.monotonic() < self._in_work.expires_monotonic(lease)

    async def _verdict(self, lease: Lease, known: Record, log: FilteringBoundLogger) -> Verdict:
        try:
            return await self._pipeline.process(lease.task, log, known, may_ask=partial(self._is_ours, lease))
        except StoreUnusable:
            raise
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

    async def _settle(
        self, lease: Lease, verdict: Verdict, known: Record, log: FilteringBoundLogger
    ) -> Settled:
        match verdict:
            case Publish():
                return await self._publication.read(lease, verdict, known, log)
            case Unmodified():
                return await self._publication.unmodified(lease, verdict, log)
            case Hop(redirect=redirect, location=location, host=host):
                return await self._redirect(lease, redirect, location, host, log)
            case Learnt():
                return await self._learnt(lease, verdict)
            case Postponed(delay_s=delay_s):
                return await self._frontier.wait_for_turn(lease, delay_s=delay_s)
            case Failed(next=following):
                self._tell_failure(lease, verdict, log)
                if isinstance(following, Again):
                    return await self._retry(lease, following, verdict.signal, log)
                return await self._bury(lease, following.reason, verdict, log)

    async def _redirect(
        self, lease: Lease, redirect: Redirect, location: str, host: str, log: FilteringBoundLogger
    ) -> Settled:
        settled = await self._frontier.redirect(
            lease,
            location,
            host,
            redirect.set_cookies,
            canonical=redirect.by == "canonical",
            signal=_ANSWERED,
        )
        if settled is not Settled.LOST:
            self._stats.count("redirected")
            hops = len(lease.task.redirects) + 1
            log.info(
                "redirect_followed", status=redirect.status, location=location, by=redirect.by, hops=hops
            )
        return settled

    async def _learnt(self, lease: Lease, verdict: Learnt) -> Settled:
        host, crawl_delay_s, signal = lease.task.host, verdict.crawl_delay_s, verdict.signal
        # A host that counts as its domain and has no Crawl-delay must not drop that of a neighbour.
        if crawl_delay_s is not None or host_key(lease.task.target) == host:
            await self._frontier.hosts.slow_down(host, crawl_delay_s)
        if signal.sign != "none":
            self._stats.count("robots_fetched")
            error = {"error": signal.reason} if signal.sign != "ok" else {}
            get_logger().info(
                "robots_fetched", host=host, url=lease.task.target, crawl_delay_s=crawl_delay_s, **error
            )
        return await self._frontier.wait_for_turn(lease, signal=signal)

    async def _retry(self, lease: Lease, again: Again, signal: Signal, log: FilteringBoundLogger) -> Settled:
        settled = await self._frontier.retry(lease, delay_s=again.delay_s, signal=signal)
        if settled is not Settled.LOST:
            self._stats.count("retried", reason=again.reason)
            log.info("retry_scheduled", reason=again.reason, delay_s=round(again.delay_s, 3))
        return settled

    async def _bury(self, lease: Lease, reason: str, verdict: Failed, log: FilteringBoundLogger) -> Settled:
        event = dead_event(
            lease.task,
            reason=reason,
            error=verdict.error,
            now=self._clock.now(),
            namespace=self._namespace,
            partition=lease.partition,
        )
        settled = await self._frontier.bury(lease, reason, event, signal=verdict.signal)
        if settled is not Settled.LOST:
            self._stats.count("buried", reason=reason)
            self._sightings.buried(lease.task, reason)
            log.warning(
                "url_buried",
                reason=reason,
                error=verdict.error,
                event_id=str(event["id"]),
                attempts=lease.task.attempt + 1,
                age_ms=age_ms(lease.task, self._clock),
            )
            await self._tell(lease, event)
        return settled

    async def _tell(self, lease: Lease, event: Mapping[str, str | bytes]) -> None:
        """Let the program hear of the event, for which there may be more time than a lease has."""
        self._in_work.ended(lease)
        await self._pipeline.hooks.tell(event)

    def _tell_failure(self, lease: Lease, verdict: Failed, log: FilteringBoundLogger) -> None:
        log.warning(
            "fetch_failed",
            reason=verdict.next.reason,
            error=verdict.error,
            status=verdict.status,
            duration_ms=round(verdict.signal.latency_s * 1000) or None,
            retry_after_s=verdict.retry_after_s,
            target=lease.task.target,
        )
