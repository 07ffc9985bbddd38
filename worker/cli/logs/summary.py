"""The figures of a log: each line is noted once, in any order of files and workers."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from worker.cli.logs.lines import Line, number, word
from worker.cli.logs.series import Series
from worker.cli.logs.tallies import Host, Span, Tally, Trouble
from worker.runtime.suspects import NAMED as SUSPECTS
from worker.telemetry.stats import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

_HOSTS = 20_000
_WORKERS = 5_000
_ERRORS = 1_000
_ERROR_CHARS = 160


@dataclass(slots=True)
class Summary:
    """What the lines so far add up to. Times are Unix seconds."""

    lines: int = 0
    skipped: int = 0
    began_s: float = float("inf")
    ended_s: float = float("-inf")
    events: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)  # by reason, as all of these
    refused: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    released: int = 0
    stopped: int = 0  # workers, and not the processes that ran their suspects
    pauses: Trouble = field(default_factory=Trouble)
    pauses_why: Counter[str] = field(default_factory=Counter)
    outages: Trouble = field(default_factory=Trouble)
    latencies: dict[str, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    workers: Tally[Span] = field(default_factory=lambda: Tally(Span, _WORKERS))
    hosts: Tally[Host] = field(default_factory=lambda: Tally(Host, _HOSTS))
    errors: Tally[Span] = field(default_factory=lambda: Tally(Span, _ERRORS))
    series: Series = field(default_factory=lambda: Series(peaks=frozenset({"queue", "waiting"})))

    def note(self, at_s: float, line: Line) -> None:
        """Add one line of the log."""
        self.lines += 1
        self.began_s = min(self.began_s, at_s)
        self.ended_s = max(self.ended_s, at_s)
        event = line["event"]
        self.events[event] += 1
        if worker := line.get("worker"):
            self.workers.of(str(worker)).note(at_s)
        if line.get("level") in ("error", "critical"):
            self.errors.of(_error(line)).note(at_s)
            self.series.add("errors", at_s)
        if noting := _NOTING.get(event):
            noting(self, at_s, line)

    @property
    def outcomes(self) -> dict[str, int]:
        """The ledger's figures as far as these lines tell of them."""
        events = self.events
        return {
            "accepted": events["url_accepted"] + events["item_malformed"],
            "articles": events["article_published"],
            "unchanged": events["article_unchanged"],
            "dead": self.dead.total(),
            "refused": self.refused.total(),
        }

    @property
    def leases(self) -> dict[str, int]:
        """What became of leases that did not end as usual."""
        return {
            "lost": self.events["lease_lost"],
            "reaped": self.events["lease_reaped"],
            "released": self.released,
        }


def _error(line: Line) -> str:
    said = line.get("error") or line.get("message") or line.get("url") or ""
    return f"{line['event']}: {said}"[:_ERROR_CHARS] if said else str(line["event"])


def _ended(name: str, summary: Summary, at_s: float, line: Line) -> None:
    summary.series.add(name, at_s)
    summary.latencies["age"].add(number(line, "age_ms"))
    if "extract_ms" in line:
        summary.latencies["extract"].add(number(line, "extract_ms"))


def _buried(summary: Summary, at_s: float, line: Line) -> None:
    summary.dead[word(line, "reason")] += 1
    _ended("dead", summary, at_s, line)


def _malformed(summary: Summary, at_s: float, _line: Line) -> None:
    summary.dead["malformed"] += 1
    summary.series.add("dead", at_s)


def _refused(summary: Summary, _at_s: float, line: Line) -> None:
    summary.refused[word(line, "reason")] += 1


def _retried(summary: Summary, at_s: float, line: Line) -> None:
    summary.retries[word(line, "reason")] += 1
    summary.series.add("retries", at_s)


def _fetched(summary: Summary, at_s: float, line: Line) -> None:
    summary.series.add("pages", at_s)
    _timed(summary, line)


def _timed(summary: Summary, line: Line) -> None:
    # Failures have a duration only where it says how fast the host is: by a timeout or its own trouble.
    if "duration_ms" not in line:
        return
    duration_ms = number(line, "duration_ms")
    host = summary.hosts.of(word(line, "host"))
    host.timed += 1
    host.total_ms += duration_ms
    host.max_ms = max(host.max_ms, duration_ms)
    summary.latencies["request"].add(duration_ms)


def _failed(summary: Summary, _at_s: float, line: Line) -> None:
    summary.failures[word(line, "reason")] += 1
    summary.hosts.of(word(line, "host")).failed += 1
    _timed(summary, line)


def _penalised(summary: Summary, _at_s: float, line: Line) -> None:
    summary.hosts.of(word(line, "host")).penalised += 1


def _opened(summary: Summary, _at_s: float, line: Line) -> None:
    summary.hosts.of(word(line, "host")).opened += 1


def _paused(summary: Summary, at_s: float, line: Line) -> None:
    summary.pauses.begin(word(line, "worker"), at_s)
    summary.pauses_why[word(line, "why")] += 1


def _resumed(summary: Summary, _at_s: float, line: Line) -> None:
    summary.pauses.end(word(line, "worker"), number(line, "paused_s"))


def _redis_away(summary: Summary, at_s: float, line: Line) -> None:
    summary.outages.begin(word(line, "worker"), at_s)


def _redis_back(summary: Summary, _at_s: float, line: Line) -> None:
    summary.outages.end(word(line, "worker"), number(line, "down_s"))


def _stopped(summary: Summary, _at_s: float, line: Line) -> None:
    name = word(line, "worker")
    summary.pauses.forget(name)
    summary.outages.forget(name)
    summary.stopped += not name.endswith(SUSPECTS)


def _killed(summary: Summary, _at_s: float, line: Line) -> None:
    summary.killed[word(line, "reason")] += 1


def _released(summary: Summary, _at_s: float, line: Line) -> None:
    summary.released += int(number(line, "count"))


def _stats(summary: Summary, at_s: float, line: Line) -> None:
    summary.series.add("queue", at_s, number(line, "queue"))
    summary.series.add("waiting", at_s, number(line, "waiting"))


_NOTING: dict[str, Callable[[Summary, float, Line], None]] = {
    "article_published": partial(_ended, "articles"),
    "article_unchanged": partial(_ended, "unchanged"),
    "url_buried": _buried,
    "item_malformed": _malformed,
    "url_refused": _refused,
    "retry_scheduled": _retried,
    "page_fetched": _fetched,
    "fetch_failed": _failed,
    "host_penalised": _penalised,
    "host_opened": _opened,
    "claiming_paused": _paused,
    "claiming_resumed": _resumed,
    "redis_unavailable": _redis_away,
    "redis_restored": _redis_back,
    "worker_stopped": _stopped,
    "extract_killed": _killed,
    "leases_released": _released,
    "worker_stats": _stats,
}
