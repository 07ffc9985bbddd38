"""When a field of a source's articles is lost, and when chance explains as much."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.habits.shares import LEARNT, RECENT, Shares, Turn
from worker.habits.sightings import FIELDS

ALL = (1 << len(FIELDS)) - 1
DATE = 1 << FIELDS.index("published_at")


def read(shares: Shares, *articles: int) -> tuple[Shares, list[Turn]]:
    """Articles, each with the fields found in it."""
    told = []
    for found in articles:
        shares, turns = shares.with_article(found, "http://a.example/1")
        told += turns
    return shares, told


@settings(deadline=None, max_examples=30)
@given(st.integers(0, ALL), st.integers(1, 400))
def test_no_alarm_while_articles_are_alike(found: int, articles: int) -> None:
    """Of a source whose articles all have the same fields, nothing is told."""
    assert read(Shares(), *[found] * articles)[1] == []


@settings(deadline=None, max_examples=30)
@given(st.integers(50, 300))
def test_loss_is_told_once_within_a_window(before: int) -> None:
    """A field that was always there is lost after half a window without it, and nothing else is said."""
    shares, _ = read(Shares(), *[ALL] * before)
    _, told = read(shares, *[ALL & ~DATE] * RECENT)
    assert [(turn.field, turn.lost, turn.learnt) for turn in told] == [("published_at", True, 1.0)]
    assert told[0].recent >= 0.25


def test_a_field_that_is_back_is_told_once() -> None:
    """Half a window with it will do; and then it can be lost again."""
    shares, _ = read(Shares(), *[ALL] * 200, *[ALL & ~DATE] * RECENT)
    shares, told = read(shares, *[ALL] * RECENT)
    assert [(turn.field, turn.lost) for turn in told] == [("published_at", False)]
    assert [turn.lost for turn in read(shares, *[ALL & ~DATE] * RECENT)[1]] == [True]


def test_a_loss_that_lasts_becomes_usual() -> None:
    """A site that has given a field up is not told of again, nor when the field comes back much later."""
    shares, _ = read(Shares(), *[ALL] * 200, *[ALL & ~DATE] * (3 * LEARNT))
    assert shares.fields["published_at"].lost == 0
    assert read(shares, *[ALL] * 100)[1] == []


def test_a_field_often_missing_is_not_missed() -> None:
    """Where three articles in ten have it, twenty without say nothing."""
    chance = random.Random(1)
    shares, _ = read(Shares(), *(DATE if chance.random() < 0.3 else 0 for _ in range(300)))
    assert read(shares, *[0] * RECENT)[1] == []


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.99])
def test_false_alarms_are_rare(share: float) -> None:
    """No alarm in 20,000 articles that have each field by the same chance."""
    chance = random.Random(7)
    draws = [sum((chance.random() < share) << bit for bit in range(len(FIELDS))) for _ in range(20_000)]
    assert read(Shares(), *draws)[1] == []
