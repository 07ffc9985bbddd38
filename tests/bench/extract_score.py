"""How near what was read from a page is to what the page is known to say."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_GRAM = 4

# Scripts that put no spaces between words: Thai, kana, ideographs; and Hangul, spaced as each writer likes.
_UNSPACED = (
    "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0002fa1f"
)
_TOKEN = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+")
_QUOTES = re.compile("[\"'`´‘’‚‛“”„‟«»‹›]")
_GAPS = re.compile(r"[\s\u2010-\u2015-]+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Shares, 0 to 1: of what was found, how much is right; of what is right, how much was found."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def tokens(text: str) -> list[str]:
    """Words in lower case; in scripts without spaces each character is one."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def overlap(expected: str, found: str) -> Overlap:
    """Over runs of four tokens, each counted as often as it occurs; a shorter text is one run."""
    right, got = _grams(expected), _grams(found)
    shared = (right & got).total()
    return Overlap(
        precision=shared / got.total() if got else float(not right),
        recall=shared / right.total() if right else 1.0,
    )


def _grams(text: str) -> Counter[tuple[str, ...]]:
    found = tokens(text)
    runs = max(1, len(found) - _GRAM + 1) if found else 0
    return Counter(tuple(found[start : start + _GRAM]) for start in range(runs))


def fold(text: str) -> str:
    """`text` without what editors and templates change: case, quotes, and the kind of space or hyphen."""
    plain = unicodedata.normalize("NFKC", unescape(text)).casefold()
    return _GAPS.sub(" ", _QUOTES.sub("", plain)).strip()


def same_title(expected: str, found: str | None) -> bool:
    """Whether both are the same headline, folded."""
    return fold(expected) == fold(found or "")


def authors_f1(expected: Iterable[str], found: Iterable[str], agency: str | None) -> float:
    """F1 of the sets of folded names; an agency counts where the expected names hold it as an author."""
    right, got = {fold(name) for name in expected}, {fold(name) for name in found}
    if agency and fold(agency) in right:
        got.add(fold(agency))
    return 2 * len(right & got) / (len(right) + len(got)) if right or got else 1.0


def same_minute(expected: str, found: str | None) -> bool:
    """Whether both are one instant, to less than a minute."""
    there, here = instant(expected), instant(found)
    return there is not None and here is not None and abs(there - here) < timedelta(minutes=1)


def same_day(expected: str, found: str | None) -> bool:
    """Whether both are on one day, in UTC or as each is written."""
    there, here = instant(expected), instant(found)
    if there is None or here is None:
        return False
    return there.date() == here.date() or there.astimezone(UTC).date() == here.astimezone(UTC).date()


def instant(text: str | None) -> datetime | None:
    """An ISO 8601 date or time, in UTC where it names no offset; None for anything else."""
    try:
        when = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def share_of(stretches: Iterable[str], text: str) -> float | None:
    """The share of `stretches` that stand in `text`, spaces apart; None where there are none to look for."""
    line = " ".join(text.split())
    found = [" ".join(stretch.split()) in line for stretch in stretches]
    return sum(found) / len(found) if found else None
