"""How long the admitter leaves the inbox alone between two looks: being woken must cost no more than polling.

A worker that waits for an item is woken by it, and so are all the others that wait. Of those, one has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.clock import Clock

#: Items that come one by one at shorter distances than this are gathered.
_APART_S = 0.1
_SHORTEST_GATHERING_S = 0.005
_LONGEST_GATHERING_S = 0.05
_SHORTEST_VAIN_S = 0.05
_LONGEST_VAIN_S = 0.5


class Pace:
    """Of one worker.

    An item that comes alone is followed by no pause. While items go on coming, the pauses grow: few calls
    take many. Looks in vain, because another worker was faster or nothing may be taken, grow further apart,
    too: of a large fleet that waits, few are woken by each item.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gathering_s = 0.0
        self._vain_s = 0.0
        self._came_at = float("-inf")

    def after(self, count: int, *, quiet: bool) -> float:
        """Seconds to pause after a look that found `count` items; `quiet`: it followed a wait for nothing."""
        if not count:
            if quiet:
                return 0.0
            self._vain_s = min(max(self._vain_s * 1.5, _SHORTEST_VAIN_S), _LONGEST_VAIN_S)
            return self._vain_s
        self._vain_s = 0.0
        now = self._clock.monotonic()
        came_at, self._came_at = self._came_at, now
        self._gathering_s = (
            0.0
            if now - came_at >= _APART_S
            else min(max(self._gathering_s * 2, _SHORTEST_GATHERING_S), _LONGEST_GATHERING_S)
        )
        return self._gathering_s
