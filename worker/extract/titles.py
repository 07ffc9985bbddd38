"""The title: of JSON-LD headline, og:title, h1 and <title> by agreement, without the site's name."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING
from urllib.parse import unquote

from worker.extract.addresses import host_of, path_of
from worker.extract.structured import Candidate
from worker.extract.text import fold, letters, squeeze, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from worker.extract.structured import Structured

#: How much each source's word counts. An h1 is what readers see; a <title> is written for search engines.
_WEIGHTS = {"h1": 1.1, "jsonld": 1.0, "meta": 1.0, "title": 0.6, "hint": 0.5}
_SEPARATOR = re.compile(
    r"\s+[-–—·•:»«/~]\s+|\s*[|｜ㅣ：]\s*|(?<=\W)-(?=\w)|(?<=[^\W\da-zA-Z])-(?=[^\W\da-zA-Z])"
)
_SEPARATING = frozenset("-–—·•:»«/~|｜ㅣ：")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_KICKER_END = re.compile(r":\s+|\s+[-–—|/]\s+")
_MIN_TAIL_CHARS = 25
_MAX_CHARS = 400
_SLUG_WEIGHT = 2.0
_TRANSLITERATED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "ø": "oe", "æ": "ae", "ı": "i"}
)


@dataclass(frozen=True, slots=True)
class Title:
    """The chosen title, where it came from, and what other good sources said instead."""

    text: str
    source: str
    agreeing: int  # how many sources say the same
    others: tuple[Candidate, ...] = ()


def choose_title(facts: Structured, *, url: str, names: set[str], hint: str | None = None) -> Title | None:
    """The title that most weight of sources agrees on; None when the page has none.

    `names` are the `known_names` of the site.

    Sources agree when their letters and digits do. One that is another plus a suffix after a separator
    (`Headline - The Site`) counts for the shorter.
    """
    sections = {letters(c.value) for c in facts.metas("article:section")} | {
        letters(c.value) for c in facts.jsonld("articleSection")
    }
    found = list(_candidates(facts, hint))
    stripped = {value: strip_site(value[:_MAX_CHARS], names, sections) for value in {c.value for c in found}}
    unnamed = {text for text in stripped.values() if text and letters(text) not in names}
    candidates = [Candidate(text, c.source) for c in found if (text := stripped[c.value]) in unnamed]
    candidates = _without_kickers(_shortened(candidates))
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if key := letters(candidate.value):
            groups.setdefault(key, []).append(candidate)
    if not groups:
        return None
    best, *rivals = groups.values()
    if rivals:
        slug = _slug_words(url)
        best = max(groups.values(), key=lambda group: _weight(group) + _SLUG_WEIGHT * _is_slug(group, slug))
    chosen = max(best, key=_spelling)
    others = tuple(
        c for c in candidates if c not in best and c.source in ("jsonld:headline", "meta:og:title", "h1")
    )
    return Title(chosen.value, chosen.source, len({c.source for c in best}), others)


def known_names(facts: Structured, url: str) -> set[str]:
    """The letters of the names by which the site may sign its titles."""
    host = host_of(url).removeprefix("www.")
    labels = host.split(".")
    names = facts.site_names() | {host, ".".join(labels[-2:])}
    names.update(label for label in labels[:-1] if len(label) > 2)
    return {letters(name) for name in names} - {""}


def signed_with(facts: Structured, title: str) -> set[str]:
    """The letters of what the page's <title> adds to `title`: as a rule, the site's name."""
    whole, own = letters(facts.title or ""), letters(title)
    return {whole.removeprefix(own).removesuffix(own)} - {"", whole}


def strip_site(title: str, names: set[str], sections: Collection[str] = ()) -> str:
    """`title` without leading or trailing segments that are one of `names` or a bare date.

    Where a site signed with its name, a section before the name goes too (`Headline - Politics | The Site`).
    """
    title = squeeze(title)
    if _SEPARATING.isdisjoint(title):
        return title
    signed = False
    while cut := _signature(title, names, sections, signed=signed):
        title, signed = cut, True
    first = _SEPARATOR.search(title)
    if first and letters(title[: first.start()]) in names:
        title = title[first.end() :].lstrip()
    return title


def _signature(title: str, names: set[str], sections: Collection[str], *, signed: bool) -> str | None:
    """`title` up to a separator after which only the site's name, a date or a section follows, or None."""
    for cut in _SEPARATOR.finditer(title):
        segment = title[cut.end() :]
        key = letters(segment)
        dated = key.isdecimal() and len(key) == 8  # `Headline - The Site - 28.04.2023`
        section = signed and (key in sections or _looks_like_section(segment, title[: cut.start()]))
        if cut.start() and (dated or section or key in names or key.removeprefix("the") in names):
            return title[: cut.start()].rstrip()
    return None


