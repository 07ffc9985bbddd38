"""The ids that are remembered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.sinks.recent import RecentIds


@given(st.lists(st.integers(0, 30).map(str)), st.integers(1, 10))
def test_the_last_ids_are_known(ids: list[str], capacity: int) -> None:
    """Of different ids, as many as fit are known, those that were new last, and no others."""
    recent = RecentIds(capacity)
    order: list[str] = []
    for event_id in ids:
        if event_id not in order:
            order = [*order, event_id][-capacity:]
        recent.add([event_id])
    assert [event_id for event_id in map(str, range(31)) if event_id in recent] == sorted(order, key=int)
    assert len(recent) == len(order)
