"""Who wrote it: people on one side, news agencies on the other; site names and addresses on neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from worker.extract import jsonld
from worker.extract.agencies import agency_named
from worker.extract.bylines import MAX_NAME_CHARS, begins_with_by, may_be_name, split_names, without_by
from worker.extract.full_names import is_caseless, is_full_name
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
_MAX_MARKED = 200
_MAX_TOGETHER = 10
_AUTHOR_METAS = (
    *("author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator"),
    *("byl", "articleauthor", "cxenseparse:author"),
)
#: Elements that name people, the most trusted first: by a standard, by their class, by where they lead.
_BY_STANDARD = ("[rel~=author]", "[itemprop~=author]")
_CARDS = "[class~=vcard i] [class~=fn i]"
_BY_CLASS = f"[class*=author-name i], [class*=authorname i], {_CARDS}"
_AROUND_LINKS = "[class~=author i], [class*=byline i]"  # `[class~=author i] a` asks each link for all around
_TO_PROFILES = "a[href*='/author' i], a[href*='/autor' i], a[href*='/auteur' i]"
_BYLINES = ("[class*=byline i]", "[class*=author i]")
_AGENCY_CLASSES = frozenset(("agency", "news-agency", "agence", "agencia"))
_AUTHOR_LABEL = re.compile(
    r"(?:author|auteur|autora?|autore|autorin|autor/in|autorin/autor|auteure)s?(?:\s*[:：]\s*|\s+)(?=\S)",
    re.IGNORECASE,
)
_WRITTEN_BY = re.compile(r"(?:\b(?:by|von|par|por|da|door|av|af)|author|autor)$", re.IGNORECASE)
#: Accounts of a CMS and labels of its templates; as names they are nobody's.
_NOBODY = frozenset({"admin", "administrator", "webmaster", "author", "autor", "auteur", "by"})


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
    stated: bool = False  # as the name of somebody, not as a line with names


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
            for name in split_names(named.text, stated=named.stated):
                key = letters(name)
                if found := agency_named(name):
                    agency = agency or (found, named.source)
                elif key not in site_names | _NOBODY and key not in authors:
                    authors[key] = Author(name, _profile(named.url, url))
                    source = source or named.source
        if authors:
            break
    if source in ("markup:author", "markup:byline"):
        authors = _without_roles(authors)
    if agency is None and (source is None or not source.startswith(("jsonld", "meta"))):
        agency = _marked_agency(tree)
    return People(tuple(authors.values())[:_MAX_AUTHORS], source, *(agency or (None, None)))


def _without_roles(authors: dict[str, Author]) -> dict[str, Author]:
    """`authors` without those that are another of them with more words behind: `Ann Bell Reporter`."""
    names = [author.name for author in authors.values()]
    return {
        key: author
        for key, author in authors.items()
        if not any(author.name.startswith(f"{name} ") for name in names)
    }


def _marked_agency(tree: LexborHTMLParser) -> tuple[str, str] | None:
    """The text of the one element whose class says that it names the agency, known to us or not."""
    # One pattern, and a look at the classes, as a list of patterns takes twice the time.
    marked = [
        node
        for node in tree.css("[class*=agenc i]")[:_MAX_MARKED]
        if not _AGENCY_CLASSES.isdisjoint(attribute(node, "class").casefold().split())
    ]
    texts = {text for text in _short_texts(marked[:20]) if may_be_name(text)}
    return (
        (agency_named(text) or text, "markup:agency") if len(texts) == 1 and (text := texts.pop()) else None
    )


def _sources(tree: LexborHTMLParser, facts: Structured, hint: str | None) -> Iterator[Iterable[_Named]]:
    """Groups of named people, the most trusted first."""
    yield [
        _described(item) for key in ("author", "creator") for item in jsonld.things(facts.article.get(key))
    ]
    yield [_Named(candidate.value, candidate.source) for candidate in facts.metas(*_AUTHOR_METAS)]
    yield from _labelled(facts)
    scope = tree.css_first("article") or tree
    yield from (_marked(scope.css(selector)) for selector in _BY_STANDARD)
    # On most pages no class says so, which one query tells instead of four.
    classed = tree.css_first(", ".join(_BYLINES)) is not None
    yield _marked(scope.css(_BY_CLASS if classed else _CARDS))
    if classed:
        # Not all: of boxes in boxes each holds the links of all in it.
        links = (link for node in scope.css(_AROUND_LINKS) for link in node.css("a"))
        yield _marked(list(islice(links, _MAX_TOGETHER)))
    yield _marked(scope.css(_TO_PROFILES))
    bare: list[_Named] = []
    for selector in _BYLINES if classed else ():
        nodes = tree.css(selector)[:20]
        yield [_Named(text, "markup:byline") for text in _short_texts(nodes) if begins_with_by(text)][:3]
        names = (text for text in _short_texts(nodes, whole=True) if is_full_name(text))
        bare.extend(_Named(name, "markup:byline") for name in names)
    yield bare[:1]
    if hint:
        yield [_Named(hint, "hint:author")]


def _marked(nodes: list[LexborNode]) -> list[_Named]:
    return [
        _Named(node_text(node), "markup:author", attribute(node, "href") or None) for node in _together(nodes)
    ]


def _labelled(facts: Structured) -> Iterator[list[_Named]]:
    """Twitter's labelled data, of which WordPress makes `Written by` and the name."""
    for number in ("1", "2"):
        for label in facts.metas(f"twitter:label{number}"):
            if _WRITTEN_BY.search(label.value):
                yield [_Named(c.value, c.source) for c in facts.metas(f"twitter:data{number}")]


