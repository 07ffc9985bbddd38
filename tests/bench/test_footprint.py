"""`make bench-footprint`: its figures, and a short run of all of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench import footprint
from tests.bench.footprint import Footprint, Start, Weight, lines, median, run_once

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = Start(0, 0)


def test_fetch_costs_what_more_of_them_add() -> None:
    """From the least to the most that were held, by private bytes; one count alone tells nothing."""
    held = {64: Weight(9, 9, 100_000), 256: Weight(9, 9, 292_000)}
    found = Footprint(NOTHING, NOTHING, NOTHING, Weight(1, 1, 1), held, Weight(1, 1, 1), [])
    assert found.bytes_a_fetch == 1000
    assert lines(found)[-1].split() == ["a", "fetch", "in", "work,", "kB", "1.0"]


def test_median_is_of_each_figure_alone() -> None:
    """The start with the median wall time need not be the one with the median CPU."""
    assert median([Start(1, 30), Start(2, 10), Start(9, 20)]) == Start(2, 20)


def test_command_that_fails_is_not_measured() -> None:
    """A start that ended in an error is no start."""
    with pytest.raises(RuntimeError, match="ingest no-such-command ended with 2"):
        run_once("no-such-command")


@pytest.mark.slow
def test_short_run_weighs_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process has a weight, a child of its own for each of two pages at once; a start takes its time."""
    monkeypatch.setattr(footprint, "_NETWORKS", {"127.0.7": 4})
    monkeypatch.setattr(footprint, "_SETTINGS", footprint._SETTINGS | {"INGEST_EXTRACT_PROCESSES": "1"})
    monkeypatch.setenv("INGEST_SHARED", str(tmp_path))
    out = tmp_path / "found.json"
    footprint.main(["--starts", "1", "--held", "1", "3", "--pages", "3", "--json", str(out)])
    found = json.loads(out.read_text())
    assert found["published"]["wall_ms"] >= found["claimed"]["wall_ms"] > 0
    assert set(found["held"]) == {"1", "3"}
    assert len(found["children"]) == 1
    for weight in (found["idle"], found["read"], *found["held"].values(), *found["children"]):
        assert weight["rss"] > 10_000_000
