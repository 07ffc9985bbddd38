"""What a run does, as a pure function of its seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from tests.chaos.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.origin import Origin

#: One URL in so many of a fault's own pages.
_PAGES_EACH = 2
_KINDS = ("a", "a", "a", "slow", "a", "flaky", "a", "moved", "a", "gone", "edited", "tagged")
#: How much of the work is done when a fault strikes: a third of them strike as the fleet starts.
_DONE = (0.0, 0.1, 0.25, 0.4, 0.6, 0.0)
_VISITED_AGAIN = ("a", "edited", "tagged")


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault's name, and when it strikes: so many seconds after the first worker is up, or later: not before
    so many URLs have ended. How far the work has come by then says more than seconds on a busy machine.
    """

    fault: str
    at_s: float
    ends: int = 0

    def says(self) -> str:
        """As in `kill@0.4`, or `kill@1.2/60` where 60 URLs must have ended."""
        return f"{self.fault}@{self.at_s:.1f}" + (f"/{self.ends}" if self.ends else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """The same seed strikes with the same faults at the same moments, as far as the machine keeps time."""

    seed: int = 1
    urls: int = 150
    hosts: int = 20
    workers: int = 2
    strikes: tuple[Strike, ...] = ()
    recrawl: bool = False
    feed_s: float = 2.0  # how long the producer takes
    spacing_s: float = 0.08
    lease_s: float = 1.5
    patience_s: float = 60.0
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of the faults that strike, each once."""
        return tuple(dict.fromkeys(strike.fault for strike in self.strikes))

    @property
    def appendfsync(self) -> str:
        """How redis-server must sync its append-only file for these faults."""
        return "everysec" if any(FAULTS[name].appendfsync == "everysec" for name in self.faults) else "always"

    def says(self) -> str:
        """The strikes in a line, as in `kill@0.4 stop@1.2`."""
        return " ".join(strike.says() for strike in self.strikes) or "nothing"


def draw(seed: int, *, only: Sequence[str] = (), urls: int = 150, hosts: int = 20) -> Plan:
    """The plan of a seed: one fault alone, or up to four together; with `only`, these."""
    rng = random.Random(seed)
    names = list(only) or _drawn(rng)
    feed_s, late = 2.0, random.Random(f"{seed} late")
    strikes = [
        Strike(name, round(rng.uniform(0.2, feed_s), 2), int(urls * late.choice(_DONE)))
        for name in names
        for _ in range(rng.randint(1, FAULTS[name].most))
    ]
    return Plan(
        seed=seed,
        urls=urls,
        hosts=hosts,
        workers=rng.choice((2, 2, 3)),
        strikes=tuple(sorted(strikes, key=lambda strike: strike.at_s)),
        recrawl=rng.random() < 0.5,
        feed_s=feed_s,
    )


def _drawn(rng: random.Random) -> list[str]:
    first = rng.choice(list(FAULTS))
    if FAULTS[first].alone or rng.random() < 0.3:
        return [first]
    others = [name for name, fault in FAULTS.items() if name != first and not fault.alone]
    chosen = [first, *rng.sample(others, rng.randint(1, 3))]
    # What is not synced is lost with its server.
    unsynced = any(FAULTS[name].appendfsync != "always" for name in chosen)
    return [name for name in chosen if not (unsynced and name == "redis_restart")]


def kinds_of(plan: Plan) -> list[str]:
    """The kind of each URL, by its number."""
    rng = random.Random(plan.seed)
    kinds = [rng.choice(_KINDS) for _ in range(plan.urls)]
    for name in plan.faults:
        for kind in FAULTS[name].pages:
            for number in rng.sample(range(plan.urls // 2), _PAGES_EACH):
                kinds[number] = kind
    return kinds


def items_of(plan: Plan, origin: Origin) -> list[bytes]:
    """What the producer pushes: each URL once, and, in a run with recrawls, a third of them once more."""
    rng, items = random.Random(plan.seed), list[bytes]()
    visited: list[str] = []
    for number, kind in enumerate(kinds_of(plan)):
        url = f"http://{origin.hosts[number % plan.hosts]}:{origin.port}/{kind}/{number}"
        items.append(url.encode())
        if kind in _VISITED_AGAIN:
            visited.append(url)
        if plan.recrawl and visited and rng.random() < 0.33:
            items.append(orjson.dumps({"url": visited.pop(rng.randrange(len(visited))), "force": True}))
    return items
