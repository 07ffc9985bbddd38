"""How many workers, Redis cores, partitions and bytes so many pages a day need, from measured constants."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DAY_S = 86_400
#: How much of a core may be planned for: beyond, whatever comes late queues up.
_WORKERS_USE, _REDIS_USE = 0.7, 0.6
#: By so many partitions a primary, hosts spread evenly enough, and a primary more can be given its share.
_PARTITIONS_A_PRIMARY = 8
_PRIMARY_BYTES = 48e9  # of data in a server of 64 GB, which needs room to fork and for its replicas


@dataclass(frozen=True, slots=True)
class Constants:
    """What one page costs. Each default is a figure of the README, on one core of the machine there."""

    loop_ms: float = 1.5  # CPU in a worker's own process: Redis calls, fetch, handing over, the event
    child_ms: float = 5.5  # CPU in its extraction processes
    redis_us: float = 172.0  # CPU of Redis in the host's partition
    inbox_us: float = 12.0  # CPU of Redis in the inbox's one slot, by ten items a call; 8 by a hundred
    story_us: float = 85.0  # CPU of Redis in the slot of stories, which is one for all; 0 where they are off
    fetch_s: float = 1.0  # from a claim to its end: servers on the web, not CPU
    fetch_bytes: float = 24e3  # of a worker, for a fetch in work
    worker_bytes: float = 97e6
    child_bytes: float = 48e6
    waiting_bytes: float = 102.0  # of Redis, for a waiting URL, its record for duplicates included
    seen_bytes: float = 16.0  # of Redis, for each URL of the last INGEST_SEEN_DAYS
    visit_bytes: float = 410.0  # of Redis, for each article of the last INGEST_VISIT_DAYS
    revision_bytes: float = 10.0  # of Redis, for each article ever; 96 beyond those below
    revisions_packed: float = 33.5e6  # articles ever of a partition
    story_bytes: float = 990.0  # of Redis; 240 up to 840,000 stories in `cluster_days`
    event_bytes: float = 15_200.0  # of Redis, for an event that is not trimmed yet


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked for."""

    pages_a_day: float = 1e9
    waiting: float = 50e6  # URLs that wait at once
    lag_s: float = 600.0  # how far consumers may fall behind
    seen_days: float = 7.0
    visit_days: float = 1.0
    cluster_days: float = 3.0  # stories are kept for so long to twice as long
    children: int = 2  # extraction processes of a worker


@dataclass(frozen=True, slots=True)
class Plan:
    """What that needs."""

    pages_a_s: float
    worker_cores: float
    workers: int
    in_work: float
    worker_bytes: float
    redis_cores: float
    inbox_share: float
    story_share: float
    redis_bytes: float
    redis_bytes_a_day: float
    packed_days: float
    story_bytes: float
    primaries: int
    partitions: int
    event_bytes_a_s: float


def plan(costs: Constants, demand: Demand) -> Plan:
    """Cores are of a machine like the one that the constants were measured on."""
    rate = demand.pages_a_day / _DAY_S
    # A process turns one event loop: its core, or those of its children, is what it runs out of first.
    a_worker = _WORKERS_USE * min(1000 / costs.loop_ms, demand.children * 1000 / costs.child_ms)
    workers = math.ceil(rate / a_worker)
    cpu_s = rate * costs.redis_us / 1e6
    data = (
        demand.waiting * costs.waiting_bytes
        + demand.pages_a_day * demand.seen_days * costs.seen_bytes
        + demand.pages_a_day * demand.visit_days * costs.visit_bytes
        + rate * demand.lag_s * costs.event_bytes
    )
    stories = demand.pages_a_day * 2 * demand.cluster_days * costs.story_bytes if costs.story_us else 0.0
    primaries = max(math.ceil(cpu_s / _REDIS_USE), math.ceil(data / _PRIMARY_BYTES), 1)
    partitions = 2 ** math.ceil(math.log2(primaries * _PARTITIONS_A_PRIMARY))
    return Plan(
        pages_a_s=rate,
        worker_cores=rate * (costs.loop_ms + costs.child_ms) / 1000 / _WORKERS_USE,
        workers=workers,
        in_work=rate * costs.fetch_s / workers,
        worker_bytes=costs.worker_bytes
        + demand.children * costs.child_bytes
        + rate * costs.fetch_s / workers * costs.fetch_bytes,
        redis_cores=cpu_s / _REDIS_USE,
        inbox_share=rate * costs.inbox_us / 1e6 / _REDIS_USE,
        story_share=rate * costs.story_us / 1e6 / _REDIS_USE,
        redis_bytes=data,
        redis_bytes_a_day=demand.pages_a_day * costs.revision_bytes,
        packed_days=partitions * costs.revisions_packed / demand.pages_a_day,
        story_bytes=stories,
        primaries=primaries,
        partitions=partitions,
        event_bytes_a_s=rate * costs.event_bytes,
    )


def lines(found: Plan) -> Iterator[str]:
    """The plan, to be read."""
    for name, figure, says in (
        ("pages a second", f"{found.pages_a_s:,.0f}", ""),
        ("worker cores", f"{found.worker_cores:,.0f}", ""),
        ("worker processes", f"{found.workers:,}", ""),
        ("  URLs in work in each", f"{found.in_work:,.0f}", "INGEST_CONCURRENCY, at least"),
        ("  MB of each, with its children", f"{found.worker_bytes / 1e6:,.0f}", ""),
        ("Redis cores", f"{found.redis_cores:,.1f}", "over all partitions"),
        ("  of one for the inbox", f"{found.inbox_share:,.2f}", _over(found.inbox_share)),
        ("  of one for stories", f"{found.story_share:,.2f}", _over(found.story_share)),
        ("GB in Redis", f"{found.redis_bytes / 1e9:,.0f}", ""),
        ("  more with each day", f"{found.redis_bytes_a_day / 1e9:,.0f}", "revisions are kept for good"),
        ("  for so many days", f"{found.packed_days:,.0f}", "then 96 bytes for each and all of them"),
        ("GB for stories, in one slot", f"{found.story_bytes / 1e9:,.0f}", _too_large(found.story_bytes)),
        ("primaries", f"{found.primaries:,}", ""),
        ("partitions", f"{found.partitions:,}", "INGEST_PARTITIONS"),
        ("MB/s of events", f"{found.event_bytes_a_s / 1e6:,.0f}", ""),
    ):
        yield f"{name:36}{figure:>12}   {says}".rstrip()


def _over(share: float) -> str:
    return "more than the one that there is" if share > 1 else ""


def _too_large(size_bytes: float) -> str:
    return "more than a primary holds" if size_bytes > _PRIMARY_BYTES else ""


def main(words: Sequence[str] | None = None) -> None:
    """Print the plan for what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.capacity", description=__doc__)
    for each in (*fields(Constants), *fields(Demand)):
        default = each.default
        option = f"--{each.name.replace('_', '-')}"
        parser.add_argument(option, type=type(default), default=default, help=f"({default:,})")
    given = vars(parser.parse_args(words))
    costs = Constants(**{each.name: given[each.name] for each in fields(Constants)})
    demand = Demand(**{each.name: given[each.name] for each in fields(Demand)})
    print("\n".join(lines(plan(costs, demand))))


if __name__ == "__main__":
    main()
