"""How many articles of a source have each field, and when one that was there goes missing.

The last articles are compared with those before them: lost is a field that so few of the last ones have as
they would by chance once in ten million times, were all drawn alike (beta-binomial, so that what was learnt
of few articles counts for less), and fewer than half of what was usual.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from worker.habits.sightings import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The last articles, and those before them: older ones count for less with each new one.
RECENT, LEARNT = 20, 200
_LEAST_LEARNT = 30
_RARE = 1e-7
_HALF = 0.5
_NEWEST = (1 << RECENT) - 1


@dataclass(frozen=True, slots=True)
class Share:
    """One field."""

    found: float = 0.0  # in how many of the learnt articles
    recent: int = 0  # a bit for each of the last articles, the newest one lowest
    lost: float = 0.0  # the usual share when its loss was told; 0: it is not lost


_NONE = Share()


@dataclass(frozen=True, slots=True)
class Turn:
    """A field that went missing, or came back. Shares are of 1."""

    field: str
    lost: bool
    learnt: float
    recent: float
    url: str | None  # the article that settled it
    again: bool = False  # told before


@dataclass(frozen=True, slots=True)
class Shares:
    """All fields of a source."""

    recent: int = 0  # articles, up to RECENT
    learnt: int = 0  # articles before them, up to LEARNT
    fields: Mapping[str, Share] = field(default_factory=dict)

    def with_article(self, found: int, url: str) -> tuple[Shares, list[Turn]]:
        """The shares with one article more, see `found_in`, and what that tells."""
        full = self.recent == RECENT
        learnt = min(self.learnt + full, LEARNT)
        fade = 1 - 1 / LEARNT if self.learnt == LEARNT else 1.0
        fields, turns = {}, []
        for bit, name in enumerate(FIELDS):
            last = self.fields.get(name, _NONE)
            leaving = last.found * fade + (last.recent >> (RECENT - 1)) if full else 0.0
            share = Share(leaving, (last.recent << 1 | found >> bit & 1) & _NEWEST, last.lost)
            if full and learnt >= _LEAST_LEARNT:
                share, turn = _judged(share, learnt, name, url)
                turns += turn
            fields[name] = share
        return Shares(min(self.recent + 1, RECENT), learnt, fields), turns

    def lost(self) -> list[Turn]:
        """Fields that are lost, to be told again."""
        return [
            Turn(name, True, share.lost, share.recent.bit_count() / RECENT, None, again=True)
            for name, share in self.fields.items()
            if share.lost
        ]


def _judged(share: Share, learnt: int, name: str, url: str) -> tuple[Share, list[Turn]]:
    recent, usual = share.recent.bit_count(), share.found / learnt
    if not share.lost:
        if recent > _HALF * usual * RECENT or _chance(recent, round(share.found, 1), learnt) > _RARE:
            return share, []
        return replace(share, lost=usual), [Turn(name, True, usual, recent / RECENT, url)]
    if recent > _HALF * share.lost * RECENT:
        return replace(share, lost=0.0), [Turn(name, False, share.lost, recent / RECENT, url)]
    # Without it for so long that this is what is usual now: nothing is missed any more, nor has it come back.
    return (replace(share, lost=0.0) if usual < _HALF * share.lost else share), []


@lru_cache(4096)
def _chance(recent: int, found: float, learnt: int) -> float:
    """That at most `recent` of the last articles have a field that `found` of the `learnt` ones had."""
    yes, no = found + 1, learnt - found + 1
    return sum(
        math.comb(RECENT, k) * math.exp(_log_beta(k + yes, RECENT - k + no) - _log_beta(yes, no))
        for k in range(recent + 1)
    )


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
