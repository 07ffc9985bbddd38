"""Counts, rates and percentiles of an interval."""

from __future__ import annotations

import statistics
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.clock import FakeClock
from worker.telemetry.stats import Histogram, Stats

DURATIONS = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=200)


def test_counts_become_rates_over_the_interval() -> None:
    """A rate is the count over the seconds since the last snapshot."""
    clock = FakeClock()
    stats = Stats(clock)
    stats.count("published", 5)
    stats.count("published")
    stats.count("buried")
    clock.advance(4)
    snapshot = stats.snapshot()
    assert snapshot.interval_s == 4
    assert snapshot.counts == {"published": 6, "buried": 1}
    assert snapshot.rates == {"published": 1.5, "buried": 0.25}


def test_a_snapshot_begins_a_new_interval() -> None:
    """Counts and latencies start again, names stay, and totals go on."""
    clock = FakeClock()
    stats = Stats(clock)
    stats.count("published", 3)
    stats.observe("fetch", 12)
    clock.advance(1)
    stats.snapshot()
    stats.count("published", 2)
    clock.advance(2)
    assert stats.total("published") == 5
    second = stats.snapshot()
    assert (second.counts, second.rates, second.latency_ms) == ({"published": 2}, {"published": 1.0}, {})
    assert stats.snapshot().counts == {"published": 0}
    assert stats.total("published") == 5
    assert stats.total("never") == 0


def test_no_time_is_no_rate() -> None:
    """Two snapshots at one instant divide by nothing."""
    stats = Stats(FakeClock())
    stats.count("published")
    assert stats.snapshot().rates == {"published": 0.0}


def test_a_block_is_timed_also_when_it_fails() -> None:
    """How long a failure took counts as well."""
    clock = FakeClock()
    stats = Stats(clock)
    with suppress(ValueError), stats.timed("extract"):
        clock.advance(0.2)
        raise ValueError("bad")
    summary = stats.snapshot().latency_ms["extract"]
    assert summary["count"] == 1
    assert summary["max"] == pytest.approx(200)


def test_percentiles_of_known_durations() -> None:
    """Of 1 to 1000 ms the median is about 500, and no percentile passes the longest."""
    histogram = Histogram()
    for duration_ms in range(1, 1001):
        histogram.add(duration_ms)
    summary = histogram.summary()
    assert summary["p50"] == pytest.approx(500, rel=0.05)
    assert summary["p95"] == pytest.approx(950, rel=0.05)
    assert summary["p99"] == pytest.approx(990, rel=0.05)
    assert summary["max"] == 1000


def test_an_empty_histogram_says_zero() -> None:
    """No duration is no latency."""
    assert Histogram().percentile_ms(99) == 0


@given(DURATIONS)
def test_a_percentile_is_within_five_percent(durations_ms: list[float]) -> None:
    """The median is near that of the durations themselves, whatever they are."""
    histogram = Histogram()
    for duration_ms in durations_ms:
        histogram.add(duration_ms)
    assert histogram.percentile_ms(50) == pytest.approx(statistics.median_low(durations_ms), rel=0.051)
    assert histogram.percentile_ms(50) <= histogram.percentile_ms(95) <= histogram.max_ms


@given(st.lists(st.floats(0, 1e300), max_size=300))
def test_space_is_bounded(durations_ms: list[float]) -> None:
    """However many durations, and however odd, the buckets are few."""
    histogram = Histogram()
    for duration_ms in durations_ms:
        histogram.add(duration_ms)
    assert len(histogram._buckets) <= 260


def test_totals_tell_reasons_apart_and_outlive_snapshots() -> None:
    """Counters since the start, by name and reason: a name's parts add up to its total."""
    stats = Stats(FakeClock())
    stats.count("buried", reason="robots")
    stats.count("published")
    stats.snapshot()
    stats.count("buried", 2, reason="tls")
    assert stats.totals() == {("buried", "robots"): 1, ("buried", "tls"): 2, ("published", ""): 1}
    assert stats.total("buried") == 3


@given(DURATIONS, DURATIONS)
def test_cumulative_buckets_are_exact_at_their_bounds(before: list[float], since: list[float]) -> None:
    """A bound holds every duration below it, of this interval and of those before."""
    stats = Stats(FakeClock())
    for duration_ms in before:
        stats.observe("fetch", duration_ms)
    stats.snapshot()
    for duration_ms in since:
        stats.observe("fetch", duration_ms)
    histogram = stats.histograms()["fetch"]
    durations = before + since
    assert histogram.total_ms == pytest.approx(sum(durations))
    for bound_ms, count in histogram.cumulative():
        nearly = sum(duration <= bound_ms * (1 - 1e-9) for duration in durations)
        assert nearly <= count <= sum(duration <= bound_ms * (1 + 1e-9) for duration in durations)
