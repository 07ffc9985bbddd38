"""When to look at a feed again. Pure; the feeder acts on it.

After each look that found something new the pause is shortened, after each one that did not it is lengthened,
so that it settles where about every second look finds something. It stays within the user's bounds; within
them, the feed's own word and the server's make it longer, never shorter. Only Retry-After goes beyond them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: 1.5 up and 0.6 down: the pause stands still where 44 % of looks find something.
_LONGER, _SHORTER = 1.5, 0.6
#: A look that finds many new entries came far too late.
_SHORTEST_STEP = 0.25
_MANY = 10
#: A look is late by up to so much of the pause, so that feeds added at once do not stay in step.
_JITTER = 0.1
_MAX_DOUBLINGS = 30
#: As for a page; a feed whose server asks for longer is asked after a day all the same.
RETRY_AFTER_LIMIT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """The shortest and the longest pause, in seconds."""

    min_s: float
    max_s: float

    def clip(self, seconds: float) -> float:
        """`seconds` within the bounds; the upper one wins."""
        return min(max(seconds, self.min_s), self.max_s)


@dataclass(frozen=True, slots=True)
class Plan:
    """The pause that was learnt, and in how many seconds to look next."""

    interval_s: float
    due_s: float


def after_look(
    interval_s: float, new: int, bounds: Bounds, *, asked_s: float | None, random: Callable[[], float]
) -> Plan:
    """What follows from a look that worked and found `new` entries.

    `interval_s` is the pause before it, `asked_s` the longest that feed or server asks for (ttl,
    sy:updatePeriod, Cache-Control). `random` gives numbers from 0 to 1.
    """
    if new:
        factor = max(_SHORTEST_STEP, _SHORTER - (_SHORTER - _SHORTEST_STEP) * min(new - 1, _MANY) / _MANY)
    else:
        factor = _LONGER
    learnt_s = bounds.clip(interval_s * factor)
    return Plan(learnt_s, _late(bounds.clip(max(learnt_s, asked_s or 0.0)), random))


def after_failure(
    interval_s: float,
    failures: int,
    bounds: Bounds,
    *,
    retry_after_s: float | None,
    random: Callable[[], float],
) -> Plan:
    """What follows from the `failures`-th look in a row that failed: the pause doubles with each."""
    backoff_s = bounds.clip(bounds.clip(interval_s) * 2.0 ** min(failures, _MAX_DOUBLINGS))
    asked_s = min(retry_after_s or 0.0, RETRY_AFTER_LIMIT_S)
    return Plan(interval_s, max(_late(backoff_s, random), asked_s))


def _late(seconds: float, random: Callable[[], float]) -> float:
    return seconds * (1 + _JITTER * random())
