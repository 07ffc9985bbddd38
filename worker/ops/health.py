"""Live and ready, as Kubernetes means them: start it anew, or do not count on it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.ops.fleet import Fleet
    from worker.ops.vitals import Vitals
    from worker.settings import Settings

#: Beyond the longest that one lease may take: its time in line for an extraction process and for Redis.
_GRACE_S = 30.0


def not_live(vitals: Vitals) -> list[str]:
    """Why a fresh process would do better, in sentences; none is good.

    Whoever gets an answer knows that the event loop turns. While Redis is away nothing is expected.
    """
    steady_s, draining = vitals.connection.steady_s, vitals.stopping.is_set()
    overdue = vitals.pulses.overdue(steady_s=steady_s, draining=draining)
    faults = [f"the {loop} has not turned for {silence_s:.0f} s" for loop, silence_s in overdue.items()]
    if vitals.parts and not draining:
        stalled_s = vitals.parts.in_work.stalled_s
        if min(stalled_s, steady_s) > longest_lease_s(vitals.settings):
            count = len(vitals.parts.in_work)
            faults.append(f"none of {count} URLs in work has ended for {stalled_s:.0f} s")
    return faults


async def not_ready(vitals: Vitals, fleet: Fleet) -> list[str]:
    """Why no work is to be expected of this worker now, in sentences; none is good."""
    if vitals.stopping.is_set():
        return ["the worker is stopping"]
    # A Redis that refuses writes answers our PING: the worker's own calls know better.
    if refusal := vitals.connection.trouble or await fleet.unanswered():
        return [refusal]
    return [] if vitals.parts else ["the worker has not begun yet"]


def longest_lease_s(settings: Settings) -> float:
    """What one lease can take when all goes as slowly as the settings allow, its page read twice."""
    return settings.total_timeout_s + 2 * settings.extract_timeout_s + settings.redis_timeout_s + _GRACE_S
