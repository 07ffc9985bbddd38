"""Whether a text could be the full name of a person and nothing else."""

from __future__ import annotations

import re

_MARKS = str.maketrans("", "", ".-’'‐")
_PARTICLES = frozenset(("von", "van", "der", "den", "de", "del", "di", "da", "dos", "du", "la", "al", "bin"))
#: Words of roles, of captions and of what stands around an article, which no name holds.
_NEVER_IN_NAMES = re.compile(
    r"\b(?:\w*korrespondent(?:in)?|\w*redakteur(?:in)?|correspondent|reporter|journalist|editor|writer|"
    r"images?|photos?|fotos?|video|news|stories|articles?|artikel|more|mehr|read|related|latest|share|"
    r"comments?|follow|subscribe|advertisement|facebook|twitter|linkedin|instagram|whatsapp|telegram)\b",
    re.IGNORECASE,
)


def is_caseless(name: str) -> bool:
    """Whether `name` is in a script without capitals, where they tell nothing."""
    return name.lower() == name.upper()


def is_full_name(text: str) -> bool:
    """Whether `text` is two to four capitalised words, particles aside, none of which is out of place."""
    words = text.split()
    if len(text) > 40 or not 2 <= len(words) <= 5 or _NEVER_IN_NAMES.search(text):
        return False
    proper = [word for word in words if word.casefold() not in _PARTICLES or word[:1].isupper()]
    spelt = all(word[:1].isupper() and word.translate(_MARKS).isalpha() for word in proper)
    return 2 <= len(proper) <= 4 and spelt
