"""One URL taken through a worker's own pipeline, without a queue: the same rules, spacing and redirects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from worker.clock import SystemClock
from worker.errors import Malformed
from worker.model import Task
from worker.pipeline import Hop, Learnt
from worker.runtime.parts import fetcher_of, pipeline_of, pool_of
from worker.settings import host_rules
from worker.telemetry.log import get_logger
from worker.urls import canonicalise, host_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from worker.fetch.gate import Cache
    from worker.pipeline import Verdict
    from worker.settings import HostOverride, Settings


@dataclass(frozen=True, slots=True)
class Step:
    """One turn: the task as it was, and what came of it. The last step's verdict is the URL's."""

    task: Task
    verdict: Verdict


async def steps(source: str, settings: Settings, cache: Cache) -> AsyncIterator[Step]:
    """Every turn that the URL takes up to its end, retries aside, each in its host's time.

    `cache` is where robots.txt files are looked up and kept. Raises click.UsageError for what is no URL, and
    Misconfigured for a hosts' file that cannot be read.
    """
    clock, rules = SystemClock(), host_rules(settings)
    due_s: dict[str, float] = {}
    following: Task | None = _task(source, settings, int(clock.now().timestamp() * 1000))
    async with fetcher_of(settings) as fetcher, pool_of(settings, processes=1) as pool:
        pipeline = pipeline_of(settings, fetcher, pool, cache, clock)
        while following is not None:
            task, following = following, None
            crawl_delay_s: float | None = None
            await clock.sleep(max(0.0, due_s.get(task.host, 0.0) - clock.monotonic()))
            verdict = await pipeline.process(task, get_logger())
            yield Step(task, verdict)
            match verdict:
                case Hop(redirect=redirect, location=location, host=host):
                    canonical = redirect.by == "canonical"
                    following = task.hop(location, host, redirect.set_cookies, canonical=canonical)
                    robots = await pipeline.gate.rules(task.target) if pipeline.gate else None
                    crawl_delay_s = robots.crawl_delay_s if robots else None
                case Learnt(crawl_delay_s=crawl_delay_s):
                    following = task
            pace = pace_of(settings, rules, task.host, crawl_delay_s)
            due_s[task.host] = clock.monotonic() + pace.spacing_s


def _task(source: str, settings: Settings, now_ms: int) -> Task:
    try:
        url = canonicalise(source)
    except Malformed as fault:
        raise click.UsageError(str(fault)) from fault
    return Task(
        seq=1,
        url=url,
        host=host_key(url, settings.host_grouping),
        attempt=0,
        crashes=0,
        accepted_ms=now_ms,
        revision=1,
        requested_url=source,
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a host may be asked, and what says so: `default`, `override` or `crawl_delay`."""

    spacing_s: float
    slots: int
    source: str


def pace_of(
    settings: Settings, rules: Mapping[str, HostOverride], host: str, crawl_delay_s: float | None
) -> Pace:
    """The pace of a host key: the operator's word, else the fleet's, made slower by a Crawl-delay."""
    spacing_s, slots, source = settings.host_spacing_s, settings.host_slots, "default"
    if own := rules.get(host):
        slots, source = own.slots or slots, "override"
        if own.spacing_s is not None:
            return Pace(own.spacing_s, slots, source)
    if (crawl_delay_s or 0.0) > spacing_s:
        return Pace(crawl_delay_s or 0.0, 1, "crawl_delay")
    return Pace(spacing_s, slots, source)
