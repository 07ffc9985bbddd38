"""Figures over time: rows of buckets, and their plots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.cli.logs.series import Series
from worker.cli.plot import bars, sparkline

TIMES = st.lists(st.floats(0, 3e9), min_size=1, max_size=50)


@given(TIMES, st.integers(1, 200))
def test_nothing_is_lost_between_columns(times: list[float], columns: int) -> None:
    """The columns over the span add up to what was counted, and are no more than asked for."""
    series = Series()
    for at_s in times:
        series.add("ends", at_s)
    step_s = series.step_s(min(times), max(times), columns)
    found = series.columns("ends", min(times), max(times), step_s)
    assert sum(found) == len(times)
    assert len(found) <= columns
    assert found[0] > 0
    assert found[-1] > 0


def test_a_long_span_takes_no_more_memory() -> None:
    """A year of minutes is kept in some thousand buckets, sums as sums and peaks as peaks."""
    series, year_s = Series(peaks=frozenset({"queue"})), 365 * 86_400
    for at_s in range(0, year_s, 600):
        series.add("ends", at_s)
        series.add("queue", at_s, at_s)
    assert max(len(row) for row in series._rows.values()) <= 1024
    step_s = series.step_s(0, year_s - 600, 60)
    assert sum(series.columns("ends", 0, year_s - 600, step_s)) == year_s / 600
    assert max(series.columns("queue", 0, year_s - 600, step_s)) == year_s - 600


def test_a_row_that_nobody_counted_is_flat() -> None:
    """A name without any figure is a row of zeros."""
    assert Series().columns("ends", 10, 12, 1) == [0, 0, 0]


@pytest.mark.parametrize(
    ("values", "height", "drawn"),
    [
        ([], 1, [""]),
        ([0, 0], 1, ["  "]),
        ([1, 2, 4, 8], 1, ["▁▂▄█"]),
        ([0, 0.001, 1000], 1, [" ▁█"]),
        ([1, 2, 3, 4], 2, ["  ▄█", "▄███"]),
    ],
)
def test_bars(values: list[float], height: int, drawn: list[str]) -> None:
    """The highest value fills the height, and the least above 0 is seen."""
    assert bars(values, height) == drawn
    assert height > 1 or sparkline(values) == drawn[0]
