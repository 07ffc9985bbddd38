"""One size of one shape: filled on a server of its own, and all its figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.bench.frontier_fill import fill
from tests.bench.frontier_measure import SMALL, Bench, Ending
from tests.bench.measure import RedisUse
from tests.bench.origin import pages
from tests.servers import RedisServer
from worker.changes import prints_of
from worker.errors import NotAnArticle
from worker.events.envelope import article_event
from worker.extract import extract_article
from worker.model import Page, Task
from worker.store.connection import Connection
from worker.urls import host_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.frontier_fill import Shape
    from tests.bench.frontier_measure import Laps, Use

_RESTING_S = 7200.0
_EMPTY_CLAIMS = 500
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is measured."""

    claims: int  # tasks that are claimed and ended, a quarter as many with a real event
    reaped: int  # leases that run out
    producers: int
    persistent: bool  # the append-only file, as the servers that we ship have it


@dataclass
class Tier:
    """The figures of one size. Times are ms, or µs where the name says so."""

    name: str
    waiting: int
    hosts: int
    figures: dict[str, float] = field(default_factory=dict)
    longest: dict[str, str] = field(default_factory=dict)  # phase → longest command, spikes
    server: str = ""  # its version and its allocator, on which memory and CPU depend


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that so large a share of them does not pass; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def real_ending() -> Ending:
    """The event of the longest article of the sample site."""
    found: list[tuple[int, Ending]] = []
    for page in pages(None):
        try:
            article = extract_article(page.body, url=page.url)
        except NotAnArticle:
            continue
        task = Task(1, page.url, host_key(page.url), 0, 0, 0, 1, page.url)
        fetched = Page(page.url, 200, b"", "text/html", len(page.wire), 1)
        event = article_event(
            task, article, fetched, partition=0, namespace="bench", fetched_at=_NOW, now=_NOW
        )
        found.append((len(article.text), Ending(event, prints_of(article))))
    return max(found, key=lambda each: each[0])[1]


async def measure(name: str, shape: Shape, folder: Path, scope: Scope, *, giant: int = 0) -> Tier:
    """Fill a new server, and measure.

    With `giant`, measures as well while most hosts rest, and then with so many URLs of one host beside them.
    """
    options = () if scope.persistent else ("--appendonly", "no")
    server = RedisServer(folder, options=options).start()
    try:
        async with Connection(server.url, patience_s=60, timeout_s=60) as connection:
            bench = Bench(connection, server.url)
            await bench.space(0)
            info = await connection.command("INFO")
            about = f"Redis {info['redis_version']}, {info['mem_allocator']}"
            tier = Tier(name, shape.urls, shape.hosts, server=about)
            await _fill(tier, bench, shape, scope)
            await _operate(tier, bench, scope, real_ending())
            if giant:
                await _rest(tier, bench, scope)
                await bench.trim()
                await _fill(tier, bench, shape, scope, giant)
                await _measure_laps(tier, bench, scope.claims // 4, SMALL, "giant_")
            return tier
    finally:
        server.stop()


async def _fill(tier: Tier, bench: Bench, shape: Shape, scope: Scope, giant: int = 0) -> None:
    before, waiting = (await RedisUse.of(bench.connection)).data_bytes, await bench.waiting()
    async with bench.use() as use:
        filled = await fill(bench.connection, bench.server, shape, scope.producers, giant=giant)
    held = (await RedisUse.of(bench.connection)).data_bytes - before
    memory = await bench.connection.command("INFO", "memory")
    assert await bench.waiting() == waiting + filled.urls
    prefix = "giant_" if giant else ""
    _note(tier, f"{prefix}fill", use)
    tier.figures |= {
        f"{prefix}bytes_a_url": held / filled.urls,
        f"{prefix}resident_a_url": int(memory["used_memory_rss"]) / (waiting + filled.urls),
        f"{prefix}admitted_per_s": filled.per_s,
        f"{prefix}admit_redis_us": filled.redis_us,
    }


async def _measure_laps(tier: Tier, bench: Bench, count: int, ending: Ending, prefix: str = "") -> None:
    async with bench.use() as use:
        laps = await bench.laps(count, ending)
    _note(tier, f"{prefix}laps", use)
    tier.figures |= _lap_figures(prefix, laps, use)


async def _operate(tier: Tier, bench: Bench, scope: Scope, real: Ending) -> None:
    await bench.laps(min(500, scope.claims), SMALL)  # the interpreters' and allocators' first times
    await _measure_laps(tier, bench, scope.claims, SMALL)
    await _measure_laps(tier, bench, scope.claims // 4, real, "real_")
    async with bench.use() as use:
        tier.figures["trimmed"] = await bench.trim()
    _note(tier, "trim", use)
    reaped, use = await bench.reap(min(scope.reaped, tier.hosts))
    tier.figures |= {"reaped": reaped, "reap_ms": use.wall_s * 1000, "reap_redis_us": _each(use, reaped)}
    _note(tier, "reap", use)
    for name, options in (("status", ()), ("status_hosts", ("--hosts",))):
        use = await bench.status(*options)
        tier.figures |= {f"{name}_ms": use.wall_s * 1000, f"{name}_redis_ms": use.cpu_s * 1000}
        _note(tier, name, use)
    use = await bench.start()
    tier.figures |= {"start_ms": use.wall_s * 1000, "start_redis_ms": use.cpu_s * 1000}
    _note(tier, "start", use)
    await bench.space(0)  # the worker has set its own


async def _rest(tier: Tier, bench: Bench, scope: Scope) -> None:
    """With hosts that rest for hours: first with few that are due, then with none."""
    await bench.rested()  # after the worker's own spacing
    await bench.space(_RESTING_S)
    due = min(scope.claims, tier.hosts // 2)
    await bench.rest(tier.hosts - due)
    await _measure_laps(tier, bench, due, SMALL, "resting_")
    await bench.rest(tier.hosts)  # the last ones
    async with bench.use() as use:
        for _ in range(_EMPTY_CLAIMS):
            assert not (await bench.frontier.claim(1)).leases
    tier.figures["idle_claim_p99_us"] = percentile(use.us("claim", _EMPTY_CLAIMS), 0.99)


def _lap_figures(prefix: str, laps: Laps, use: Use) -> dict[str, float]:
    figures = {"redis_us": _each(use, laps.ended)}
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        figures[f"claim_{label}_cpu_us"] = percentile(laps.claims_cpu_us, share)
    for name, around_s, within_us in (
        ("claim", laps.claims_s, use.us("claim", len(laps.claims_s))),
        ("finish", laps.finishes_s, use.us("finish", len(laps.finishes_s))),
    ):
        for label, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
            figures[f"{name}_{label}_ms"] = percentile(around_s, share) * 1000
            figures[f"{name}_{label}_us"] = percentile(within_us, share)
    return {f"{prefix}{name}": value for name, value in figures.items()}


def _each(use: Use, count: int) -> float:
    return use.cpu_s / max(1, count) * 1e6


def _note(tier: Tier, phase: str, use: Use) -> None:
    milliseconds, command = use.longest
    spikes = ", ".join(f"{name} {value} ms" for name, value in sorted(use.spikes_ms.items()))
    tier.longest[phase] = f"{command} {milliseconds:.1f} ms" + (f"; {spikes}" if spikes else "")
    tier.figures |= {f"{phase}_longest_ms": milliseconds, f"{phase}_scans": use.scans}
