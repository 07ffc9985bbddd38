"""The figures of a frontier as a table, as verdicts and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.bench.frontier_tier import Tier

CROWDED, TAIL = "many a host", "one a host"
FLAT = 1.5  # the most that a claim's p99 may grow, from the least size to the greatest
MOST_BYTES = 120

#: figure → what it is called, and digits
_ROWS = {
    "bytes_a_url": ("bytes a waiting URL", 0),
    "resident_a_url": ("  of resident memory, all that Redis has", 0),
    "admitted_per_s": ("admitted URLs a second", 0),
    "admit_redis_us": ("Redis CPU us an admission", 1),
    "claim_p50_ms": ("claim of 32, ms, p50", 2),
    "claim_p99_ms": ("claim of 32, ms, p99", 2),
    "claim_p50_us": ("  in Redis, us, p50", 0),
    "claim_p99_us": ("  in Redis, us, p99", 0),
    "claim_p50_cpu_us": ("  Redis CPU, us, p50", 0),
    "claim_p99_cpu_us": ("  Redis CPU, us, p99", 0),
    "finish_p50_ms": ("finish, ms, p50", 2),
    "finish_p99_ms": ("finish, ms, p99", 2),
    "finish_p50_us": ("  in Redis, us, p50", 0),
    "finish_p99_us": ("  in Redis, us, p99", 0),
    "real_finish_p50_ms": ("finish with a real event, ms, p50", 2),
    "real_finish_p99_ms": ("finish with a real event, ms, p99", 2),
    "redis_us": ("Redis CPU us a URL, queue to event", 1),
    "real_redis_us": ("  with a real event and its visit", 1),
    "reaped": ("leases that ran out", 0),
    "reap_ms": ("  reaped, ms in all", 0),
    "start_ms": ("a worker's start to its first end, ms", 0),
    "start_redis_ms": ("  in Redis, CPU ms", 1),
    "start_scans": ("  SCANs", 0),
    "status_ms": ("ingest status, ms", 0),
    "status_redis_ms": ("  in Redis, CPU ms", 1),
    "status_hosts_ms": ("ingest status --hosts, ms", 0),
    "status_hosts_redis_ms": ("  in Redis, CPU ms", 1),
    "status_hosts_scans": ("  SCANs", 0),
    "resting_claim_p99_cpu_us": ("most hosts resting: Redis CPU a claim, us, p99", 0),
    "resting_redis_us": ("  Redis CPU us a URL", 1),
    "idle_claim_p99_us": ("  a claim when none is due, in Redis, us, p99", 0),
    "giant_bytes_a_url": ("one great host beside: bytes a URL of it", 0),
    "giant_admitted_per_s": ("  admitted URLs a second", 0),
    "giant_claim_p50_us": ("  a claim of it in Redis, us, p50", 0),
    "giant_claim_p99_us": ("  a claim of it in Redis, us, p99", 0),
    "giant_finish_p99_us": ("  a finish of it in Redis, us, p99", 0),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure beside the most that it may be."""

    name: str
    value: float
    most: float

    @property
    def met(self) -> bool:
        """Whether it is no more than that."""
        return self.value <= self.most

    def __str__(self) -> str:
        return f"{self.name}: {self.value:.2f}, at most {self.most:g}: {'met' if self.met else 'MISSED'}"


def table(tiers: Sequence[Tier]) -> Iterator[str]:
    """A row for each figure, a column for each size."""
    yield " " * 46 + "".join(f"{tier.name:>13}" for tier in tiers)
    yield f"{'waiting URLs':46}" + "".join(f"{tier.waiting:13,}" for tier in tiers)
    yield f"{'hosts':46}" + "".join(f"{tier.hosts:13,}" for tier in tiers)
    for name, (label, digits) in _ROWS.items():
        if any(name in tier.figures for tier in tiers):
            yield f"{label:46}" + "".join(_cell(tier.figures, name, digits) for tier in tiers)


def pauses(tiers: Sequence[Tier]) -> Iterator[str]:
    """The longest command of each phase, for which Redis kept all others waiting, and its spikes."""
    for tier in tiers:
        yield f"{tier.name}, {tier.waiting:,} waiting"
        yield from (f"  {phase:16}{what}" for phase, what in tier.longest.items())


def verdicts(tiers: Sequence[Tier]) -> list[Verdict]:
    """What must hold, of the least and the greatest frontier with many URLs a host."""
    crowded = sorted((tier for tier in tiers if tier.name == CROWDED), key=lambda tier: tier.waiting)
    least, greatest = crowded[0], crowded[-1]
    span = f"at {greatest.waiting:,} by that at {least.waiting:,}"
    return [
        *(
            Verdict(f"claim p99 {label}, {span}", greatest.figures[name] / least.figures[name], FLAT)
            for label, name in (
                ("around the call", "claim_p99_ms"),
                ("in Redis", "claim_p99_us"),
                ("in CPU of Redis", "claim_p99_cpu_us"),
            )
        ),
        Verdict(f"bytes a waiting URL at {greatest.waiting:,}", greatest.figures["bytes_a_url"], MOST_BYTES),
    ]


def as_json(caption: str, tiers: Sequence[Tier]) -> dict[str, Any]:
    """All of it."""
    return {
        "measured": caption,
        "tiers": [asdict(tier) for tier in tiers],
        "verdicts": [asdict(each) | {"met": each.met} for each in verdicts(tiers)],
    }


def _cell(figures: Mapping[str, float], name: str, digits: int) -> str:
    return f"{figures[name]:13,.{digits}f}" if name in figures else f"{'-':>13}"
