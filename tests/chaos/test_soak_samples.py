"""Whether a series grows, told from its noise."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.soak_picture import draw
from tests.chaos.soak_samples import SERIES, Sample, table, trend, trends, write_csv

if TYPE_CHECKING:
    from pathlib import Path


def noisy(slope_per_hour: float, *, noise: float, seed: int = 1) -> list[tuple[float, float]]:
    """An hour of samples, every five seconds, around 100."""
    rng = random.Random(seed)
    return [(at, 100 + slope_per_hour * at / 3600 + rng.gauss(0, noise)) for at in range(0, 3600, 5)]


def samples(worker_rss_mb_per_hour: float) -> list[Sample]:
    """An hour in which only the workers' memory changes."""
    points = noisy(worker_rss_mb_per_hour, noise=0.5)
    return [Sample(at, at * 100, rss, 60, 2, 200, 70, 10, 20, 60, 5000) for at, rss in points]


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.integers(3, 500))
def test_a_straight_line_is_found(level: float, slope: float, count: int) -> None:
    """Without noise the slope is exact, whatever the number of samples."""
    found = trend([(5.0 * step, level + slope * 5 * step / 3600) for step in range(count)])
    assert found.slope == pytest.approx(slope, abs=1e-3)
    assert found.error == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_flat(seed: int) -> None:
    """A series that goes up and down around a level does not grow."""
    assert not trend(noisy(0, noise=5, seed=seed)).grows


@pytest.mark.parametrize("seed", range(20))
def test_a_leak_is_told_from_its_noise(seed: int) -> None:
    """Ten in a hundred an hour is growth, though single samples scatter by five."""
    assert trend(noisy(10, noise=5, seed=seed)).grows


def test_a_decline_is_no_growth() -> None:
    """What gets less needs no mending."""
    assert not trend(noisy(-10, noise=1)).grows


def test_too_few_samples_are_refused() -> None:
    """Through two points any line is perfect."""
    with pytest.raises(ValueError, match="three samples"):
        trend([(0, 1), (5, 2)])


def test_only_the_series_that_grows_is_named(tmp_path: Path) -> None:
    """Table, CSV and picture of one leak."""
    run = samples(20)
    found = trends(run, warm_up_s=600)
    assert [name for name, each in found.items() if each.grows] == ["worker_rss_mb"]
    assert table(found).count("GROWS") == 1
    write_csv(run, tmp_path / "soak.csv")
    assert len((tmp_path / "soak.csv").read_text().splitlines()) == len(run) + 1
    picture = draw(run, found, 600, "an hour")
    assert all(f">{title}</text>" in picture for title in SERIES.values())
