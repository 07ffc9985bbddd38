"""What a soak looks at every few seconds, and whether any of it grows."""

from __future__ import annotations

import csv
import math
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Samples that follow each other are alike, so the fit is one of block means, whose noise is independent.
_BLOCKS = 20
#: Standard errors. With two, one in five soaks without any growth would be called growing: there are nine.
_BEYOND_NOISE = 3.0
#: Of the mean, per hour: less than this is no growth that anybody would wait for.
_NEGLIGIBLE = 0.01


@dataclass(frozen=True, slots=True)
class Sample:
    """One look, summed over all workers; sizes in MB (10^6 bytes)."""

    at_s: float
    pages: float  # articles, unchanged and dead so far
    worker_rss_mb: float
    child_rss_mb: float  # extraction processes
    children: float
    open_files: float
    tasks: float  # asyncio's, as worker_stats tells them
    redis_used_mb: float
    redis_rss_mb: float
    redis_clients: float
    redis_keys: float


#: What must not grow, with its unit.
SERIES = {
    "worker_rss_mb": "RSS of the workers, MB",
    "child_rss_mb": "RSS of the extraction processes, MB",
    "children": "extraction processes",
    "open_files": "open files of all processes",
    "tasks": "asyncio tasks of the workers",
    "redis_used_mb": "Redis, memory used, MB",
    "redis_rss_mb": "Redis, RSS, MB",
    "redis_clients": "Redis, clients",
    "redis_keys": "Redis, keys",
}


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through a series: its mean, its slope per hour, and the standard error of that."""

    mean: float
    slope: float
    error: float

    @property
    def grows(self) -> bool:
        """Whether it goes up by more than its noise, and by more than would matter."""
        return self.slope > _BEYOND_NOISE * self.error and self.slope > _NEGLIGIBLE * abs(self.mean)


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """The least-squares line through (seconds, value). Raises ValueError for fewer than three points."""
    if len(points) < 3:
        raise ValueError("three samples at least make a trend")
    size = max(1, len(points) // _BLOCKS)
    blocks = [points[start : start + size] for start in range(0, len(points) - size + 1, size)]
    hours = [math.fsum(at for at, _ in block) / size / 3600 for block in blocks]
    values = [math.fsum(value for _, value in block) / size for block in blocks]
    count = len(blocks)
    middle, mean = math.fsum(hours) / count, math.fsum(values) / count
    spread = math.fsum((hour - middle) ** 2 for hour in hours)
    slope = math.fsum((h - middle) * (v - mean) for h, v in zip(hours, values, strict=True)) / spread
    misses = [v - mean - slope * (h - middle) for h, v in zip(hours, values, strict=True)]
    error = math.sqrt(math.fsum(miss**2 for miss in misses) / (count - 2) / spread)
    return Trend(mean, slope, error)


def trends(samples: Sequence[Sample], warm_up_s: float) -> dict[str, Trend]:
    """The trend of each series after the warm-up. Raises ValueError if too little is left of it."""
    warm = [sample for sample in samples if sample.at_s >= warm_up_s]
    return {name: trend([(each.at_s, getattr(each, name)) for each in warm]) for name in SERIES}


def table(found: dict[str, Trend]) -> str:
    """The trends, for people."""
    rows = [f"{'':<38}{'mean':>10}{'per hour':>12}{'+-':>9}  verdict"]
    for name, each in found.items():
        verdict = "GROWS" if each.grows else "flat"
        rows.append(f"{SERIES[name]:<38}{each.mean:>10.1f}{each.slope:>+12.2f}{each.error:>9.2f}  {verdict}")
    return "\n".join(rows)


def write_csv(samples: Sequence[Sample], path: Path) -> None:
    """A row for each sample."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(field.name for field in fields(Sample))
        rows.writerows([f"{value:g}" for value in astuple(sample)] for sample in samples)
