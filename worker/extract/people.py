"""Who wrote it: people on one side, news agencies on the other; site names and addresses on neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from worker.extract import jsonld
from worker.extract.agencies import agency_named
from worker.extract.markup import attribute, node_text
from worker.extract.text import letters, unescape
from worker.model import Author

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from worker.extract.body import Body
    from worker.extract.structured import Structured
    from worker.model import Paragraph

_MAX_AUTHORS = 20
_MAX_NAME_CHARS = 60
_MAX_NAME_WORDS = 6
_AUTHOR_METAS = (
    *(
        "author",
        "article:author",
        "parsely-author",
        "sailthru.author",
        "dc.creator",
        "dcterms.creator",
        "byl",
    ),
    *("articleauthor", "cxenseparse:author"),
)
_PEOPLE_MARKUP = (
    "[rel~=author]",
    "[itemprop~=author]",
    "[class*=author-name i], [class*=authorname i], [class~=vcard i] [class~=fn i]",
    "[class~=author i] a, [class*=byline i] a",
    "a[href*='/author' i], a[href*='/autor' i], a[href*='/auteur' i]",
)
_BYLINES = ("[class~=byline i], [class*=byline i]", "[class~=author i], [class*=author i]")
_AGENCY_MARKUP = "[class~=agency i], [class~=news-agency i], [class~=agence i], [class~=agencia i]"
#: "By" in the languages that print it, and the words for text that stand in its place.
_BY = re.compile(
    r"^(?:by|von|vom|par|por|di|da|door|av|af|od|autor(?:e|in|a)?|author|text|tekst|texte|testo|写真|文|yazan|"
    r"written by|reported by|opinion by|story by|oleh|na|ng|από|автор|بقلم)(?:\s*[:：]\s*|\s+)",
    re.IGNORECASE,
)
_AUTHOR_LABEL = re.compile(
    r"(?:author|auteur|autora?|autore|autorin|autor/in|autorin/autor|auteure)s?(?:\s*[:：]\s*|\s+)(?=\S)",
    re.IGNORECASE,
)
_AND = re.compile(
    r"\s+(?:and|und|et|y|e|en|og|och|ve|i|a|&|＆|\+|with|mit|with reporting from)\s+"
    r"|\s*[;|•·、／]\s*|\s+/\s+|\s*,\s+",
    re.IGNORECASE,
)
_WRITTEN_BY = re.compile(r"(?:\b(?:by|von|par|por|da|door|av|af)|author|autor)$", re.IGNORECASE)
#: An address, or a domain: then the whole is an imprint ("news.example, Springfield, USA").
_ADDRESS = re.compile(r"https?:|www\.|^[\w-]{3,}\.[a-z]{2,4}\b")
_NOT_A_NAME = re.compile(r"@|(?<!\w)\d|\d{3}|[<>{}=\[\]]|\.(?:com|org|net|html)\b", re.IGNORECASE)
_AFFIX = re.compile(r"\s*\((?:[^)]*)\)\s*|\s+[-–—|]\s+.*$|記者$|기자$")


@dataclass(frozen=True, slots=True)
class People:
    """The authors with the place that named them, and the agency."""

    authors: tuple[Author, ...]
    source: str | None
    agency: str | None
    agency_source: str | None = None


@dataclass(frozen=True, slots=True)
class _Named:
    text: str
    source: str
    url: str | None = None


def find_people(
    tree: LexborHTMLParser, facts: Structured, *, url: str, site_names: set[str], hint: str | None = None
) -> People:
    """The authors by the first kind of source that names a person; the agency by the first that names one.

    `site_names` are the `letters` of names that are never people.
    """
    agency: tuple[str, str] | None = None
    authors: dict[str, Author] = {}
    source = None
    for group in _sources(tree, facts, hint):
        for named in group:
            for name in split_names(named.text):
                if found := agency_named(name):
                    agency = agency or (found, named.source)
                elif letters(name) not in site_names and letters(name) not in authors:
                    authors[letters(name)] = Author(name, _profile(named.url, url))
                    source = source or named.source
        if authors:
            break
    agency = agency or _marked_agency(tree)
    return People(tuple(authors.values())[:_MAX_AUTHORS], source, *(agency or (None, None)))


def _marked_agency(tree: LexborHTMLParser) -> tuple[str, str] | None:
    """The text of the one element whose class says that it names the agency, known to us or not."""
    texts = {text for text in _short_texts(tree, _AGENCY_MARKUP) if _may_be_name(text)}
    return (
        (agency_named(text) or text, "markup:agency") if len(texts) == 1 and (text := texts.pop()) else None
    )


def split_names(byline: str) -> list[str]:
    """The names in `byline`: "By A. Bell and C. Dahl, Reuters" holds three."""
    text = _BY.sub("", unescape(byline)[:400])
    if _ADDRESS.search(text):
        return []
    parts = [part for part in _AND.split(text) if part]
    # "Bell, Ann" and "Ann and Sons": single words on either side are parts of one name.
    single = len(parts) == 2 and all(len(part.split()) == 1 for part in parts)
    if single and not any(map(agency_named, parts)) and not re.search("[;|/]", text):
        parts = [" ".join(reversed(parts)) if "," in text else text]
    names = (_AFFIX.sub("", _BY.sub("", part)).strip(" .,:-–—\u3000") for part in parts)
    return [_cased(name) for name in names if _may_be_name(name)]


def _sources(tree: LexborHTMLParser, facts: Structured, hint: str | None) -> Iterator[Iterable[_Named]]:
    """Groups of named people, the most trusted first."""
    yield [
        _described(item) for key in ("author", "creator") for item in jsonld.things(facts.article.get(key))
    ]
    yield [_Named(candidate.value, candidate.source) for candidate in facts.metas(*_AUTHOR_METAS)]
    yield from _labelled(facts)
    scope = "article" if tree.css_first("article") is not None else "body"
    for selector in _PEOPLE_MARKUP:
        yield [
            _Named(node_text(node), "markup:author", attribute(node, "href") or None)
            for node in _together(tree.css(", ".join(f"{scope} {part}" for part in selector.split(", "))))
        ]
    for selector in _BYLINES:
        yield [_Named(text, "markup:byline") for text in _short_texts(tree, selector) if _BY.match(text)][:3]
    if hint:
        yield [_Named(hint, "hint:author")]


def _labelled(facts: Structured) -> Iterator[list[_Named]]:
    """Twitter's labelled data, of which WordPress makes `Written by` and the name."""
    for number in ("1", "2"):
        for label in facts.metas(f"twitter:label{number}"):
            if _WRITTEN_BY.search(label.value):
                yield [_Named(c.value, c.source) for c in facts.metas(f"twitter:data{number}")]


