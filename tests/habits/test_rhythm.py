"""When the absence of articles says something, and when it does not."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.habits.arrivals import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    RULES,
    alarms,
    always,
    by_day,
    heavy_tailed,
    in_bursts,
    on_workdays,
    poisson,
    seen,
)
from worker.habits.rhythm import Rhythm

if TYPE_CHECKING:
    from collections.abc import Callable


def steady(every_ms: int, days: int = 8) -> Rhythm:
    """A source with an article at every so many ms."""
    rhythm = Rhythm(0, 0)
    for at_ms in range(0, days * DAY_MS, every_ms):
        rhythm = rhythm.heard(seen(1), at_ms, RULES)
    return rhythm


@settings(deadline=None)
@given(st.lists(st.integers(HOUR_MS // 3, HOUR_MS), min_size=1, max_size=20), st.integers(8, 30))
def test_no_alarm_while_pauses_are_as_ever(pauses_ms: list[int], days: int) -> None:
    """Whatever the pauses are, as long as none is three times the longest one of the week before."""
    instants, at_ms, number = [], 0, 0
    while at_ms < days * DAY_MS:
        at_ms += pauses_ms[number % len(pauses_ms)]
        number += 1
        instants.append(at_ms)
    assert alarms(instants) == 0


@settings(deadline=None)
@given(st.integers(5 * MINUTE_MS, 8 * HOUR_MS))
def test_alarm_comes_in_bounded_time(every_ms: int) -> None:
    """A steady source that ends is silent after an hour, or after 14 articles' time at most."""
    rhythm = steady(every_ms)
    limit_ms = rhythm.limit_ms(RULES)
    assert limit_ms is not None
    assert max(HOUR_MS, 3 * every_ms) <= limit_ms <= max(HOUR_MS, 14 * every_ms * 1.1)
    assert rhythm.due_ms(RULES) == rhythm.last_ms + limit_ms


@pytest.mark.parametrize(
    ("intensity", "per_hour"), [(always, 1.0), (by_day, 1.0), (on_workdays, 1.0), (on_workdays, 0.3)]
)
def test_false_alarms_are_rare(intensity: Callable[[float], float], per_hour: float) -> None:
    """Sources that sleep at night and at weekends: at most one alarm in 600 days of sources."""
    told = sum(alarms(poisson(per_hour, 60, intensity, random.Random(seed))) for seed in range(10))
    assert told <= 1


def test_false_alarms_are_bounded_in_bursts() -> None:
    """A producer that pushes a feed from time to time: at most one alarm in 300 days of sources."""
    assert sum(alarms(in_bursts(1.0, 60, random.Random(seed))) for seed in range(10)) <= 2


def test_false_alarms_are_bounded_whatever_the_tail() -> None:
    """Even where pauses have no scale, a source is called silent once in 30 days at most."""
    assert sum(alarms(heavy_tailed(1.0, 60, random.Random(seed))) for seed in range(10)) <= 20


def test_nothing_is_told_of_a_source_hardly_known() -> None:
    """Not before a learning time, and not of fewer than 20 articles."""
    assert steady(HOUR_MS, days=6).due_ms(RULES) is None
    assert steady(11 * HOUR_MS, days=8).due_ms(RULES) is None
    assert steady(9 * HOUR_MS, days=8).due_ms(RULES) is not None


def test_dead_letters_in_a_row_tell_sooner() -> None:
    """A source of hourly articles is silent after 14 hours; with ten dead letters in a row, after one."""
    rhythm = steady(HOUR_MS)
    now_ms = rhythm.last_ms + HOUR_MS // 2
    assert rhythm.limit_ms(RULES) > 13 * HOUR_MS  # type: ignore[operator]
    failing = rhythm.heard(seen(dead=10), now_ms, RULES)
    assert failing.is_failing()
    assert failing.limit_ms(RULES) == HOUR_MS
    mended = failing.heard(seen(unchanged=1), now_ms, RULES)
    assert not mended.is_failing()


def test_dead_letters_that_are_usual_tell_nothing() -> None:
    """Of a source half of whose URLs die, ten in a row are no sign."""
    rhythm = Rhythm(0, 0)
    for at_ms in range(0, 8 * DAY_MS, HOUR_MS):
        rhythm = rhythm.heard(seen(1, dead=1), at_ms, RULES)
    assert not rhythm.heard(seen(dead=10), rhythm.last_ms + 1, RULES).is_failing()
    assert rhythm.heard(seen(dead=30), rhythm.last_ms + 1, RULES).is_failing()


def test_silence_is_told_once_and_is_no_habit() -> None:
    """After it was told nothing is due, and of its length only what led to the alarm is learnt."""
    rhythm = steady(HOUR_MS)
    due_ms = rhythm.due_ms(RULES)
    assert due_ms is not None
    silent = replace(rhythm, silent_ms=due_ms)
    assert silent.due_ms(RULES) is None
    back = silent.heard(seen(1), due_ms + 3 * DAY_MS, RULES)
    assert back.silent_ms == 0
    assert back.pause_ms == due_ms - rhythm.last_ms
