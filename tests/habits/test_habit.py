"""What is kept of a source, and what new sightings make of it."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.habits.arrivals import DAY_MS, HOUR_MS, RULES, seen
from worker.habits.habit import Finding, Habit, Return, Silence, decoded, watched
from worker.habits.shares import Turn
from worker.habits.sightings import Seen


def lived(*steps: tuple[int, Seen], habit: Habit | None = None) -> tuple[Habit | None, list[Finding]]:
    """What was seen at each instant (ms), kept and read again in between."""
    told: list[Finding] = []
    for now_ms, each in steps:
        habit, findings = watched(habit, each, now_ms=now_ms, wall_s=now_ms // 1000, rules=RULES)
        told += findings
        if habit is not None:
            habit = decoded(habit.encoded())
    return habit, told


HOURLY = tuple((at_ms, seen(1)) for at_ms in range(0, 8 * DAY_MS, HOUR_MS))
LAST_MS = HOURLY[-1][0]


def test_a_source_without_articles_has_no_habit() -> None:
    """Dead letters alone are not worth a key in Redis."""
    assert lived((1, seen(dead=3)), (2, seen(unchanged=1))) == (None, [])


def test_silence_tells_what_urls_became_instead() -> None:
    """The rate, the last article, how long ago that was, and the dead letters since."""
    habit, told = lived(*HOURLY, (LAST_MS + HOUR_MS // 2, seen(dead=9)), (LAST_MS + HOUR_MS, seen(dead=4)))
    assert told == [
        Silence(
            failing=True,
            per_hour=192 * HOUR_MS / LAST_MS,
            articles=192,
            silent_ms=HOUR_MS,
            limit_ms=HOUR_MS,
            last_article_s=LAST_MS // 1000,
            ended={"http_404": 13},
        )
    ]
    later_ms = LAST_MS + DAY_MS
    habit, told = lived((LAST_MS + 2 * HOUR_MS, Seen()), (later_ms, seen(2)), (later_ms, Seen()), habit=habit)
    assert told == [Return(DAY_MS)]
    assert habit is not None
    assert (habit.ended, habit.last_article_s) == ({}, later_ms // 1000)


def test_silence_without_urls_is_quiet() -> None:
    """Nothing came at all."""
    (told,) = lived(*HOURLY, (LAST_MS + 15 * HOUR_MS, Seen()))[1]
    assert isinstance(told, Silence)
    assert (told.failing, told.ended) == (False, {})


def test_what_lasts_is_told_again_once_a_day() -> None:
    """A silence, and a lost field, until it ends: not with every look, and not after that."""
    looks = tuple((LAST_MS + hours * HOUR_MS, Seen()) for hours in range(1, 14 + 2 * 24 + 1))
    habit, told = lived(*HOURLY, *looks)
    assert [each.again for each in told if isinstance(each, Silence)] == [False, True, True]
    assert habit is not None
    assert habit.due_ms(RULES) == habit.told_ms + DAY_MS
    first, _, third = told
    assert isinstance(first, Silence)
    assert isinstance(third, Silence)
    assert third.silent_ms - first.silent_ms == 2 * DAY_MS
    assert third.limit_ms == first.silent_ms
    later_ms = looks[-1][0]
    habit, told = lived((later_ms, seen(1)), (later_ms + 2 * HOUR_MS, Seen()), habit=habit)
    assert [type(each) for each in told] == [Return]
    assert habit is not None
    assert (habit.told_ms, habit.is_troubled) == (0, False)


def test_a_lost_field_is_told_again_once_a_day() -> None:
    """With its shares, and without the article that nobody remembers."""
    complete, bare = Seen(), Seen()
    for _ in range(100):
        complete.article(0b11, "http://a.example/1")
    for _ in range(20):
        bare.article(0b01, "http://a.example/2")
    looks = tuple((at_ms + DAY_MS, Seen()) for at_ms in range(4))
    habit, told = lived((1, complete), (2, bare), *looks)
    assert [(each.field, each.again) for each in told if isinstance(each, Turn)] == [
        ("published_at", False),
        ("published_at", True),
    ]
    assert habit is not None
    assert habit.due_ms(RULES) == 2 + 2 * DAY_MS


def test_the_last_releases_habit_is_read() -> None:
    """It knew nothing of telling again: an alarm that lasts is told once more."""
    habit, _ = lived(*HOURLY, (LAST_MS + 15 * HOUR_MS, Seen()))
    assert habit is not None
    before = orjson.loads(habit.encoded())
    before[0] = 1
    before[-1].pop()
    _, told = lived((LAST_MS + 16 * HOUR_MS, Seen()), habit=decoded(orjson.dumps(before)))
    assert [each.again for each in told if isinstance(each, Silence)] == [True]


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=3), max_size=60))
def test_reasons_are_kept_in_bounded_space(reasons: list[str]) -> None:
    """The most frequent ones and the sum of the rest: no more than seven words."""
    deaths = Seen()
    for reason in reasons:
        deaths.death(reason)
    habit, _ = lived((1, seen(1)), (2, deaths))
    assert habit is not None
    assert len(habit.ended) <= 7
    assert sum(habit.ended.values()) == len(reasons)
    assert len(habit.encoded()) < 1000


def test_another_releases_habit_is_begun_anew() -> None:
    """What is written in a format that is not ours is not guessed at."""
    assert decoded(b'[3,["whatever"]]') is None
