"""The keys of the events that were written last."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Far more than a consumer group can have pending for one reader: only those can come again.
CAPACITY = 100_000


class RecentIds:
    """A set that forgets its oldest members over `capacity`."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._order: deque[str] = deque()
        self._ids: set[str] = set()

    def __contains__(self, event_id: object) -> bool:
        return event_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Iterable[str]) -> None:
        """Remember these, in their order."""
        for event_id in ids:
            if event_id in self._ids:
                continue
            self._ids.add(event_id)
            self._order.append(event_id)
            if len(self._order) > self.capacity:
                self._ids.discard(self._order.popleft())
