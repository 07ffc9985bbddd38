"""The dashboard's figures as one screen of a terminal, 80 by 24 characters or larger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.layout import Layout
from rich.rule import Rule
from rich.table import Column, Table
from rich.text import Text

from worker.cli.plot import bars
from worker.cli.screen import printable
from worker.store.ledger import PLACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

Figures = Mapping[str, Any]  # of `worker.ops.board.Board.figures`

HOST_STYLES = {"open": "bold red", "half-open": "red", "penalised": "yellow", "slowed": "yellow"}
_END_STYLES = {"articles": "green", "unchanged": "dim"}
_DEPTHS = (
    *(("queue", "queue"), ("taken", "taken"), ("ready_hosts", "hosts ready"), ("later", "for later")),
    *(("leases", "leases"), ("suspects", "suspects"), ("articles", "articles"), ("dead", "dead")),
)


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the figures. `stale_s` is for how many seconds there have been no new ones."""

    namespace: str
    time: str
    every_s: float
    fault: str | None = None
    stale_s: float = 0.0


def screen(heading: Heading, figures: Figures, *, wide: bool, hosts_only: bool = False) -> RenderableType:
    """The whole screen; without figures, yet, the heading says why. `hosts_only` leaves out other lists."""
    head = Layout(_heading(heading, figures), size=2 if heading.fault else 1)
    whole = Layout()
    if not figures:
        whole.split_column(head, Layout(Text(" ")))
        return whole
    silent = [Layout(_silent(figures), size=1)] if figures.get("silent") else []
    lists = [Layout(_hosts(figures), ratio=5, minimum_size=5)]
    if not hosts_only:
        ends = [
            Layout(_articles(figures), ratio=4, minimum_size=4 - len(silent)),
            Layout(_letters(figures), ratio=3, minimum_size=3),
        ]
        lists += [_beside(*ends, ratio=5)] if wide else ends
    whole.split_column(
        head,
        Layout(_Curve(figures), ratio=2, minimum_size=3),
        Layout(_ledger(figures), size=2),
        _beside(Layout(_depths(figures)), Layout(_outcomes(figures)), ratio=3, minimum_size=6),
        *silent,
        *lists,
    )
    return whole


def _silent(figures: Figures) -> Text:
    names = [f"{printable(each['source'])} since {each['since'][:16]}" for each in figures["silent"]]
    count = figures["depths"]["silent"]
    text = Text(f"{count:,} silent: ", "bold yellow", no_wrap=True, overflow="ellipsis")
    return text.append(", ".join(names), "yellow")


def _beside(left: Layout, right: Layout, *, ratio: int, minimum_size: int = 1) -> Layout:
    both = Layout(ratio=ratio, minimum_size=minimum_size)
    both.split_row(left, Layout(Text(" "), size=2), right)
    return both


