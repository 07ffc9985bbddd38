"""Wrong tokens at the ops port, told to the log: one line a minute, however often somebody tries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from worker.clock import Clock

_TOLD_EVERY_S = 60.0


class Refusals:
    """Counts them; what was given is never told, for it may be almost right."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._untold = 0
        self._next_s = -math.inf

    def note(self, address: str) -> None:
        """One more, from this address: that of the proxy, where there is one."""
        self._untold += 1
        now_s = self._clock.monotonic()
        if now_s >= self._next_s:
            get_logger().warning("ops_refused", address=address, count=self._untold)
            self._untold, self._next_s = 0, now_s + _TOLD_EVERY_S
