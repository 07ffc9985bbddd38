"""A summary as `ingest logs --json` promises it: the same keys whatever the log holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter

    from worker.cli.logs.summary import Summary
    from worker.cli.logs.tallies import Span, Trouble

#: What is told over time: ends, pages and troubles by rate; the rest by its highest value.
RATES = ("articles", "unchanged", "dead", "pages", "retries", "errors")
PEAKS = ("queue", "waiting")
_COLUMNS = 120
_HOSTS = 100


def moment(at_s: float) -> str:
    """RFC 3339, UTC, as the log itself writes it."""
    stamp = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
    return stamp.removesuffix("+00:00") + "Z"


def by_count(counts: Counter[str]) -> dict[str, int]:
    """The counts, the highest first."""
    return dict(counts.most_common())


def report(summary: Summary) -> dict[str, Any]:
    """All figures. Durations have their unit in their name; rates are per second."""
    return {
        "lines": summary.lines,
        "skipped": summary.skipped,
        "began": moment(summary.began_s),
        "ended": moment(summary.ended_s),
        "span_s": round(summary.ended_s - summary.began_s, 3),
        "events": by_count(summary.events),
        "outcomes": summary.outcomes,
        "dead": by_count(summary.dead),
        "refused": by_count(summary.refused),
        "retries": by_count(summary.retries),
        "failures": by_count(summary.failures),
        "latency_ms": {name: found.summary() for name, found in sorted(summary.latencies.items())},
        "hosts": [
            {
                "host": host.host,
                "timed": host.timed,
                "failed": host.failed,
                "mean_ms": round(host.mean_ms, 1),
                "max_ms": host.max_ms,
                "total_ms": host.total_ms,
                "penalised": host.penalised,
                "opened": host.opened,
            }
            for host in summary.hosts.heaviest(_HOSTS)
        ],
        "hosts_complete": summary.hosts.complete and len(summary.hosts) <= _HOSTS,
        "leases": summary.leases,
        "extract_killed": by_count(summary.killed),
        "pauses": _trouble(summary.pauses) | {"why": by_count(summary.pauses_why)},
        "outages": _trouble(summary.outages),
        "errors": [_span(error, "error") for error in summary.errors.heaviest()],
        "errors_complete": summary.errors.complete,
        "workers": [_span(worker, "worker") for worker in summary.workers.heaviest()],
        "workers_complete": summary.workers.complete,
        "over_time": _over_time(summary),
    }


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {
        "count": trouble.times,
        "total_s": round(trouble.total_s, 3),
        "first": moment(trouble.first_s) if trouble.times else None,
        "last": moment(trouble.last_s) if trouble.times else None,
        "lasting": trouble.lasting,
    }


def _span(span: Span, kind: str) -> dict[str, Any]:
    return {
        kind: span.name,
        "count": span.count,
        "first": moment(span.first_s),
        "last": moment(span.last_s),
    }


def _over_time(summary: Summary) -> dict[str, Any]:
    began_s, ended_s, series = summary.began_s, summary.ended_s, summary.series
    step_s = series.step_s(began_s, ended_s, _COLUMNS)
    rows = {name: series.columns(name, began_s, ended_s, step_s) for name in (*RATES, *PEAKS)}
    return {
        "step_s": step_s,
        "rates": {name: [round(value / step_s, 4) for value in rows[name]] for name in RATES},
        "peaks": {name: rows[name] for name in PEAKS},
    }
