"""What a receiver's answer means for an event, and for all that wait behind it. Pure; the caller acts on it.

The statuses are read as Standard Webhooks 1.0.0 has them ("Delivery success and failure").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Another try of an event, and of a receiver that is away: the first one, and the longest.
EVENT_BACKOFF_S = (5.0, 3600.0)
RECEIVER_BACKOFF_S = (1.0, 300.0)
#: As the receiver asks by Retry-After, but for a day at most.
_LONGEST_S = 86_400.0
#: Of this event: its syntax, size, media type or content (RFC 9110, 15.5). What else is below 500, such as a
#: login that is asked for (401) or a route that a deployment forgot (404), is mended at the receiver.
_OF_EVENT = frozenset({400, 413, 415, 422})
#: Of those from 500 on: asks of all clients, and not of this request only.
_BUSY = frozenset({502, 503, 504})
_GONE = 410
_MAX_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended; `status` None is no answer at all."""

    status: int | None
    says: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try it again in `delay_s`; leave the receiver alone for `rest_s`."""

    delay_s: float
    rest_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver cannot take this event, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver wants no more events at all."""


Verdict = Delivered | Again | Refused | Gone


def judge(
    answer: Answer, *, attempts: int, failures_in_row: int, max_attempts: int, random: Callable[[], float]
) -> Verdict:
    """What follows. `attempts` of this event, and `failures_in_row` of all, had failed before this one.

    What is said of this event ends after `max_attempts`; all else, and silence, is tried for ever, more and
    more rarely. `random` gives numbers from 0 to 1.
    """
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Delivered()
    if status == _GONE:
        return Gone()
    asked_s = min(answer.retry_after_s or 0.0, _LONGEST_S)
    delay_s = max(asked_s, _backoff_s(attempts, EVENT_BACKOFF_S, random))
    if status in _OF_EVENT:
        return Refused() if attempts + 1 >= max_attempts else Again(delay_s, 0.0)
    if status is None or status < 500 or status in _BUSY:
        return Again(delay_s, max(asked_s, _backoff_s(failures_in_row, RECEIVER_BACKOFF_S, random)))
    return Again(delay_s, 0.0)


def _backoff_s(failures: int, bounds_s: tuple[float, float], random: Callable[[], float]) -> float:
    first_s, longest_s = bounds_s
    ceiling_s = min(longest_s, first_s * 2.0 ** min(failures, _MAX_DOUBLINGS))
    return ceiling_s * (0.5 + 0.5 * random())
