"""Which partitions are asked for URLs: those that may have some, each in its turn, and all of them soon."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.clock import FakeClock
from worker.runtime.prospects import Prospects

steps = st.lists(st.tuples(st.floats(0, 0.2), st.none() | st.floats(0, 3), st.booleans()), max_size=40)


def quiet(partitions: int) -> tuple[Prospects, FakeClock]:
    """All have been asked just now, and have nothing."""
    clock = FakeClock()
    prospects = Prospects(partitions, clock)
    prospects.heard(dict.fromkeys(prospects.promising()))
    return prospects, clock


def test_all_are_asked_at_first_and_then_none_for_a_while() -> None:
    """What other workers do is noticed after a quarter of a second."""
    prospects, clock = quiet(3)
    assert (prospects.promising(), prospects.next_s()) == ([], 0.25)
    clock.advance(0.26)
    assert sorted(prospects.promising()) == [0, 1, 2]


def test_what_is_expected_is_asked_at_once_and_alone() -> None:
    """An admission of our own, or the end of a lease, asks one partition of many."""
    prospects, _ = quiet(64)
    prospects.expect(17)
    assert prospects.next_s() <= 0.001
    assert prospects.promising() == [17]


def test_what_is_expected_while_its_partition_is_asked_is_not_forgotten() -> None:
    """The answer that is on its way may have been given before."""
    prospects, _ = quiet(2)
    prospects.expect(1)
    assert prospects.promising() == [1]
    prospects.expect(1)
    prospects.heard({1: None})
    assert prospects.next_s() <= 0.001
    assert prospects.promising() == [1]


def test_those_that_were_not_asked_stay_promising() -> None:
    """A claim ends with the first partition that fills it: the next one asks the others."""
    prospects, _ = quiet(3)
    for partition in range(3):
        prospects.expect(partition)
    first, *others = prospects.promising()
    prospects.heard({first: 0.2})
    assert sorted(prospects.promising()) == sorted(others)


def test_each_is_first_in_its_turn() -> None:
    """With more to do than a worker can, no partition starves behind another."""
    prospects = Prospects(3, FakeClock())
    assert [prospects.promising()[0] for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_what_is_due_is_asked_when_it_is() -> None:
    """Neither before nor much after."""
    prospects, clock = quiet(2)
    prospects.heard({0: 0.125})
    assert prospects.next_s() == 0.125
    clock.advance(0.1)
    assert prospects.promising() == []
    clock.advance(0.03)
    assert prospects.promising() == [0]


@given(st.integers(1, 5), steps)
def test_none_goes_unasked_for_long(partitions: int, steps: list[tuple[float, float | None, bool]]) -> None:
    """Whatever is heard and expected, each is asked within a quarter of a second and a pause."""
    clock = FakeClock()
    prospects, asked_at = Prospects(partitions, clock), dict.fromkeys(range(partitions), 0.0)
    start = clock.monotonic()
    for late_s, due_s, expected in steps:
        if expected:
            prospects.expect(0)
        for partition in (promising := prospects.promising()):
            asked_at[partition] = clock.monotonic() - start
        prospects.heard(dict.fromkeys(promising, due_s))
        clock.advance(prospects.next_s() + late_s)
        now = clock.monotonic() - start
        assert all(now - at <= 0.25 + 0.25 + 0.2 for at in asked_at.values())