def _looks_like_section(segment: str, before: str) -> bool:
    return len(segment) <= 15 and len(segment.split()) <= 2 and segment[-1:].isalnum() and len(before) >= 25


def _candidates(facts: Structured, hint: str | None) -> Iterable[Candidate]:
    yield from list(facts.jsonld("headline"))[:1]
    yield from list(facts.metas("og:title"))[:1]
    yield from list(facts.metas("twitter:title", "dc.title"))[:1]
    yield from list(facts.microdata("headline"))[:1]
    yield from (Candidate(heading, "h1") for heading in facts.headings)
    if facts.title is not None:
        yield Candidate(facts.title, "title")
    if hint:
        yield Candidate(hint, "hint:title")


def _shortened(candidates: list[Candidate]) -> list[Candidate]:
    """Each candidate cut to another source's one that it begins with, if a separator follows there.

    Not one that structured data and two more sources write out in full: then the rest is of the headline.
    """
    said = Counter(candidate.value for candidate in candidates)
    full = {c.value for c in candidates if c.source == "jsonld:headline" and said[c.value] > 2}

    def shorten(candidate: Candidate) -> Candidate:
        if candidate.value in full:
            return candidate
        for other in candidates:
            rest = candidate.value.removeprefix(other.value)
            if rest != candidate.value and len(other.value) > 15 and _SEPARATOR.match(f" {rest} "):
                return Candidate(other.value, candidate.source)
        return candidate

    return [shorten(candidate) for candidate in candidates]


def _without_kickers(candidates: list[Candidate]) -> list[Candidate]:
    """Where two share a tail behind unrelated kickers (`Crisis: X`, `At sea - X`), the tail is the title."""
    leads: dict[str, set[frozenset[bytes]]] = {}
    for title in {candidate.value for candidate in candidates}:
        for end in _KICKER_END.finditer(title):
            lead, tail = title[: end.start()], title[end.end() :]
            if len(tail) >= _MIN_TAIL_CHARS and len(lead) < len(tail):
                leads.setdefault(tail, set()).add(frozenset(words(fold(lead))))
    shared = [
        tail for tail, kickers in leads.items() if any(a.isdisjoint(b) for a, b in combinations(kickers, 2))
    ]

    def cut(candidate: Candidate) -> Candidate:
        tails = [tail for tail in shared if candidate.value.endswith(tail)]
        return Candidate(max(tails, key=len), candidate.source) if tails else candidate

    return [cut(candidate) for candidate in candidates]


def _slug_words(url: str) -> set[bytes]:
    """The words of the URL's longest path segment, which many sites make from the title."""
    segment = max(unquote(path_of(url)).split("/"), key=len)
    return set(_ascii_words(segment.replace("-", " ").replace("_", " ")))


def _is_slug(group: list[Candidate], slug: set[bytes]) -> bool:
    """Whether nearly all of the title's words are in the slug; a kicker is often left out of it."""
    title = _ascii_words(group[0].value)
    return len(title) >= 5 and sum(word in slug for word in title) >= 0.85 * len(title)


def _ascii_words(text: str) -> list[bytes]:
    plain = fold(text).replace("'", "")
    if not plain.isascii():
        plain = plain.replace("’", "").translate(_TRANSLITERATED)
        plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", plain))
    return words(plain)


def _weight(group: list[Candidate]) -> float:
    by_kind: dict[str, float] = {}
    for candidate in group:
        kind = candidate.source.partition(":")[0]
        kind = "h1" if kind == "itemprop" else kind  # the same words twice, mostly
        weight = _WEIGHTS[kind] if candidate.source != "meta:twitter:title" else _WEIGHTS["title"]
        by_kind[kind] = max(weight, by_kind.get(kind, 0))
    return sum(by_kind.values())


def _spelling(candidate: Candidate) -> int:
    """Which spelling of one headline to show: where an h1 is made of parts, its spaces are a guess."""
    order = ("jsonld:headline", "meta:og:title", "h1", "title")
    return -order.index(candidate.source) if candidate.source in order else -len(order)
