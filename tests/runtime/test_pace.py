"""The pace of looks into the inbox: at once for what comes alone, few looks for what comes in numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.clock import FakeClock
from worker.runtime.pace import Pace

looks = st.lists(st.tuples(st.integers(0, 99), st.booleans(), st.floats(0, 2)), max_size=60)


def test_item_that_comes_alone_is_followed_by_no_pause() -> None:
    """The next one is waited for at once, however often that happens."""
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(5):
        assert pace.after(1, quiet=False) == 0
        clock.advance(0.2)


def test_items_that_go_on_coming_are_gathered() -> None:
    """The pauses grow to 50 ms, and end with the first distance."""
    clock = FakeClock()
    pace = Pace(clock)
    pauses = [pace.after(1, quiet=False) for _ in range(7)]
    assert pauses == [0, 0.005, 0.01, 0.02, 0.04, 0.05, 0.05]
    clock.advance(1)
    assert pace.after(1, quiet=False) == 0


def test_looks_in_vain_grow_further_apart() -> None:
    """Up to half a second, until there is something; after a quiet wait there is no pause."""
    pace = Pace(FakeClock())
    pauses = [pace.after(0, quiet=False) for _ in range(8)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.05, 0.5)
    assert pace.after(0, quiet=True) == 0
    assert pace.after(0, quiet=False) == 0.5
    pace.after(1, quiet=False)
    assert pace.after(0, quiet=False) == 0.05


@given(looks)
def test_looks_are_bounded_whatever_comes(looks: list[tuple[int, bool, float]]) -> None:
    """In any second few looks find something, and few are in vain; no pause exceeds half a second."""
    clock = FakeClock()
    pace, found, vain = Pace(clock), list[float](), list[float]()
    for count, quiet, took_s in looks:
        clock.advance(took_s)
        pause_s = pace.after(count, quiet=quiet)
        assert 0 <= pause_s <= 0.5
        if count:
            found.append(clock.monotonic())
        elif not quiet:
            vain.append(clock.monotonic())
        clock.advance(pause_s)
    assert most_in_a_second(found) <= 50
    assert most_in_a_second(vain) <= 21


def most_in_a_second(times: list[float]) -> int:
    """The most of these that any second holds."""
    return max((sum(start <= other < start + 1 for other in times) for start in times), default=0)