def _together(nodes: list[LexborNode]) -> Iterator[LexborNode]:
    """The first of `nodes` and its neighbours: names further away belong to other articles."""
    for node in nodes[:10]:
        if _ancestor(node) == _ancestor(nodes[0]):
            yield node


def _ancestor(node: LexborNode) -> int:
    for _ in range(3):
        node = node.parent or node
    return node.mem_id


def _short_texts(tree: LexborHTMLParser, selector: str) -> Iterator[str]:
    for node in tree.css(selector)[:20]:
        if 3 <= len(text := node_text(node)) <= 120:
            yield text


def _described(item: jsonld.Node | str) -> _Named:
    if isinstance(item, str):
        return _Named(item, "jsonld:author")
    urls = [value for key in ("url", "sameAs") for value in jsonld.strings(item.get(key))]
    return _Named(next(jsonld.strings(item.get("name")), ""), "jsonld:author", urls[0] if urls else None)


def _profile(href: str | None, base: str) -> str | None:
    if not href:
        return None
    try:
        absolute = urljoin(base, href)
    except ValueError:
        return None
    return absolute if absolute.startswith(("https://", "http://")) else None


def _may_be_name(name: str) -> bool:
    return (
        2 <= len(name) <= _MAX_NAME_CHARS
        and len(name.split()) <= _MAX_NAME_WORDS
        and not _NOT_A_NAME.search(name)
        and any(char.isalpha() for char in name)
    )


def _cased(name: str) -> str:
    """ANN BELL as Ann Bell; a single word in capitals may be initials and stays."""
    return name.title() if name.isupper() and len(name.split()) > 1 and len(name) > 5 else name


def agency_names(people: People) -> set[str]:
    """The `letters` of the agency's name, which is no person's."""
    return {letters(people.agency)} if people.agency else set()


def signature_of(body: Body, *, site_names: set[str]) -> tuple[tuple[Author, ...], Paragraph | None]:
    """The names that the lines beside the body, or its last one, consist of, and that one if it was it.

    A line above counts if it begins with `By` or the like; otherwise it must stand right beside the text,
    and be two to four capitalised words without punctuation, so that a short sentence never passes.
    """
    for line in body.above:
        if _BY.match(line):
            # "By A. Bell, in News, City, Sport": what follows a word in lower case are no names.
            named = takewhile(lambda name: not name[0].islower(), split_names(line))
            people = [name for name in named if not agency_named(name) and letters(name) not in site_names]
            if people:
                return tuple(map(Author, people))[:_MAX_AUTHORS], None
    for line in body.below:
        if (labelled := _AUTHOR_LABEL.match(line)) and (people := split_names(line[labelled.end() :])):
            return tuple(map(Author, people))[:_MAX_AUTHORS], None
    last = body.paragraphs[-1] if len(body.paragraphs) > 2 else None
    for line in (*body.above[-1:], *body.below[:1]):
        names = [_signed(part, site_names) for part in line.split("/")]
        if names and all(names):
            return tuple(Author(name) for name in names if name), None
    if last and last.kind == "paragraph" and (name := _signed(last.text, site_names)):
        return (Author(name),), last
    return (), None


def _signed(line: str, site_names: set[str]) -> str | None:
    parts = _BY.sub("", line).split()
    if not 2 <= len(parts) <= 4 or len(line) > 40 or letters(line) in site_names or agency_named(line):
        return None
    named = all(part[:1].isupper() and part.replace("-", "").isalpha() for part in parts)
    return _cased(" ".join(parts)) if named else None


def newsroom_of(facts: Structured, *, as_person: bool = False) -> tuple[Author, ...]:
    """What structured data names as the author of an article that no person has signed: the site itself.

    With `as_person` only where it is declared a person, as newsrooms with a profile of their own are.
    """
    for item in jsonld.things(facts.article.get("author")):
        if as_person and not (isinstance(item, dict) and "person" in jsonld.types(item)):
            continue
        name = _described(item).text
        if (
            2 <= len(name) <= _MAX_NAME_CHARS
            and "://" not in name
            and "@" not in name
            and not agency_named(name)
        ):
            return (Author(name),)
    return ()
