"""Which partitions a claim should ask: those in which something may be due, and not all of them each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.clock import Clock

#: How late what other workers admit, or the hosts that they give back, may be noticed.
_LONGEST_S = 0.25
_SHORTEST_S = 0.001


class Prospects:
    """Of one worker. What it does itself it knows of at once; what Redis says is due, when it is."""

    def __init__(self, partitions: int, clock: Clock) -> None:
        self._clock = clock
        self._ask_at = dict.fromkeys(range(partitions), float("-inf"))
        self._expected: set[int] = set()
        self._turn = 0

    def expect(self, partition: int) -> None:
        """Something was admitted there, or a host given back: it is asked next."""
        self._expected.add(partition)

    def promising(self) -> list[int]:
        """The partitions to ask now; each of them is the first in its turn."""
        # What is expected from here on, while they are being asked, their answers may not have in them yet.
        self._ask_at |= dict.fromkeys(self._expected, float("-inf"))
        self._expected.clear()
        now, first, count = self._clock.monotonic(), self._turn, len(self._ask_at)
        self._turn = (first + 1) % count
        order = ((first + step) % count for step in range(count))
        return [partition for partition in order if self._ask_at[partition] <= now]

    def heard(self, dues_s: Mapping[int, float | None]) -> None:
        """What those that were asked said is due there, in seconds; None: nothing waits."""
        now = self._clock.monotonic()
        for partition, due_s in dues_s.items():
            self._ask_at[partition] = now + min(_LONGEST_S if due_s is None else due_s, _LONGEST_S)

    def next_s(self) -> float:
        """Seconds until one should be asked again, if nothing is expected before."""
        left_s = 0.0 if self._expected else min(self._ask_at.values()) - self._clock.monotonic()
        return min(max(left_s, _SHORTEST_S), _LONGEST_S)
