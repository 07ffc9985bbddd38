"""`/metrics`: figures for Prometheus, made when it asks, of what is counted anyway for `worker_stats`.

No label holds a host, a URL or anything else that pages or producers choose: the reasons are a closed set.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from worker import __version__
from worker.ops.fleet import Look

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from worker.ops.fleet import Nothing
    from worker.ops.vitals import Vitals, Working
    from worker.telemetry.stats import Histogram

_PAUSES = ("backlog", "memory")


class Metrics(Collector):
    """The text that Prometheus reads, in the format that it asks for."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals
        self._families: list[Metric] = []
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """What the registry is to tell."""
        return self._families

    def text(self, look: Look | Nothing, accept: str = "") -> tuple[bytes, str]:
        """The exposition and its content type; without a look the fleet's figures are left out."""
        encode, content_type = choose_encoder(accept)
        self._families = [*_of_worker(self._vitals), *_of_fleet(look)]
        return encode(self._registry), content_type


def _of_worker(vitals: Vitals) -> Iterator[Metric]:
    yield InfoMetricFamily("ingest_worker", "This worker", {"version": __version__, "worker": vitals.worker})
    yield _gauge("ingest_redis_steady_seconds", "Since Redis last came back", vitals.connection.steady_s)
    yield _gauge("ingest_stopping", "1 from the first signal on", vitals.stopping.is_set())
    yield _gauges(
        "ingest_loop_silence_seconds", "Since the loop last turned", "loop", vitals.pulses.silence_s()
    )
    yield _gauge("ingest_concurrency", "Most URLs in work at once", vitals.settings.concurrency)
    if vitals.parts is not None:
        yield from _of_work(vitals.parts)


def _of_work(parts: Working) -> Iterator[Metric]:
    stats = parts.stats
    outcomes = CounterMetricFamily(
        "ingest_outcomes", "What became of leases of this worker", labels=("outcome", "reason")
    )
    pauses = dict.fromkeys(_PAUSES, 0)
    for (name, reason), count in sorted(stats.totals().items()):
        if name == "claiming_paused":
            pauses[reason] = count
        else:
            outcomes.add_metric((name, reason), count)
    yield outcomes
    yield _counters("ingest_claim_pauses", "Times that claiming paused", "why", pauses)
    now_paused = {why: int(why == stats.paused) for why in _PAUSES}
    yield _gauges("ingest_claiming_paused", "1 while no URL is claimed", "why", now_paused)
    yield _latencies(stats.histograms())
    yield _gauge("ingest_in_work", "URLs in work in this worker", len(parts.in_work))
    yield _gauge(
        "ingest_stalled_seconds", "Since any URL in work ended; 0 without any", parts.in_work.stalled_s
    )
    pool = parts.pool
    yield _gauge("ingest_extract_processes", "Processes that read pages and are up", pool.alive)
    ends = {"killed": pool.stats.kills, "crashed": pool.stats.crashes}
    yield _counters("ingest_extract_deaths", "Processes that read pages and died", "how", ends)
    yield _counter("ingest_extract_starts", "Processes started to read pages", pool.stats.starts)
    yield _counter("ingest_extract_pages", "Pages read", pool.stats.pages)
    yield _counter("ingest_extract_cpu_seconds", "CPU time of reading pages", pool.stats.cpu_s)


def _of_fleet(look: Look | Nothing) -> Iterator[Metric]:
    yield _gauge("ingest_fleet_seen", "1 if Redis told the fleet's figures", isinstance(look, Look))
    if not isinstance(look, Look):
        return
    ledger, depths = look.ledger, look.depths
    yield _gauges("ingest_fleet_urls", "The ledger of the whole fleet", "place", ledger.figures())
    yield _gauges("ingest_fleet_reasons", "Dead letters and refusals so far", "reason", ledger.reasons)
    yield _gauges(
        "ingest_fleet_traffic", "Retries, redirects, leases taken back and so on", "kind", ledger.traffic
    )
    yield _gauge("ingest_fleet_queue_items", "Items in the queue that no worker took yet", depths.inbox)
    yield _gauge("ingest_fleet_taken_items", "Items taken and not admitted yet", depths.taken)
    yield _gauge("ingest_fleet_ready_hosts", "Hosts with a URL waiting and a slot free", depths.ready_hosts)
    yield _gauge("ingest_fleet_later_urls", "URLs that wait for a time", depths.later)
    yield _gauge("ingest_fleet_suspects", "URLs whose worker vanished", depths.suspects)
    yield _gauge("ingest_fleet_leases", "Leases held by all workers", depths.leases)
    backlog = {"articles": depths.articles_stream, "dead": depths.dead_stream}
    yield _gauges("ingest_fleet_backlog_events", "Events in the streams", "stream", backlog)
    yield _gauge("ingest_sources_silent", "Sources whose articles stopped coming", depths.silent_sources)
    yield _gauge("ingest_fleet_workers", "Workers that live", len(look.workers))
    yield _gauge(
        "ingest_fleet_overdue_seconds", "How long the longest wait of a host that is due", look.overdue_s
    )


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, f"{says}.", value=value)


def _gauges(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, f"{says}.", labels=(label,))
    for word, value in values.items():
        family.add_metric((word,), value)
    return family


def _counter(name: str, says: str, value: float) -> Metric:
    return CounterMetricFamily(name, f"{says}.", value=value)


def _counters(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, f"{says}.", labels=(label,))
    for word, value in values.items():
        family.add_metric((word,), value)
    return family


def _latencies(stages: Mapping[str, Histogram]) -> Metric:
    family = HistogramMetricFamily("ingest_stage_seconds", "How long a stage took.", labels=("stage",))
    for stage, histogram in sorted(stages.items()):
        buckets = [(_seconds(bound_ms), count) for bound_ms, count in histogram.cumulative()]
        family.add_metric((stage,), buckets, sum_value=histogram.total_ms / 1000)
    return family


def _seconds(bound_ms: float) -> str:
    return "+Inf" if bound_ms == math.inf else f"{bound_ms / 1000:.4g}"