def _together(nodes: list[LexborNode]) -> Iterator[LexborNode]:
    """The first of `nodes` and its neighbours: names further away belong to other articles."""
    for node in nodes[:_MAX_TOGETHER]:
        if _ancestor(node) == _ancestor(nodes[0]):
            yield node


def _ancestor(node: LexborNode) -> int:
    for _ in range(3):
        node = node.parent or node
    return node.mem_id


def _short_texts(nodes: list[LexborNode], *, whole: bool = False) -> Iterator[str]:
    """The short texts of `nodes`; with `whole` none in pieces: two links in a box would read as a name."""
    for node in nodes:
        pieces = node.text(separator="\n", strip=True) if whole else ""
        if "\n" not in pieces and 3 <= len(text := node_text(node)) <= 120:
            yield text


def _described(item: jsonld.Node | str) -> _Named:
    if isinstance(item, str):
        return _Named(item, "jsonld:author")
    urls = [value for key in ("url", "sameAs") for value in jsonld.strings(item.get(key))]
    name = next(jsonld.strings(item.get("name")), "")
    return _Named(name, "jsonld:author", urls[0] if urls else None, stated=True)


def _profile(href: str | None, base: str) -> str | None:
    if not href:
        return None
    try:
        absolute = urljoin(base, href)
    except ValueError:
        return None
    return absolute if absolute.startswith(("https://", "http://")) else None


def agency_names(people: People) -> set[str]:
    """The `letters` of the agency's name, which is no person's."""
    return {letters(people.agency)} if people.agency else set()


def signature_of(
    body: Body, *, site_names: set[str], tree: LexborHTMLParser | None = None
) -> tuple[tuple[Author, ...], Paragraph | None]:
    """The names that the lines beside the body, or its last one, consist of, and that one if it was it.

    A line counts that begins with `By` or `Author`; another must stand right beside the text and be full
    names alone. Below the text only a <p> of `tree` does: what follows there is links and headings mostly.
    `site_names` are the `letters` of what nobody is called, such as the title.
    """

    def signed(line: str) -> tuple[Author, ...]:
        return tuple(map(Author, _full_names(line, site_names)))[:_MAX_AUTHORS]

    labelled = [line for line in body.above if begins_with_by(line)]
    labelled += [_AUTHOR_LABEL.sub("", line, count=1) for line in body.below if _AUTHOR_LABEL.match(line)]
    beside = [line for line in body.above[-1:] if _is_signature(line)]
    if tree is not None and body.below and _is_signature(body.below[0]):
        beside += [text for text in map(node_text, tree.css("p")) if text == body.below[0]][:1]
    found = next((authors for line in (*labelled, *beside) if (authors := signed(line))), ())
    last = body.paragraphs[-1] if len(body.paragraphs) > 2 else None
    if found or last is None or last.kind != "paragraph" or not _is_signature(last.text):
        return found, None
    authors = signed(last.text)
    return authors, last if authors else None


def _is_signature(line: str) -> bool:
    return len(line) <= 60 and all(is_full_name(without_by(part)) for part in line.split("/"))


def _full_names(line: str, site_names: set[str]) -> list[str]:
    """The names that `line` begins with: in "By A. Bell, News Reporter, in City" the first alone."""
    if letters(line) in site_names:
        return []
    parts = [part for whole in line.split("/") for part in split_names(whole)]
    named = list(takewhile(lambda name: is_full_name(name) or is_caseless(name) or agency_named(name), parts))
    if not named and parts and parts[0].isupper() and parts[0].isalpha():
        named = parts[:1]  # "By ABC": initials
    return [name for name in named if not agency_named(name) and letters(name) not in site_names]


def newsroom_of(facts: Structured, *, as_person: bool = False) -> tuple[Author, ...]:
    """What structured data names as the author of an article that no person has signed: the site itself.

    With `as_person` only where it is declared a person, as newsrooms with a profile of their own are.
    """
    for item in jsonld.things(facts.article.get("author")):
        if as_person and not (isinstance(item, dict) and "person" in jsonld.types(item)):
            continue
        name = unescape(_described(item).text)
        fits = 2 <= len(name) <= MAX_NAME_CHARS and not re.search(r"://|[@<>{}=]|\d{3}", name)
        if fits and letters(name) not in _NOBODY and not agency_named(name):
            return (Author(name),)
    return ()
