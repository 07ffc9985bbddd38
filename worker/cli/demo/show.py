"""What a demo shows: progress while it runs, then the table, the ledger, and where to look next."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column, Table
from rich.text import Text

from worker.cli.screen import on_terminal, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from worker.cli.demo.ends import End
    from worker.store.ledger import Ledger


class Display(Protocol):
    """Progress, for whoever watches."""

    def ended(self, end: End) -> None:
        """A URL came to its end."""

    def look(self, ledger: Ledger) -> None:
        """The ledger at this moment."""


class _Lines:
    """A line for each end."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._count = 0
        self._began = time.monotonic()

    def ended(self, end: End) -> None:
        self._count += 1
        head = f"{time.monotonic() - self._began:6.1f} s  {self._count:>3}/{self._total}  {end.outcome:<22} "
        self._console.print(Text(head + printable(end.url)))

    def look(self, ledger: Ledger) -> None:
        """Nothing: the lines are enough."""


class _Bar:
    """A bar that grows, the ledger, and the last title."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._bar = progress.add_task("", total=total, figures="", last="")

    def ended(self, end: End) -> None:
        last = end.article["title"] if end.article else f"{end.outcome} {end.url}"
        self._progress.update(self._bar, last=printable(last))

    def look(self, ledger: Ledger) -> None:
        figures = f"{ledger.articles} articles, {ledger.dead} dead, {ledger.waiting} waiting"
        done = ledger.articles + ledger.unchanged + ledger.dead + ledger.refused
        self._progress.update(self._bar, figures=figures, completed=done)


@contextmanager
def display(console: Console, total: int) -> Iterator[Display]:
    """A bar on a terminal, lines elsewhere."""
    if not on_terminal():
        yield _Lines(console, total)
        return
    rest_of_line = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    last = TextColumn("{task.fields[last]}", markup=False, table_column=rest_of_line)
    figures = TextColumn("{task.fields[figures]}", style="cyan", markup=False)
    columns = (SpinnerColumn(), BarColumn(16), MofNCompleteColumn(), TimeElapsedColumn(), figures, last)
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        yield _Bar(progress, total)


def table(ends: Sequence[End], faults: Mapping[int, Sequence[str]] | None) -> Table:
    """A row for each URL. `faults` is row → what is not as expected; None where nothing was expected."""
    cut = on_terminal()  # where the line has an end, URLs and titles share what the rest leaves
    shown = Table(box=None, padding=(0, 1), header_style="bold", expand=cut)
    shown.add_column("URL", no_wrap=True, overflow="ellipsis", ratio=4 if cut else None)
    shown.add_column("outcome", no_wrap=True)
    shown.add_column("title", no_wrap=True, overflow="ellipsis", ratio=3 if cut else None)
    shown.add_column("date", no_wrap=True)
    shown.add_column("words", justify="right")
    shown.add_column("ms", justify="right")
    if faults is not None:
        shown.add_column("")
    for row, end in enumerate(ends):
        article = end.article
        cells = [
            Text(printable(end.url)),
            Text(end.outcome, "green" if article else "yellow"),
            Text(printable(article["title"]) if article else ""),
            Text((article["published_at"] or "none")[:10] if article else ""),
            Text(str(article["word_count"]) if article else ""),
            Text(str(article["fetch"]["duration_ms"]) if article else ""),
        ]
        if faults is not None:
            cells.append(Text("✗", "bold red") if row in faults else Text("✓", "green"))
        shown.add_row(*cells)
    return shown


def where_to_look(folder: Path, address: str, log: Path, *, running: bool) -> str:
    """What to try after the demo."""
    up = (
        "Redis and the worker go on until Ctrl-C. In another terminal:"
        if running
        else f"Its Redis is stopped, its data kept. INGEST_DATA_DIR={folder} ingest run --embedded\n"
        "  brings it up again, with a worker that takes your own URLs; then, in another terminal:"
    )
    return f"""Where to look next
  {log}: what the worker logged, one JSON line for each thing that happened to a URL
  {up}
    export INGEST_REDIS_URL={address}
    ingest status                  the ledger, and what stands where
    ingest tail --from start       the articles; piped, their whole events as JSON lines
    ingest dead list               what became no article, and why
    ingest add https://…           a URL of your own"""
