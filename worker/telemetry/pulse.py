"""The pulses of a worker's loops: when each last turned, so that one that hangs is seen from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.clock import Clock

Beat = Callable[[], None]

#: What a turn may take beyond its pauses: calls of Redis that are slow, a batch of other tasks before ours.
_GRACE_S = 30.0


def unheard() -> None:
    """The beat of a loop that nobody watches."""


@dataclass(slots=True)
class _Pulse:
    every_s: float
    in_drain: bool
    beaten_at: float


class Pulses:
    """`overdue` names the loops that have not turned for far longer than they ever pause."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pulses: dict[str, _Pulse] = {}

    def of(self, loop: str, *, every_s: float, in_drain: bool = False) -> Beat:
        """The beat of a loop that pauses for `every_s` at most, and goes on `in_drain` or not."""
        pulse = self._pulses[loop] = _Pulse(every_s, in_drain, self._clock.monotonic())

        def beat() -> None:
            pulse.beaten_at = self._clock.monotonic()

        return beat

    def silence_s(self) -> dict[str, float]:
        """Seconds since each loop last turned."""
        now = self._clock.monotonic()
        return {loop: now - pulse.beaten_at for loop, pulse in self._pulses.items()}

    def overdue(self, *, steady_s: float, draining: bool) -> dict[str, float]:
        """Loops that should have turned, and for how many seconds they have not.

        `steady_s` is how long Redis has been there: while it is away loops wait for it, as they should.
        """
        return {
            loop: silence_s
            for loop, silence_s in self.silence_s().items()
            if (pulse := self._pulses[loop]).in_drain or not draining
            if min(silence_s, steady_s) > 3 * pulse.every_s + _GRACE_S
        }
