"""Sources that write articles by chance, and how often the alarm would cry wolf."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from worker.habits.rhythm import Rhythm, Rules
from worker.habits.sightings import Seen

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
RULES = Rules(factor=3, after_ms=HOUR_MS, learn_ms=7 * DAY_MS)


def seen(articles: int = 0, *, dead: int = 0, unchanged: int = 0, found: int = 1023) -> Seen:
    """Articles first, then what was unchanged, then dead letters."""
    all_of_it = Seen()
    for number in range(articles):
        all_of_it.article(found, f"http://a.example/{number}")
    for _ in range(unchanged):
        all_of_it.same()
    for _ in range(dead):
        all_of_it.death("http_404")
    return all_of_it


def always(_: float) -> float:
    """The same by day and by night."""
    return 1.0


def by_day(at_ms: float) -> float:
    """Hardly anything at night."""
    return 1.0 if 6 <= at_ms / HOUR_MS % 24 < 22 else 0.02


def on_workdays(at_ms: float) -> float:
    """As `by_day`, and a tenth of it at weekends."""
    return by_day(at_ms) * (0.1 if int(at_ms / DAY_MS) % 7 >= 5 else 1.0)


def poisson(
    per_hour: float, days: int, intensity: Callable[[float], float], chance: random.Random
) -> Iterator[int]:
    """Instants in ms, by thinning."""
    at_ms = 0.0
    while at_ms < days * DAY_MS:
        at_ms += chance.expovariate(per_hour) * HOUR_MS
        if chance.random() < intensity(at_ms):
            yield int(at_ms)


def in_bursts(per_hour: float, days: int, chance: random.Random) -> Iterator[int]:
    """As a producer does that pushes a feed from time to time: ten articles or so within half a minute."""
    for start_ms in poisson(per_hour / 10, days, always, chance):
        yield from (start_ms + 2000 * number for number in range(chance.randint(5, 15)))


def heavy_tailed(per_hour: float, days: int, chance: random.Random) -> Iterator[int]:
    """Pauses of a log-normal distribution with sigma 1.5: most are short, and the longest are very long."""
    at_ms = 0.0
    while at_ms < days * DAY_MS:
        at_ms += chance.lognormvariate(-math.log(per_hour) - 1.5**2 / 2, 1.5) * HOUR_MS
        yield int(at_ms)


def alarms(instants: Iterable[int], rules: Rules = RULES) -> int:
    """How often silence is told of a source with articles at these instants."""
    rhythm, count = Rhythm(0, 0), 0
    for at_ms in instants:
        due_ms = rhythm.due_ms(rules)
        if due_ms is not None and due_ms < at_ms:
            count += 1
            rhythm = replace(rhythm, silent_ms=due_ms)
        rhythm = rhythm.heard(_ONE, at_ms, rules)
    return count


_ONE = seen(1)
