"""What becomes of a failed try: another one after a delay, or burial. Pure; the caller acts on it.

match decide(reason=failed.reason, attempt=task.attempt, retry_after_s=failed.retry_after_s, …):
    case Again(delay_s, reason): …
    case Bury(reason): …
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.model import Signal
from worker.outcomes import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.errors import FetchFailed

#: The longest Retry-After that is waited for. Coming back sooner than asked would be rude, and a URL that
#: waits for longer is lost to sight: it is buried, and its dead letter says how to try it again.
RETRY_AFTER_LIMIT_S = 86_400.0
#: The least share of a backoff that the jitter leaves, so that no retry follows at once.
JITTER_FLOOR = 0.1
_MAX_DOUBLINGS = 62


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a URL is tried; `max_attempts` counts all tries, the first one too."""

    max_attempts: int
    base_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class Again:
    """Try again in `delay_s` seconds."""

    delay_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Bury:
    """Try no more."""

    reason: str


def decide(
    *,
    reason: str,
    attempt: int,
    retry_after_s: float | None,
    policy: RetryPolicy,
    random: Callable[[], float],
) -> Again | Bury:
    """What to do once a try failed for `reason`, `attempt` tries having failed before it.

    The delay is drawn from below an exponential backoff; what the server asks for by Retry-After (RFC 9110,
    10.2.3), `retry_after_s`, is the least that it can be, also beyond `policy.max_s`. `random` gives numbers
    from 0 to 1. Raises KeyError for a reason outside `worker.outcomes`.
    """
    row = outcome(reason)
    asked_s = retry_after_s or 0.0
    delay_s = max(_backoff_s(attempt, policy, random), min(asked_s, RETRY_AFTER_LIMIT_S))
    if row.again and attempt + 1 < policy.max_attempts and not asked_s > RETRY_AFTER_LIMIT_S:
        return Again(delay_s, reason)
    return Bury(reason)


def _backoff_s(attempt: int, policy: RetryPolicy, random: Callable[[], float]) -> float:
    """Exponential backoff with full jitter, which spreads a crowd best (AWS Architecture Blog, 2015)."""
    ceiling_s = min(policy.max_s, policy.base_s * 2.0 ** min(attempt, _MAX_DOUBLINGS))
    return ceiling_s * (JITTER_FLOOR + (1 - JITTER_FLOOR) * random())


def signal_of(failure: FetchFailed, took_s: float) -> Signal:
    """What a failed request says about its host; `took_s` unless the failure knows better."""
    row = outcome(failure.reason)
    took_s = took_s if failure.took_s is None else failure.took_s
    # How fast a server refuses a page says nothing about how fast it makes one.
    latency_s = took_s if row.sign in {"failed", "throttled"} else 0.0
    hold_s = min(failure.retry_after_s or 0.0, RETRY_AFTER_LIMIT_S) if row.hold_host else 0.0
    return Signal(row.sign, latency_s, hold_s, failure.reason)
