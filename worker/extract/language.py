"""The language and the direction of a text, from what the page declares, checked against its script."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.extract.structured import Candidate
    from worker.model import Direction

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


def choose_language(candidates: Iterable[Candidate], script: str | None) -> tuple[str | None, str | None]:
    """The first declared language that the text's `script` allows, and its source; or what that implies.

    Templates declare English on pages of every language, which the script betrays at least half of the time.
    """
    implied = _ONE_LANGUAGE.get(script or "")
    for candidate in candidates:
        tag = normalised(candidate.value)
        primary = (tag or "").partition("-")[0]
        if tag and (primary == implied if implied else script == "latin" or primary not in _LATIN_LANGUAGES):
            return tag, candidate.source
    return (implied, "script") if implied else (None, None)


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
