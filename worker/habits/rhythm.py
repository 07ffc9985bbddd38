"""How often articles of a source come, and when their absence says something.

Arrivals are no Poisson process: sites sleep at night and at weekends, and producers push feeds in bursts. So
a silence counts only once it is some times as long as the longest pause of the last one or two learning
times, and so long as well that a Poisson process of the learnt rate would be silent for it once in a million
times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.habits.sightings import Seen

#: Fewer articles tell no rhythm.
LEAST_ARTICLES = 20
#: In a row, before "no URL becomes an article any more" is worth a thought.
LEAST_FAILED = 10
_RARE = math.log(1e-6)
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as silence, from the settings."""

    factor: float  # in longest pauses
    after_ms: int  # at least
    learn_ms: int  # until a source is known


@dataclass(frozen=True, slots=True)
class Span:
    """What one learning time has shown."""

    length_ms: int = 0
    pause_ms: int = 0  # the longest one
    articles: int = 0
    unchanged: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The current learning time and the one before. Times are those of the fleet's watch, see `Sources`."""

    began_ms: int
    last_ms: int  # the last article
    failed: int = 0  # URLs that died since the last one that did not
    silent_ms: int = 0  # when silence was told; 0: it was not
    now: Span = Span()
    before: Span = Span()

    @property
    def articles(self) -> int:
        """In both spans."""
        return self.now.articles + self.before.articles

    @property
    def known_ms(self) -> int:
        """From the start of both spans to the last article."""
        return self.before.length_ms + max(self.last_ms - self.began_ms, 0)

    @property
    def per_hour(self) -> float:
        """The learnt rate of articles."""
        return self.articles * _HOUR_MS / max(self.known_ms, 1)

    @property
    def pause_ms(self) -> int:
        """The longest pause of both spans."""
        return max(self.now.pause_ms, self.before.pause_ms)

    def is_failing(self) -> bool:
        """Whether so many URLs in a row would not have died before."""
        dead = self.now.dead + self.before.dead - self.failed
        ended = dead + self.articles + self.now.unchanged + self.before.unchanged
        # By Laplace's rule of succession, lest a source without a dead letter seem unable to have one.
        return self.failed >= LEAST_FAILED and self.failed * math.log((dead + 1) / (ended + 2)) < _RARE

    def limit_ms(self, rules: Rules) -> int | None:
        """How long the source may be without an article; None: nobody can tell yet."""
        if self.articles < LEAST_ARTICLES or self.known_ms < rules.learn_ms:
            return None
        if self.is_failing():
            return max(rules.after_ms, self.pause_ms)
        chance_ms = -_RARE * self.known_ms / self.articles
        return int(max(rules.after_ms, rules.factor * self.pause_ms, chance_ms))

    def due_ms(self, rules: Rules) -> int | None:
        """When silence is to be told if no article comes before; None: not at all."""
        limit_ms = self.limit_ms(rules)
        return None if limit_ms is None or self.silent_ms else self.last_ms + limit_ms

    def heard(self, seen: Seen, now_ms: int, rules: Rules) -> Rhythm:
        """The rhythm with what was seen until now; articles end a silence."""
        rhythm = self._turned(now_ms, rules)
        now, last_ms, silent_ms = rhythm.now, rhythm.last_ms, rhythm.silent_ms
        if seen.articles:
            pause_ms = now_ms - last_ms
            if silent_ms:
                # What was told as silence is not to pass for a habit: it may have been an outage of weeks.
                pause_ms = min(pause_ms, silent_ms - last_ms)
            now = replace(
                now, articles=now.articles + len(seen.articles), pause_ms=max(now.pause_ms, pause_ms)
            )
            last_ms, silent_ms = now_ms, 0
        goes_on = not (seen.articles or seen.unchanged)
        return replace(
            rhythm,
            now=replace(now, unchanged=now.unchanged + seen.unchanged, dead=now.dead + seen.died),
            last_ms=last_ms,
            silent_ms=silent_ms,
            failed=seen.failed + (rhythm.failed if goes_on else 0),
        )

    def _turned(self, now_ms: int, rules: Rules) -> Rhythm:
        length_ms = now_ms - self.began_ms
        if length_ms < rules.learn_ms:
            return self
        return replace(self, began_ms=now_ms, now=Span(), before=replace(self.now, length_ms=length_ms))
