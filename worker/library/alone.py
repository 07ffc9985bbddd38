"""URLs taken through a worker's own pipeline, without a queue: the same rules, spacing and redirects."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from worker.clock import SystemClock
from worker.errors import FetchFailed, NoArticle
from worker.hooks import NO_HOOKS, Hooks
from worker.model import Task
from worker.runtime.parts import fetcher_of, pipeline_of, pool_of
from worker.settings import host_rules
from worker.telemetry.log import get_logger
from worker.urls import canonicalise, host_key
from worker.verdict import Failed, Hop, Learnt, Publish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from worker.clock import Clock
    from worker.fetch.gate import Cache
    from worker.fetch.recording import Recorder
    from worker.model import Article
    from worker.pipeline import Pipeline
    from worker.settings import HostOverride, Settings
    from worker.verdict import Verdict

#: Hosts whose last request is remembered; of more, those that may be asked again are forgotten.
_HOSTS_KNOWN = 1_000


@dataclass(frozen=True, slots=True)
class Step:
    """One turn: the task as it was, and what came of it. The last step's verdict is the URL's."""

    task: Task
    verdict: Verdict


@dataclass(slots=True)
class _Turns:
    """A host's requests, one after the other."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    due_s: float = 0.0  # monotonic


class Alone:
    """A pipeline without a queue; `opened` makes one."""

    def __init__(
        self, pipeline: Pipeline, settings: Settings, rules: Mapping[str, HostOverride], clock: Clock
    ) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._rules = rules
        self._clock = clock
        self._hosts: dict[str, _Turns] = {}

    async def steps(self, source: str) -> AsyncIterator[Step]:
        """Every turn that the URL takes up to its end, retries aside, each in its host's time.

        Raises Malformed for what is no URL.
        """
        following: Task | None = self._task(source)
        while following is not None:
            task, following = following, None
            verdict = await self._turn(task)
            yield Step(task, verdict)
            match verdict:
                case Hop(redirect=redirect, location=location, host=host):
                    canonical = redirect.by == "canonical"
                    following = task.hop(location, host, redirect.set_cookies, canonical=canonical)
                case Learnt():
                    following = task

    async def article(self, source: str) -> Article:
        """The URL's article. Raises NoArticle, and Malformed for what is no URL."""
        verdict: Verdict | None = None
        async for step in self.steps(source):
            verdict = step.verdict
        match verdict:
            case Publish(article=article):
                return article
            case Failed(next=following, error=error):
                raise NoArticle(following.reason, error)
            case _:
                raise AssertionError("a URL has no other end")

    async def _turn(self, task: Task) -> Verdict:
        turns = self._turns_of(task.host)
        async with turns.lock:
            await self._clock.sleep(max(0.0, turns.due_s - self._clock.monotonic()))
            crawl_delay_s = None
            try:
                verdict = await self._pipeline.process(task, get_logger())
                if isinstance(verdict, Learnt):
                    crawl_delay_s = verdict.crawl_delay_s
                else:
                    crawl_delay_s = await self._crawl_delay_s(task)
            finally:
                pace = pace_of(self._settings, self._rules, task.host, crawl_delay_s)
                turns.due_s = self._clock.monotonic() + pace.spacing_s
        return verdict

    async def _crawl_delay_s(self, task: Task) -> float | None:
        try:
            rules = await self._pipeline.gate.rules(task.target) if self._pipeline.gate else None
        except FetchFailed:
            return None  # it could not be had, which the verdict says
        return rules.crawl_delay_s if rules else None

    def _turns_of(self, host: str) -> _Turns:
        if len(self._hosts) >= _HOSTS_KNOWN:
            now = self._clock.monotonic()
            self._hosts = {
                name: turns for name, turns in self._hosts.items() if turns.lock.locked() or turns.due_s > now
            }
        return self._hosts.setdefault(host, _Turns())

    def _task(self, source: str) -> Task:
        url = canonicalise(source)
        return Task(
            seq=1,
            url=url,
            host=host_key(url, self._settings.host_grouping),
            attempt=0,
            crashes=0,
            accepted_ms=int(self._clock.now().timestamp() * 1000),
            revision=1,
            requested_url=source,
        )


@asynccontextmanager
async def opened(
    settings: Settings,
    cache: Cache,
    *,
    hooks: Hooks = NO_HOOKS,
    processes: int | None = 1,
    recorder: Recorder | None = None,
) -> AsyncIterator[Alone]:
    """A pipeline with connections and processes of its own; `cache` has the robots.txt files.

    Raises Misconfigured for a hosts' file that cannot be read.
    """
    clock, rules = SystemClock(), host_rules(settings)
    async with fetcher_of(settings, recorder) as fetcher, pool_of(settings, processes=processes) as pool:
        pipeline = pipeline_of(settings, fetcher, pool, cache, clock, hooks=hooks)
        yield Alone(replace(pipeline, whole=True), settings, rules, clock)


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
