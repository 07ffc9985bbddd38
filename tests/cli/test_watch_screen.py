"""The screen of `ingest status --watch`, from figures alone."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from worker.cli.watch_screen import Heading, screen

PLACES = ("accepted", "articles", "unchanged", "dead", "waiting", "leased", "refused")
DEPTHS = ("queue", "taken", "ready_hosts", "later", "leases", "suspects", "articles", "dead", "silent")
SILENT: dict[str, Any] = {
    "source": "silent.example",
    "since": "2026-01-02T03:04:05+00:00",
    "why": "quiet",
    "per_hour": 1.0,
    "ended": {},
}
MANY: dict[str, Any] = {
    "ledger": dict.fromkeys(PLACES, 1_234_567),
    "balanced": False,
    "reasons": {f"dead:reason_{number}": number for number in range(20)},
    "depths": dict.fromkeys(DEPTHS, 1_234_567),
    "overdue_s": 1234.5,
    "workers": 12,
    "per_minute": [float(number % 700) for number in range(300)],
    "rate_per_minute": 700,
    "shown_s": 600,
    "hosts": [
        {"host": f"{'a' * 200}.example", "condition": "open", "latency_ms": 1, "waiting": 1, "due_in_s": 1}
    ]
    * 12,
    "silent": [SILENT] * 12,
    "articles": [{"time": "2026-01-01T00:00:00Z", "title": "汉字" * 100, "words": 9, "url": "u" * 300}] * 12,
    "dead": [{"time": "2026-01-01T00:00:00Z", "reason": "http_404", "url": None, "item": "\x1b[2J"}] * 12,
}
NONE = MANY | {"reasons": {}, "per_minute": [], "hosts": [], "silent": [], "articles": [], "dead": []}


def drawn(figures: dict[str, Any], width: int, height: int, fault: str | None = None) -> list[str]:
    """The lines of the screen, without colours."""
    console = Console(
        width=width, height=height, force_terminal=True, color_system=None, file=StringIO(), highlight=False
    )
    heading = Heading("ingest", "00:00:00 UTC", 2.0, fault, 12.0 if fault else 0.0)
    console.print(screen(heading, figures, wide=width >= 120))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("size", [(80, 24), (120, 30), (250, 70), (40, 12)])
@pytest.mark.parametrize("figures", [MANY, NONE, {}], ids=["many", "none", "unknown"])
@pytest.mark.parametrize("fault", [None, "Redis is away"])
def test_the_screen_is_filled_and_not_passed_over(
    size: tuple[int, int], figures: dict[str, Any], fault: str | None
) -> None:
    """Whatever the texts and lists: as many lines as the window has, none too wide, nothing that steers."""
    lines = drawn(figures, *size, fault)
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]
    assert "\x1b" not in "".join(lines)
    assert any("Redis is away" in line for line in lines) is (fault is not None)


def test_what_matters_is_readable_in_80_columns() -> None:
    """With millions of URLs no figure of the ledger is cut, and that it does not balance is seen."""
    lines = drawn(MANY, 80, 24)
    at = next(number for number, line in enumerate(lines) if line.startswith("accepted ="))
    assert lines[at + 1].split() == ["1,234,567"] * len(PLACES) + ["BALANCE"]
    assert "NOT IN" in lines[at]
    assert sum("open" in line for line in lines) >= 3
    assert sum("http_404" in line for line in lines) >= 2


def test_what_there_is_no_room_for_is_counted() -> None:
    """Hosts and outcomes that are not shown are told by their number."""
    lines = drawn(MANY, 80, 24)
    hosts = sum("open" in line for line in lines)
    assert f"and {len(MANY['hosts']) - hosts} more" in [line.strip() for line in lines]


def test_silent_sources_have_a_line_while_there_are_any() -> None:
    """How many there are, and the latest of them."""
    (line,) = (line for line in drawn(MANY, 80, 24) if "silent" in line)
    assert line.startswith("1,234,567 silent: silent.example since 2026-01-02T03:04, ")
    assert not any("silent" in line for line in drawn(NONE, 80, 24))