def _heading(heading: Heading, figures: Figures) -> Text:
    count = figures.get("workers", 0)
    workers = f"{count:,} worker{'' if count == 1 else 's'}   " if figures else ""
    text = Text.assemble(
        ("ingest   ", "bold"),
        printable(f"namespace {heading.namespace}   {workers}{heading.time}"),
        (f"   every {heading.every_s:g} s, Ctrl-C ends", "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )
    if heading.fault:
        since = f"no figures for {heading.stale_s:.0f} s: " if heading.stale_s else ""
        text.append(f"\n{since}{printable(heading.fault)}", "bold red")
    return text


@dataclass(frozen=True, slots=True)
class _Curve:
    """URLs that ended per minute, the newest at the right."""

    figures: Figures

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rates: list[float] = self.figures["per_minute"]
        label = f"{max(rates, default=0):,.0f} "
        width = options.max_width - len(label)
        kept = rates[-width:]
        now = f"{self.figures['rate_per_minute']:,} now"
        yield _title(f"URLs ended per minute: {now}, looked at for {_seconds(self.figures['shown_s'])}")
        lines = bars([0.0] * (width - len(kept)) + kept, (options.height or 3) - 1)
        for number, line in enumerate(lines):
            said = label if number == 0 else "0 ".rjust(len(label)) if line is lines[-1] else " " * len(label)
            yield Text.assemble((said, "dim"), (line, "green"), no_wrap=True)


@dataclass(frozen=True, slots=True)
class _List:
    """Rows under a title, as many as there is room for."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Text]]
    tells_rest: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = (options.height or len(self.rows) + 1) - 1
        cut = self.tells_rest and len(self.rows) > room
        yield _title(self.title)
        table = Table.grid(*self.columns, padding=(0, 2, 0, 0), expand=True)
        for row in self.rows[: room - cut]:
            table.add_row(*row)
        yield table
        if cut:
            yield Text(f"and {len(self.rows) - room + 1} more", "dim")
        if not self.rows:
            yield Text("none", "dim")


def _title(text: str) -> Rule:
    return Rule(Text(text, "bold"), align="left", style="dim")


def _ledger(figures: Figures) -> Table:
    ledger = figures["ledger"]
    table = Table.grid(padding=(0, 1, 0, 0))
    verdict, style = (
        (("", "balanced"), "green") if figures["balanced"] else (("NOT IN", "BALANCE"), "bold red")
    )
    names = ["accepted =", f"{PLACES[0]}", *(f"+ {name}" for name in PLACES[1:]), "refused"]
    for _ in names:
        table.add_column(justify="right", no_wrap=True)
    table.add_row(*(Text(name, "dim") for name in names), Text(verdict[0], style))
    numbers = [ledger["accepted"], *(ledger[name] for name in PLACES), ledger["refused"]]
    table.add_row(*(Text(f"{number:,}", "bold") for number in numbers), Text(verdict[1], style))
    return table


def _depths(figures: Figures) -> _List:
    cells = [(says, f"{figures['depths'][name]:,}") for name, says in _DEPTHS]
    half = len(cells) // 2
    rows = [
        [Text(left[0], "dim"), Text(left[1]), Text(right[0], "dim"), Text(right[1])]
        for left, right in zip(cells[:half], cells[half:], strict=True)
    ]
    rows.append([Text("overdue", "dim"), Text(_seconds(figures["overdue_s"])), Text(), Text()])
    columns = [_column(), _number(), _column(), _number()]
    return _List("Queue, leases, streams", columns, rows)


def _outcomes(figures: Figures) -> _List:
    ledger = figures["ledger"]
    ends = {"articles": ledger["articles"], "unchanged": ledger["unchanged"], **figures["reasons"]}
    ordered = sorted(ends.items(), key=lambda end: -end[1])
    most = max(1, ordered[0][1])
    rows = [
        [Text(name), Text(f"{count:,}"), Text("█" * round(8 * count / most), _end_style(name))]
        for name, count in ordered
    ]
    return _List("Outcomes", [_column(ratio=1), _number(), Column(width=8)], rows, tells_rest=True)


def _end_style(name: str) -> str:
    return "dim" if name.startswith("refused") else _END_STYLES.get(name, "red")


def _hosts(figures: Figures) -> _List:
    rows = [
        [
            Text(printable(host["host"])),
            Text(host["condition"], HOST_STYLES.get(host["condition"], "dim")),
            Text(f"{host['latency_ms']:,} ms"),
            Text(f"{host['waiting']:,} waiting"),
            Text(f"next in {_seconds(host['due_in_s'])}"),
        ]
        for host in figures["hosts"]
    ]
    columns = [_column(ratio=1), _column(), _number(), _number(), _number()]
    return _List("Hosts in trouble, then the slowest", columns, rows, tells_rest=True)


def _articles(figures: Figures) -> _List:
    rows = [
        [
            Text(_clock(article["time"]), "dim"),
            Text(printable(article["title"] or "unchanged"), "bold" if article["title"] else "dim"),
            Text("" if article["words"] is None else f"{article['words']:,} words"),
            Text(printable(article["url"]), "dim"),
        ]
        for article in figures["articles"]
    ]
    return _List("Latest articles", [_column(), _column(ratio=3), _number(), _column(ratio=2)], rows)


def _letters(figures: Figures) -> _List:
    rows = [
        [
            Text(_clock(letter["time"]), "dim"),
            Text(letter["reason"], "red"),
            Text(printable(letter["url"] or letter["item"] or "")),
        ]
        for letter in figures["dead"]
    ]
    title = f"Latest of {figures['depths']['dead']:,} dead letters"
    return _List(title, [_column(), _column(), _column(ratio=1)], rows)


def _column(ratio: int | None = None) -> Column:
    return Column(ratio=ratio, no_wrap=True, overflow="ellipsis")


def _number() -> Column:
    return Column(justify="right", no_wrap=True)


def _clock(time: str) -> str:
    return time[11:19]


def _seconds(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min" if seconds >= 90 else f"{seconds:.{int(seconds < 10)}f} s"
