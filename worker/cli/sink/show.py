"""What a sink shows while it works, on stderr: a bar on a terminal, lines with figures elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from worker.cli.screen import printable, talk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from rich.console import Console

    from worker.sinks.pump import Display, Totals

_LINE_EVERY_S = 10.0


def figures(totals: Totals) -> str:
    """The totals on one line."""
    parts = [f"{totals.written:,} written"]
    if totals.repeats:
        parts.append(f"{totals.repeats:,} were there already")
    if totals.rejected:
        parts.append(f"{totals.rejected:,} rejected")
    if totals.owed:
        parts.append(f"{totals.owed:,} to be delivered")
    if totals.behind is not None:
        parts.append(f"{totals.behind:,} behind")
    return ", ".join(parts)


class _Lines:
    """A line every ten seconds in which something happened, and a last one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = self._told_at = time.monotonic()
        self._told = self._last = ""
        self._written = 0

    def show(self, totals: Totals) -> None:
        self._last, now = figures(totals), time.monotonic()
        if self._last != self._told and now - self._told_at >= _LINE_EVERY_S:
            per_second = (totals.written - self._written) / (now - self._told_at)
            self._print(f"{self._last}, {per_second:,.0f}/s")
            self._told, self._told_at, self._written = self._last, now, totals.written

    def end(self) -> None:
        if self._last:
            self._print(self._last)

    def _print(self, text: str) -> None:
        self._console.print(Text(f"{time.monotonic() - self._began:7.1f} s  {text}"), soft_wrap=True)


class _Bar:
    """What is written of what there is."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar = progress.add_task("", total=None, figures="")

    def show(self, totals: Totals) -> None:
        done = totals.written + totals.repeats + totals.rejected
        total = None if totals.behind is None else done + totals.behind
        self._progress.update(self._bar, completed=done, total=total, figures=figures(totals))


class _Above(BytesIO):
    """Log lines go above the bar, which would overwrite them otherwise."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def write(self, line: Any) -> int:
        text = bytes(line).decode("utf-8", "replace").rstrip("\n")
        self._console.print(Text.from_ansi(text), soft_wrap=True)
        return len(line)

    def isatty(self) -> bool:
        return True


@contextmanager
def display(where: str) -> Iterator[tuple[Display, BinaryIO | None]]:
    """Progress, and where log lines go meanwhile; None is stdout."""
    console = talk()
    if not sys.stderr.isatty():
        lines = _Lines(console)
        try:
            yield lines, None
        finally:
            lines.end()
        return
    rest_of_line = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    shown = TextColumn("{task.fields[figures]}", style="cyan", markup=False)
    place = TextColumn(printable(where).replace("{", "{{"), markup=False, table_column=rest_of_line)
    columns = (SpinnerColumn(), BarColumn(16), TimeElapsedColumn(), shown, place)
    with Progress(*columns, console=console, expand=True) as progress:
        above = _Above(console) if sys.stdout.isatty() else None
        yield _Bar(progress), above
