"""A byline to the names in it: without `By`, and parted at what stands between two people."""

from __future__ import annotations

import re

from worker.extract.agencies import agency_named
from worker.extract.full_names import is_full_name
from worker.extract.text import unescape

MAX_NAME_CHARS = 60
_MAX_NAME_WORDS = 6
_MAX_BYLINE_CHARS = 400
#: "By" in the languages that print it, and the words for text that stand in its place.
_NEVER_NAMES = (
    "by|autor(?:e|in|a)?|author|text|tekst|texte|testo|written by|reported by|opinion by|story by|"
    "写真|文|από|автор|بقلم"
)
#: Those of them that people are called too: `Von Miller`, `Di Wu`, `Na Young Kim`.
_MAYBE_NAMES = "von|vom|par|por|door|av|af|od|oleh|yazan"
_OFTEN_NAMES = "di|da|na"
_BY = re.compile(
    rf"(?:(?:{_NEVER_NAMES})|(?P<maybe>{_MAYBE_NAMES})|(?P<often>{_OFTEN_NAMES}))(?:\s*(?P<colon>[:：])\s*|\s+)",
    re.IGNORECASE,
)
_AND = re.compile(
    r"\s+(?:and|und|et|en|og|och|ve|&|＆|\+|with|mit|with reporting from)\s+"
    r"|\s*[;|•·、／]\s*|\s+/\s+|\s*,\s+",
    re.IGNORECASE,
)
#: "And" in other languages, and what stands within a name: `José Ortega y Gasset`, `Mary A Smith`.
_ONE_LETTER_AND = re.compile(r"\s+[yeia]\s+")
_ONE_CAPITAL_AND = re.compile(r"\s+[YEIA]\s+")
#: An address, or a domain: then the whole is an imprint ("news.example, Springfield, USA").
_ADDRESS = re.compile(r"https?:|www\.|^[\w-]{3,}\.[a-z]{2,4}\b")
_NOT_A_NAME = re.compile(r"@|(?<!\w)\d|\d{3}|[<>{}=\[\]]|\.(?:com|org|net|html)\b", re.IGNORECASE)
_AFFIX = re.compile(r"\s*\((?:[^)]*)\)\s*|\s+[-–—|]\s+.*$|記者$|기자$")


def begins_with_by(line: str) -> bool:
    """Whether `line` begins with `By` in one of the languages that print it."""
    return _BY.match(line) is not None


def split_names(byline: str, *, stated: bool = False) -> list[str]:
    """The names in `byline`: "By A. Bell and C. Dahl, Reuters" holds three.

    `stated`: structured data says that it is somebody's name, as it is written but for a `By` too many.
    """
    text = without_by(unescape(byline)[:_MAX_BYLINE_CHARS], stated=stated)
    if _ADDRESS.search(text):
        return []
    parts = [part for whole in _AND.split(text) if whole for part in _at_one_letter(whole)]
    # "Bell, Ann" and "Ann and Sons": single words on either side are parts of one name.
    single = len(parts) == 2 and all(len(part.split()) == 1 for part in parts)
    if single and not any(map(agency_named, parts)) and not re.search("[;|/]", text):
        parts = [" ".join(reversed(parts)) if "," in text else text]
    named = (*parts[:1], *(without_by(part, stated=True) for part in parts[1:]))
    names = (_AFFIX.sub("", part).strip(" .,:-–—\u3000") for part in named)
    return [_cased(name) for name in names if may_be_name(name)]


def without_by(text: str, *, stated: bool = False) -> str:
    """`text` without the `By` that it begins with, unless that may be part of the name."""
    found = _BY.match(text)
    if found is None:
        return text
    rest = text[found.end() :]
    if found["colon"] or not (found["maybe"] or found["often"]):
        return rest
    first = _AFFIX.sub("", _AND.split(rest, maxsplit=1)[0])
    if stated:
        return rest if found["maybe"] and (is_full_name(first) or agency_named(first)) else text
    capitalised = found["often"] and text[:1].isupper() and not text[:2].isupper()
    return text if capitalised and len(first.split()) < 2 else rest


def _at_one_letter(text: str) -> list[str]:
    """`text` parted at an "and" of one letter, if whoever stands on either side has a full name."""
    parts = (_ONE_CAPITAL_AND if text.isupper() else _ONE_LETTER_AND).split(text)
    if len(parts) == 1:
        return parts
    return parts if all(is_full_name(part) or agency_named(part) for part in parts) else [text]


def may_be_name(name: str) -> bool:
    """Whether `name` is as short as a name, and free of what none has: digits, addresses, brackets."""
    return (
        2 <= len(name) <= MAX_NAME_CHARS
        and len(name.split()) <= _MAX_NAME_WORDS
        and not _NOT_A_NAME.search(name)
        and any(char.isalpha() for char in name)
    )


def _cased(name: str) -> str:
    """ANN BELL as Ann Bell; a single word in capitals may be initials and stays."""
    return name.title() if name.isupper() and len(name.split()) > 1 and len(name) > 5 else name
