"""The sample site's own record of who came when, and what it says about a crawler's manners."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, timed by the server's monotonic clock.

    `end_s` is taken just before the last bytes go out (or when the client was seen to be gone), so it is
    never later than the moment at which the client had the whole response: overlaps found here are real
    ones. `status` is 499 where the client left in the middle.
    """

    host: str
    path: str  # with its query
    start_s: float
    end_s: float
    status: int
    user_agent: str


def by_host(visits: Iterable[Visit]) -> dict[str, list[Visit]]:
    """The visits of each host in order of arrival."""
    hosts: defaultdict[str, list[Visit]] = defaultdict(list)
    for visit in sorted(visits, key=lambda visit: visit.start_s):
        hosts[visit.host].append(visit)
    return dict(hosts)


def most_at_once(visits: Iterable[Visit]) -> dict[str, int]:
    """For each host, how many requests were open at the same time at worst."""
    worst: dict[str, int] = {}
    for host, stays in by_host(visits).items():
        # At the same instant an end counts before a start: back to back is not an overlap.
        steps = sorted([(stay.start_s, 1) for stay in stays] + [(stay.end_s, -1) for stay in stays])
        open_now = peak = 0
        for _, step in steps:
            open_now += step
            peak = max(peak, open_now)
        worst[host] = peak
    return worst


def shortest_gap_s(visits: Iterable[Visit]) -> dict[str, float]:
    """For each host visited at least twice, the least time between two arrivals, in seconds."""
    return {
        host: min(later.start_s - earlier.start_s for earlier, later in pairwise(stays))
        for host, stays in by_host(visits).items()
        if len(stays) > 1
    }
