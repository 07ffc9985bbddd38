"""The language and the direction of a text: what the page declares, checked against the text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.extract.stop_words import sounds_like, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.extract.structured import Candidate
    from worker.model import Direction

DISAGREEMENT = "language_disagreement"

_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?(?:-.*)?", re.IGNORECASE)
#: Codes in use that mean another one: deprecated by ISO 639, or a country's code in a language's place.
_RENAMED = {"iw": "he", "in": "id", "ji": "yi", "jp": "ja", "cz": "cs", "gr": "el", "dk": "da", "ua": "uk"}
#: Scripts in which only one language of the press is written.
_ONE_LANGUAGE = {
    "hangul": "ko",
    "kana": "ja",
    "hebrew": "he",
    "thai": "th",
    "greek": "el",
    "georgian": "ka",
    "armenian": "hy",
}
#: Scripts of many languages that part words.
_TOLD_BY_WORDS = frozenset(("latin", "cyrillic", "arabic"))
_SCRIPTS = (
    ("latin", "A-Za-z\u00c0-\u024f\u1e00-\u1eff"),
    ("cyrillic", "\u0400-\u052f"),
    ("arabic", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff"),
    ("hebrew", "\u0590-\u05ff"),
    ("kana", "\u3040-\u30ff"),
    ("hangul", "\uac00-\ud7af"),
    ("han", "\u3400-\u9fff"),
    ("thai", "\u0e00-\u0e7f"),
    ("greek", "\u0370-\u03ff"),
    ("georgian", "\u10a0-\u10ff"),
    ("armenian", "\u0530-\u058f"),
    ("indic", "\u0900-\u0dff"),
)
_COUNTERS = [(name, re.compile(f"[{chars}]")) for name, chars in _SCRIPTS]
_LATIN_LANGUAGES = frozenset(
    re.findall(
        r"\w+",
        "en de fr es it pt nl tr pl cs sk sl hr ro hu sv no nb nn da fi is et lv lt ga ca "
        "eu gl id ms vi sw zu xh ",
    )
)
_SAMPLE_CHARS = 1_000


def normalised(tag: str) -> str | None:
    """`tag` as BCP 47 writes it (RFC 5646, section 2.1.1): `de_at` is `de-AT`; None for what is no tag."""
    found = _TAG.fullmatch(tag.strip().replace("_", "-"))
    if not found or found[1].casefold() in ("und", "mul", "zxx"):
        return None
    language = found[1].casefold()
    parts = [_RENAMED.get(language, language), (found[2] or "").title(), (found[3] or "").upper()]
    return "-".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Language:
    """The language chosen, a BCP 47 tag; where it came from; whether the page declared another one first."""

    tag: str | None
    source: str | None
    disagrees: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to tell the reader of it."""
        return (DISAGREEMENT,) if self.disagrees else ()


def choose_language(candidates: Iterable[Candidate], text: str, script: str | None) -> Language:
    """The first declared language that `text` and its `script` allow, or what they imply.

    Templates declare English on pages of every language, which the script betrays at least half of the time,
    and the commonest words nearly always.
    """
    declared = ((tag, c.source) for c in candidates if (tag := normalised(c.value)))
    implied = _ONE_LANGUAGE.get(script or "")
    fitting = (named for named in declared if _fits(_primary(named[0]), script, implied))
    first = next(declared, None)
    refused = first is not None and not _fits(_primary(first[0]), script, implied)
    if first is None or refused:
        first = next(fitting, None)
    if script not in _TOLD_BY_WORDS:
        return Language(*(first or (implied, "script" if implied else None)), refused)
    if first and sounds_like(_primary(first[0]), text):
        return Language(*first, refused)
    counts = spoken(text)
    said = (counts.language, "text" if counts.language else None)
    if first is None:
        return Language(*said, refused)
    if not counts.contradicts(_primary(first[0])):
        return Language(*first, refused)
    better = (named for named in fitting if _primary(named[0]) == counts.language)
    return Language(*next(better, said if counts.language else first), disagrees=True)


def _fits(primary: str, script: str | None, implied: str | None) -> bool:
    return primary == implied if implied else script == "latin" or primary not in _LATIN_LANGUAGES


def _primary(tag: str) -> str:
    return tag.partition("-")[0]


def direction_of(declared: str | None, script: str | None) -> Direction:
    """The declared direction, unless the text's `script` runs the other way."""
    runs = "rtl" if script in ("arabic", "hebrew") else "ltr"
    return "rtl" if runs == "rtl" or (declared == "rtl" and script is None) else "ltr"


def script_of(text: str) -> str | None:
    """The script that most letters of the beginning of `text` are in; Japanese counts as kana."""
    sample = text[:_SAMPLE_CHARS]
    if sample.isascii():
        return "latin" if any(map(str.isalpha, sample)) else None
    # Of other scripts every letter takes two bytes or more.
    if len(sample.encode()) < 1.25 * len(sample) and any(map(str.isalpha, sample)):
        return "latin"
    counts = Counter({name: len(pattern.findall(sample)) for name, pattern in _COUNTERS})
    if counts["kana"] * 8 > counts["han"] + counts["kana"] > counts["latin"]:
        return "kana"
    name, count = counts.most_common(1)[0]
    return name if count else None
