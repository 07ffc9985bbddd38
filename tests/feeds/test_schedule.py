"""The pause between two looks: within its bounds, shorter for feeds that change, longer for others."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.feeds.schedule import RETRY_AFTER_LIMIT_S, Bounds, after_failure, after_look

BOUNDS = Bounds(120, 21_600)
spans = st.floats(min_value=0, max_value=1e9)
chances = st.floats(min_value=0, max_value=1)


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    """Any that the settings allow."""
    low = draw(st.floats(min_value=0.001, max_value=1e6))
    return Bounds(low, draw(st.floats(min_value=low, max_value=1e7)))


@given(
    interval_s=spans, new=st.integers(0, 10**6), limits=bounds(), asked_s=spans | st.none(), chance=chances
)
def test_pause_stays_within_its_bounds(
    interval_s: float, new: int, limits: Bounds, asked_s: float | None, chance: float
) -> None:
    """Whatever the feed does or asks for; a tenth is left for the jitter."""
    plan = after_look(interval_s, new, limits, asked_s=asked_s, random=lambda: chance)
    assert limits.min_s <= plan.interval_s <= limits.max_s
    assert limits.min_s <= plan.due_s <= limits.max_s * 1.1 * (1 + 1e-9)
    assert plan.due_s >= min(asked_s or 0, limits.max_s)


@given(interval_s=st.floats(200, 13_000), new=st.integers(1, 100), asked_s=spans | st.none())
def test_what_changes_is_looked_at_sooner(interval_s: float, new: int, asked_s: float | None) -> None:
    """A look that found something shortens the learnt pause, one that did not lengthens it."""

    def learnt(found: int) -> float:
        return after_look(interval_s, found, BOUNDS, asked_s=asked_s, random=lambda: 0).interval_s

    assert learnt(new) < interval_s < learnt(0)
    assert learnt(new + 1) <= learnt(new)


@given(
    interval_s=spans,
    failures=st.integers(1, 10**6),
    limits=bounds(),
    retry_after_s=spans | st.none(),
    chance=chances,
)
def test_failures_lengthen_the_pause(
    interval_s: float, failures: int, limits: Bounds, retry_after_s: float | None, chance: float
) -> None:
    """Each doubles it, up to the bound; Retry-After holds beyond that, for a day at most."""

    def due(count: int, asked_s: float | None) -> float:
        return after_failure(interval_s, count, limits, retry_after_s=asked_s, random=lambda: chance).due_s

    assert due(failures, None) <= due(failures + 1, None) <= limits.max_s * 1.1 * (1 + 1e-9)
    assert due(failures, retry_after_s) >= min(retry_after_s or 0, RETRY_AFTER_LIMIT_S)
    assert due(failures, retry_after_s) <= max(limits.max_s * 1.1 * (1 + 1e-9), RETRY_AFTER_LIMIT_S)


def test_failure_keeps_what_was_learnt() -> None:
    """An outage says nothing of how often a feed changes."""
    assert after_failure(900, 3, BOUNDS, retry_after_s=None, random=lambda: 0).interval_s == 900


@pytest.mark.parametrize("every_s", [600, 1800, 7200])
def test_pause_settles_near_how_often_a_feed_changes(every_s: float) -> None:
    """For articles at random moments, the pause comes to somewhere near the time between two of them."""
    chance = random.Random(7)
    now, interval_s, next_article = 0.0, 120.0, chance.expovariate(1 / every_s)
    pauses, found_any = list[float](), 0
    for _ in range(4000):
        new = 0
        while next_article <= now:
            new += 1
            next_article += chance.expovariate(1 / every_s)
        plan = after_look(interval_s, new, BOUNDS, asked_s=None, random=chance.random)
        interval_s, now = plan.interval_s, now + plan.due_s
        pauses.append(plan.due_s)
        found_any += new > 0
    mean = sum(pauses[200:]) / len(pauses[200:])
    assert every_s / 4 < mean < every_s * 2
    assert 0.3 < found_any / 4000 < 0.6
