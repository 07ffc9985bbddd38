"""`deploy/mtail/ingest.mtail`, by mtail itself, over the log of a real run."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from tests.cli.conftest import run as run_ingest
from tests.deploy.programs import DEPLOY, output_of, program
from worker.telemetry.catalogue import CATALOGUE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.conftest import Run

PROGRAM = DEPLOY / "mtail/ingest.mtail"
Figures = dict[tuple[str, frozenset[str]], float]


def figures_of(log: Path) -> Figures:
    """What mtail makes of the log, by name and labels."""
    told = output_of(
        *(program("mtail"), "-one_shot", "-one_shot_format", "prometheus", "-emit_prog_label=false"),
        *("-address", "127.0.0.1", "-port", "0", "-progs", PROGRAM, "-logs", log),
    )
    samples = re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", told, re.MULTILINE)
    return {
        (name, frozenset(re.findall(r'\w+="[^"]*"', labels))): float(value) for name, labels, value in samples
    }


def figure(figures: Figures, name: str, **labels: str) -> float:
    """One figure; 0 where mtail has not counted that yet."""
    found = frozenset(f'{label}="{value}"' for label, value in labels.items())
    return figures.get((f"ingest_log_{name}", found), 0)


def by_label(figures: Figures, name: str) -> dict[str, float]:
    """All figures of a name with one label, by its value."""
    return {
        label.partition('"')[2].removesuffix('"'): value
        for (each, labels), value in figures.items()
        if each == f"ingest_log_{name}"
        for label in labels
    }


def written(folder: Path, *lines: dict[str, Any]) -> Path:
    file = folder / "worker.log"
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return file


def line(event: str, second: int = 0, **fields: Any) -> dict[str, Any]:
    level = CATALOGUE[event].level
    return {
        "timestamp": f"2026-01-01T00:00:{second:02}.000Z",
        "level": level,
        "event": event,
        "worker": "w1",
        **fields,
    }


def test_every_figure_is_the_ledgers(run: Run) -> None:
    """Of a real run, each counter of the ledger, each reason and each depth is what mtail read."""
    figures, ledger, depths = figures_of(run.log), run.ledger, run.depths
    assert ledger.balanced
    assert min(ledger.articles, ledger.unchanged, ledger.dead, ledger.refused, ledger.traffic["retried"]) > 0
    for name in ("accepted", "articles", "unchanged", "dead", "refused"):
        assert figure(figures, f"{name}_total") == getattr(ledger, name), name
    reasons = {
        f"{kind}:{reason}": count
        for kind in ("dead", "refused")
        for reason, count in by_label(figures, f"{kind}_by_reason_total").items()
    }
    assert reasons == ledger.reasons
    traffic = {
        "retried": "retries_total",
        "redirected": "redirects_total",
        "robots": "robots_fetched_total",
        "released": "leases_released_total",
        "reaped": "leases_reaped_total",
    }
    for name, metric in traffic.items():
        assert figure(figures, metric) == ledger.traffic.get(name, 0), name
    assert ledger.traffic.keys() <= traffic.keys() | {"trimmed", "purged", "revived"}
    assert figure(figures, "waiting_urls") == ledger.waiting
    assert figure(figures, "leased_urls") == ledger.leased
    assert figure(figures, "queue_items") == depths.inbox
    assert figure(figures, "later_urls") == depths.later
    assert figure(figures, "ready_hosts") == depths.ready_hosts
    assert figure(figures, "backlog_events") == depths.articles_stream
    assert figure(figures, "age_seconds_count") == ledger.articles + ledger.unchanged + ledger.dead - 1
    assert figure(figures, "foreign_lines_total") == 0


def test_every_line_is_counted_by_event_and_level(run: Run) -> None:
    """No line is passed over, and `ingest logs` tells the same of the same log."""
    figures = figures_of(run.log)
    lines = [orjson.loads(line) for line in run.log.read_bytes().splitlines()]
    counts = Counter((line["level"], line["event"]) for line in lines)
    assert {pair: figure(figures, "lines_total", level=pair[0], event=pair[1]) for pair in counts} == counts
    told = run_ingest("logs", str(run.log), "--json").json
    assert told["outcomes"] == {
        name: getattr(run.ledger, name) for name in ("accepted", "articles", "unchanged", "dead", "refused")
    }
    assert {f"dead:{reason}": n for reason, n in told["dead"].items()}.items() <= run.ledger.reasons.items()
    assert told["latency_ms"]["request"]["count"] == figure(figures, "request_seconds_count")
    pages_bytes = sum(line["wire_bytes"] for line in lines if line["event"] == "page_fetched")
    assert figure(figures, "page_bytes_total") == pages_bytes


def test_troubles_begin_and_end(tmp_path: Path) -> None:
    """Pauses and outages are 1 while they last, and a worker that stops takes its gauges along."""
    log = written(
        tmp_path,
        line("claiming_paused", why="memory", limit=3),
        line("redis_unavailable", 1, error='refused "count":7, "down_s":9.5'),
        line("redis_unavailable", 1, error="refused", worker="w2"),
        line("redis_restored", 4, down_s=3.25),
        line("claiming_paused", 5, why="backlog", worker="w3"),
        line(
            "worker_stopped", 6, reason="signal", uptime_s=6.0, published=0, unchanged=0, buried=0, released=0
        )
        | {"worker": "w3"},
        line("leases_released", 7, count=4),
        line("taken_adopted", 7, owner="w9", count=2),
        line("internal_error", 8, where="pipeline", error="x"),
        line("suspect_died", 9, exit_code=-9),
    )
    figures = figures_of(log)
    assert by_label(figures, "claiming_paused") == {"w1": 1}
    assert by_label(figures, "redis_unavailable") == {"w1": 0, "w2": 1}
    assert by_label(figures, "claim_pauses_by_why_total") == {"memory": 1, "backlog": 1}
    assert by_label(figures, "errors_by_event_total") == {"internal_error": 1, "suspect_died": 1}
    assert figure(figures, "redis_down_seconds_total") == 3.25
    assert (figure(figures, "leases_released_total"), figure(figures, "items_adopted_total")) == (4, 2)
    assert by_label(figures, "worker_seen_timestamp_seconds").keys() == {"w1", "w2"}


def test_alarms_of_sources_last_until_all_is_well(tmp_path: Path) -> None:
    """A silent host, and a lost field of a host, are 1 from the alarm to its end; both are counted."""
    silence: dict[str, Any] = {
        "why": "quiet",
        "per_hour": 1.5,
        "articles": 99,
        "limit_s": 3.0,
        "silent_s": 4.0,
    }
    silence |= {"last_article_at": "2026-01-01T00:00:00+00:00", "ended": {"http_404": 3}}
    shares: dict[str, Any] = {"learnt": 0.99, "recent": 0.25, "url": "https://a.example/1"}
    log = written(
        tmp_path,
        line("source_silent", host="a.example", **silence),
        line("source_silent", 1, host="b.example", **silence),
        line("source_back", 2, host="b.example", silent_s=9.5),
        line("field_lost", 3, host="a.example", field="authors", **shares),
        line("field_lost", 4, host="a.example", field="section", **shares),
        line("field_found", 5, host="a.example", field="section", **shares),
    )
    figures = figures_of(log)
    assert by_label(figures, "source_silent") == {"a.example": 1}
    labels = {"host": "a.example", "field": "authors"}
    assert figure(figures, "field_lost", **labels) == 1
    assert figure(figures, "field_lost", **labels | {"field": "section"}) == 0
    assert (figure(figures, "sources_silent_total"), figure(figures, "fields_lost_total")) == (2, 2)


def test_how_long_a_host_is_overdue_is_what_was_told_last(tmp_path: Path) -> None:
    """The fleet's longest wait of a host that may be asked rises and falls with what workers tell."""
    stats: dict[str, Any] = {"interval_s": 10.0, "counts": {}, "rates": {}, "latency_ms": {}, "in_work": 0}
    log = written(tmp_path, line("worker_stats", **stats, overdue_s=9.5))
    assert figure(figures_of(log), "overdue_seconds") == 9.5
    log.write_bytes(log.read_bytes() + orjson.dumps(line("worker_stats", 9, **stats, overdue_s=0.0)) + b"\n")
    assert figure(figures_of(log), "overdue_seconds") == 0


def test_foreign_lines_are_counted_apart(tmp_path: Path) -> None:
    """A traceback or another program's line is no line of ours, whatever it quotes."""
    log = written(
        tmp_path, {"message": "x", "event": "url_accepted"}, line("url_refused", reason="duplicate")
    )
    log.write_bytes(b"Traceback (most recent call last):\n" + log.read_bytes())
    figures = figures_of(log)
    assert figure(figures, "foreign_lines_total") == 2
    assert (figure(figures, "accepted_total"), figure(figures, "refused_total")) == (0, 1)


def test_every_event_it_names_is_in_the_catalogue() -> None:
    """The program reads no event and no field that no worker writes."""
    text = PROGRAM.read_text()
    alternatives = re.findall(r'"event":"\(([a-z_|]+)\)"', text)
    named = [*re.findall(r'\$event == "(\w+)"', text), *"|".join(alternatives).split("|")]
    assert len(named) > 20
    assert set(named) <= CATALOGUE.keys()
    fields = {name for event in CATALOGUE.values() for name in event.all_fields}
    assert set(re.findall(r'/(?:.*\.\*)?"(\w+)":\(\?P', text)) - {"timestamp"} <= fields
