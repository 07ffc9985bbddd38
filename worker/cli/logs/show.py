"""A summary on one screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from worker.cli.logs.report import moment
from worker.cli.plot import bars, sparkline
from worker.cli.screen import printable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    from worker.cli.logs.summary import Summary
    from worker.cli.logs.tallies import Trouble

_COLUMNS = 52  # with its labels, a plot fits into 80 characters
_HEIGHT = 4
_LABEL_CHARS = 10
_HOSTS_SHOWN = 5
_ERRORS_SHOWN = 5
_REASONS_SHOWN = 8
_WORKERS_SHOWN = 3
_DAY_S = 86_400


def shown(summary: Summary) -> RenderableType:
    """The figures for eyes."""
    parts: list[RenderableType] = [_head(summary), Text(), _over_time(summary), Text(), _facts(summary)]
    if len(summary.hosts):
        parts += [Text(), _hosts(summary)]
    if len(summary.errors):
        parts += [Text(), _errors(summary)]
    return Group(*parts)


def _head(summary: Summary) -> Text:
    skipped = f", {summary.skipped:,} that are not ours passed over" if summary.skipped else ""
    lasted = duration(summary.ended_s - summary.began_s)
    return Text.assemble(
        (f"{moment(summary.began_s)} to {moment(summary.ended_s)}, {lasted}", "bold"),
        f"\n{summary.lines:,} lines{skipped}",
    )


def _over_time(summary: Summary) -> Text:
    series, began_s, ended_s = summary.series, summary.began_s, summary.ended_s
    step_s = series.step_s(began_s, ended_s, _COLUMNS)

    def row(name: str) -> list[float]:
        values = series.columns(name, began_s, ended_s, step_s)
        stretch = max(1, _COLUMNS // len(values))  # a log of some seconds fills the width, too
        return [value for value in values for _ in range(stretch)]

    ends = [sum(each) / step_s for each in zip(row("articles"), row("unchanged"), row("dead"), strict=True)]
    text = Text(f"{'':{_LABEL_CHARS}}  URLs that ended, a second; a step is {duration(step_s)}\n", "dim")
    for line, drawn in enumerate(bars(ends, _HEIGHT)):
        scale = max(ends) * (_HEIGHT - line) / _HEIGHT
        text.append(f"{scale:>{_LABEL_CHARS}.3g} ", "dim").append(f"│{drawn}\n", "green")
    first, last = (_clock(at_s, ended_s - began_s) for at_s in (began_s, ended_s))
    text.append(f"{'':{_LABEL_CHARS}}  {first}{last:>{max(1, len(ends) - len(first))}}", "dim")
    for name, style in (("pages", "cyan"), ("dead", "red"), ("retries", "yellow"), ("errors", "red")):
        rates = [value / step_s for value in row(name)]
        if any(rates):
            text.append(f"\n{name:>{_LABEL_CHARS}} ", "dim").append(f"│{sparkline(rates)}│", style)
            text.append(f" max {max(rates):.3g}/s", "dim")
    for name in ("queue", "waiting"):
        if any(depths := row(name)):
            text.append(f"\n{name:>{_LABEL_CHARS}} ", "dim").append(f"│{sparkline(depths)}│", "blue")
            text.append(f" max {max(depths):,.0f}", "dim")
    return text


def _facts(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, text in _told(summary):
        table.add_row(Text(name, "dim"), Text(text))
    return table


def _told(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "outcomes", ", ".join(f"{count:,} {name}" for name, count in summary.outcomes.items())
    yield "dead", _counts(summary.dead)
    yield "refused", _counts(summary.refused)
    yield "retries", _counts(summary.retries)
    yield "failures", _counts(summary.failures)
    for name, found in sorted(summary.latencies.items()):
        parts = (f"p{percent} {found.percentile_ms(percent):,.0f}" for percent in (50, 95, 99))
        yield name, f"{', '.join(parts)}, max {found.max_ms:,.0f} ms, of {found.count:,}"
    yield "leases", ", ".join(f"{count:,} {name}" for name, count in summary.leases.items())
    if summary.killed:
        yield "killed", f"processes that read pages: {_counts(summary.killed)}"
    if summary.pauses.times:
        yield "pauses", f"{_trouble(summary.pauses)} ({_counts(summary.pauses_why)})"
    if summary.outages.times:
        yield "outages", f"of Redis: {_trouble(summary.outages)}"
    yield "workers", _workers(summary)


def _counts(counts: Mapping[str, int] | Counter[str]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    named = [f"{printable(name)} {count:,}" for name, count in ordered[:_REASONS_SHOWN]]
    if rest := sum(count for _, count in ordered[_REASONS_SHOWN:]):
        named.append(f"others {rest:,}")
    return ", ".join(named) or "none"


def _trouble(trouble: Trouble) -> str:
    lasting = f", {trouble.lasting} not over" if trouble.lasting else ""
    first, last = moment(trouble.first_s), moment(trouble.last_s)
    return f"{trouble.times:,}, {duration(trouble.total_s)} in all, {first} to {last}{lasting}"


def _workers(summary: Summary) -> str:
    names = [printable(worker.name) for worker in summary.workers.heaviest(_WORKERS_SHOWN)]
    more = len(summary.workers) - len(names)
    some = "" if summary.workers.complete else " and more"
    started, stopped = summary.events["worker_started"], summary.stopped
    others = f" and {more:,} others{some}" if more else ""
    return f"{', '.join(names) or 'none named'}{others}; {started:,} started, {stopped:,} stopped"


def _hosts(summary: Summary) -> RenderableType:
    columns = ("slow hosts", "timed", "mean", "longest", "failed", "penalised", "open")
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in table.columns[1:]:
        column.justify = "right"
    # Of those that took most time in all: one slow answer of a host asked once says little.
    slow = sorted(summary.hosts.heaviest(4 * _HOSTS_SHOWN), key=lambda host: -host.mean_ms)
    for host in slow[:_HOSTS_SHOWN]:
        table.add_row(
            printable(host.host),
            f"{host.timed:,}",
            f"{host.mean_ms:,.0f} ms",
            f"{host.max_ms:,.0f} ms",
            f"{host.failed:,}",
            f"{host.penalised:,}",
            f"{host.opened:,}",
        )
    if summary.hosts.complete:
        return table
    return Group(table, Text("more hosts than are kept: of the quick ones, some are forgotten", "dim"))


def _errors(summary: Summary) -> RenderableType:
    table = Table("errors", "times", "first", "last", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for error in summary.errors.heaviest(_ERRORS_SHOWN):
        table.add_row(
            Text(printable(error.name), "red"),
            f"{error.count:,}",
            moment(error.first_s),
            moment(error.last_s),
        )
    more = len(summary.errors) - _ERRORS_SHOWN
    return Group(table, Text(f"and {more:,} more kinds: see --json", "dim")) if more > 0 else table


def duration(seconds: float) -> str:
    """A duration in the largest unit that it holds two of."""
    for unit, length_s in (("d", _DAY_S), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.1f} {unit}".replace(".0 ", " ")
    return f"{seconds:.1f} s".replace(".0 ", " ")


def _clock(at_s: float, span_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%H:%M:%S" if span_s < _DAY_S else "%m-%d %H:%M")
