"""The figures of `worker_stats` and `/metrics`: counts, rates and latencies, in bounded space."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.clock import Clock

#: Each bucket ends 10 % above the one before it, so that no percentile is off by more than 5 %.
_GROWTH = 1.1
_LOG_GROWTH = math.log(_GROWTH)
#: What lasts no longer than this shares the first bucket, and what lasts longer than that the last.
_SHORTEST_MS = 0.01
_LONGEST_MS = 86_400_000.0
_LAST_BUCKET = math.ceil(math.log(_LONGEST_MS / _SHORTEST_MS) / _LOG_GROWTH)
#: `cumulative` shows each so many-th bucket's end (a factor of 2.14), from 0.99 ms on.
_COARSE, _FIRST_SHOWN = 8, 48


@dataclass(slots=True)
class Histogram:
    """Durations in at most some 240 buckets, whatever their number."""

    count: int = 0
    max_ms: float = 0.0
    total_ms: float = 0.0
    _buckets: Counter[int] = field(default_factory=Counter)

    def add(self, duration_ms: float) -> None:
        """Count one duration, in milliseconds."""
        self.count += 1
        self.total_ms += duration_ms
        self.max_ms = max(self.max_ms, duration_ms)
        self._buckets[_bucket(duration_ms)] += 1

    def merge(self, other: Histogram) -> None:
        """Count all that `other` has counted, too."""
        self.count += other.count
        self.total_ms += other.total_ms
        self.max_ms = max(self.max_ms, other.max_ms)
        self._buckets.update(other._buckets)

    def cumulative(self) -> list[tuple[float, int]]:
        """Some twenty bounds in milliseconds, the last one infinite, and how many durations each holds."""
        seen, passed, found = 0, 0, []
        for bound in range(0, _LAST_BUCKET, _COARSE):
            seen += sum(self._buckets[bucket] for bucket in range(passed, bound + 1))
            passed = bound + 1
            if bound >= _FIRST_SHOWN:
                found.append((_SHORTEST_MS * _GROWTH**bound, seen))
        return [*found, (math.inf, self.count)]

    def percentile_ms(self, percent: float) -> float:
        """The duration that `percent` of all did not pass, within 5 %; 0 if there is none."""
        rank = max(1, math.ceil(self.count * percent / 100))
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(_middle_ms(bucket), self.max_ms)
        return 0.0

    def summary(self) -> dict[str, float]:
        """The object that `worker_stats` shows for a stage, in milliseconds."""
        return {
            "count": self.count,
            "p50": round(self.percentile_ms(50), 2),
            "p95": round(self.percentile_ms(95), 2),
            "p99": round(self.percentile_ms(99), 2),
            "max": round(self.max_ms, 2),
        }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What happened in one interval: counts, rates per second, and latencies in milliseconds by stage."""

    interval_s: float
    counts: dict[str, int]
    rates: dict[str, float]
    latency_ms: dict[str, dict[str, float]]


class Stats:
    """Counters and latencies of one worker; only `snapshot` begins anew."""

    #: Why no URL is claimed at this moment, if so.
    paused: str | None = None
    #: When nothing was claimed or admitted last, though there may have been something (monotonic seconds).
    stood_still_at = -math.inf

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._counts: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._stages: dict[str, Histogram] = defaultdict(Histogram)
        self._past_stages: dict[str, Histogram] = defaultdict(Histogram)
        self._reasons: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, amount: int = 1, *, reason: str | None = None) -> None:
        """Add to a counter; once counted, a name is in every later snapshot, with 0 if nothing happened.

        A `reason` is one of a closed set: `totals` tells each apart.
        """
        self._counts[name] += amount
        if reason is not None:
            self._reasons[name, reason] += amount

    def stand_still(self) -> None:
        """Note that claiming or admission is held back now."""
        self.stood_still_at = self._clock.monotonic()

    def observe(self, stage: str, duration_ms: float) -> None:
        """Note how long a stage took once, in milliseconds."""
        self._stages[stage].add(duration_ms)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note how long the block takes, also when it raises."""
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self.observe(stage, (self._clock.monotonic() - began) * 1000)

    def total(self, name: str) -> int:
        """A counter since the start."""
        return self._totals[name] + self._counts[name]

    def totals(self) -> dict[tuple[str, str], int]:
        """Counters since the start by name and reason, "" being none."""
        plain = {name: self.total(name) for name in self._totals | self._counts}
        for (name, _), amount in self._reasons.items():
            plain[name] -= amount
        return {(name, ""): amount for name, amount in plain.items() if amount} | dict(self._reasons)

    def histograms(self) -> dict[str, Histogram]:
        """Latencies since the start, by stage."""
        merged: dict[str, Histogram] = defaultdict(Histogram)
        for stages in (self._past_stages, self._stages):
            for stage, histogram in stages.items():
                merged[stage].merge(histogram)
        return dict(merged)

    def snapshot(self) -> Snapshot:
        """The interval since the last snapshot, or since the start; the next one begins now."""
        now = self._clock.monotonic()
        interval_s = now - self._began
        counts = dict(self._counts)
        snapshot = Snapshot(
            interval_s=round(interval_s, 3),
            counts=counts,
            rates={name: round(n / interval_s, 2) if interval_s > 0 else 0.0 for name, n in counts.items()},
            latency_ms={stage: histogram.summary() for stage, histogram in self._stages.items()},
        )
        self._began = now
        self._totals.update(self._counts)
        self._counts = Counter(dict.fromkeys(self._counts, 0))
        self._past_stages = defaultdict(Histogram, self.histograms())
        self._stages.clear()
        return snapshot


def _bucket(duration_ms: float) -> int:
    if duration_ms <= _SHORTEST_MS:
        return 0
    return min(math.ceil(math.log(duration_ms / _SHORTEST_MS) / _LOG_GROWTH), _LAST_BUCKET)


def _middle_ms(bucket: int) -> float:
    return _SHORTEST_MS * _GROWTH ** (bucket - 0.5) if bucket else _SHORTEST_MS
