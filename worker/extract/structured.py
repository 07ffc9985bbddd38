"""What a page says about itself to machines, read once: JSON-LD, meta elements, microdata, links."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from worker.extract import jsonld
from worker.extract.markup import attribute, node_text, tag_ids
from worker.extract.text import squeeze, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from worker.extract.jsonld import Node

_MAX_NODES = 4_000
_MAX_BLOCKS = 50
_MAX_STEPS = 20
_MAX_HEADINGS = 6
_MAX_WORDED, _MAX_WORDED_CHARS = 50, 1_000
(_SCRIPT,), (_H1,), (_META,) = map(tag_ids, ("script", "h1", "meta"))
#: Properties whose value is the element's text, where no attribute holds it.
_WORDED = frozenset(("headline", "name", "articleSection", "alternativeHeadline"))


class Candidate(NamedTuple):
    """A value that a page offers for a field, and the name of the place where it does."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Structured:
    """The structured data of one page."""

    nodes: list[tuple[Node, set[str]]] = field(default_factory=list)  # JSON-LD, each with its types
    article: Node = field(default_factory=dict)  # the JSON-LD node of the article; empty without one
    meta: dict[str, list[str]] = field(default_factory=dict)  # lower-case name or property → values
    itemprops: dict[str, list[str]] = field(default_factory=dict)  # microdata: property → values
    trail: list[tuple[str, str]] = field(default_factory=list)  # microdata breadcrumbs: name, reference or ""
    title: str | None = None  # <title>
    headings: Sequence[str] = ()  # the texts of the first <h1>
    written: str | None = None  # the body of the article as JSON-LD holds it, a line for each of its lines
    canonical: str | None = None  # as written
    language: str | None = None  # <html lang>
    direction: str | None = None  # <html dir> or <body dir>
    warnings: tuple[str, ...] = ()

    def jsonld(self, *keys: str) -> Iterator[Candidate]:
        """The strings of the article node under `keys`."""
        for key in keys:
            for value in jsonld.strings(self.article.get(key)):
                yield Candidate(value, f"jsonld:{key}")

    def metas(self, *names: str) -> Iterator[Candidate]:
        """The contents of the meta elements called `names`, in that order."""
        for name in names:
            for value in self.meta.get(name, ()):
                yield Candidate(value, f"meta:{name}")

    def microdata(self, *names: str) -> Iterator[Candidate]:
        """The values of elements with itemprop `names`."""
        for name in names:
            for value in self.itemprops.get(name, ()):
                yield Candidate(value, f"itemprop:{name}")

    def of_type(self, *types: str) -> Iterator[Node]:
        """The JSON-LD nodes that are of one of `types`, in lower case."""
        return (node for node, own in self.nodes if not own.isdisjoint(types))

    def descriptions(self) -> list[Candidate]:
        """What the meta elements say of the page in a sentence or two, the most used one first."""
        return list(self.metas("og:description", "description", "twitter:description"))

    def summaries(self) -> list[str]:
        """Those, and what JSON-LD says."""
        return [candidate.value for candidate in (*self.jsonld("description"), *self.descriptions())]

    def site_names(self) -> set[str]:
        """What the site calls itself, as far as it says so."""
        names = {
            candidate.value for candidate in self.metas("og:site_name", "application-name", "twitter:site")
        }
        names.update(candidate.value for candidate in self.jsonld("publisher"))
        for node in self.of_type("website", "newsmediaorganization"):
            names.update(jsonld.strings(node.get("name")))
        return {name.removeprefix("@") for name in names if len(name) <= 60}

    def claims_article(self) -> bool:
        """Whether meta elements say that the page is an article, rather than a front or a form."""
        kinds = {candidate.value.casefold() for candidate in self.metas("og:type")}
        published = any(True for _ in self.metas("article:published_time"))
        return "article" in kinds or published

    def describes_article(self, url: str) -> bool:
        """Whether JSON-LD describes the page at `url` as an article, rather than others, as on a front."""
        own = {url, self.canonical or "", *(candidate.value for candidate in self.metas("og:url"))} - {""}
        return bool(self.article) and not jsonld.lists_others(self.nodes, own)


def read_structured(tree: LexborHTMLParser, *, url: str) -> Structured:
    """Read everything that `Structured` holds from `tree`, the parse of the page at `url`."""
    meta: dict[str, list[str]] = {}
    itemprops: dict[str, list[str]] = {}
    trail: list[tuple[str, str]] = []
    blocks: list[str] = []
    headings: list[str] = []
    # One query: each goes over the whole tree.
    for node in tree.css("meta[content], [itemprop], script[type*='ld+json' i], h1")[:_MAX_NODES]:
        tag = node.tag_id
        if tag == _SCRIPT:
            blocks.append(node.text())
            continue
        if tag == _H1 and len(headings) < _MAX_HEADINGS and (text := node_text(node)):
            headings.append(text)
        attributes = node.attributes
        if tag == _META:
            _gather_meta(attributes, meta)
        if itemprop := attributes.get("itemprop"):
            _gather_itemprop(node, attributes, itemprops)
            if itemprop == "itemListElement" and len(trail) < _MAX_STEPS and _is_step(node):
                link = node.css_first("a[href]")
                trail.append((node_text(link or node), attribute(link or node, "href")))
    title = tree.head.css_first("title") if tree.head is not None else None
    link = tree.css_first("link[rel~=canonical i]")
    canonical = attribute(link, "href") if link is not None else ""
    nodes, warnings = jsonld.read_blocks(blocks[:_MAX_BLOCKS])
    urls = {url, canonical, *meta.get("og:url", ())} - {""}
    typed = [(node, jsonld.types(node)) for node in nodes]
    article = _resolved(jsonld.article_node(typed, urls) or {}, nodes)
    return Structured(
        nodes=typed,
        article=article,
        meta=meta,
        itemprops=itemprops,
        trail=trail,
        title=node_text(title) if title is not None else None,
        headings=headings,
        written=_written(article),
        canonical=squeeze(canonical) or None,
        language=_root_attribute(tree, "lang") or _root_attribute(tree, "xml:lang"),
        direction=_root_attribute(tree, "dir"),
        warnings=warnings,
    )


def _is_step(node: LexborNode) -> bool:
    return node.parent is not None and attribute(node.parent, "itemtype").endswith("BreadcrumbList")


def _written(article: Node) -> str | None:
    value = next((item for item in jsonld.things(article.get("articleBody")) if isinstance(item, str)), "")
    return "\n".join(line for part in html.unescape(value).split("\n") if (line := squeeze(part))) or None


def _gather_meta(attributes: dict[str, str | None], meta: dict[str, list[str]]) -> None:
    names = f"{attributes.get('property') or ''} {attributes.get('name') or ''}".casefold().split()
    if not names and (attributes.get("http-equiv") or "").casefold() == "content-language":
        names = ["content-language"]
    if names and (value := unescape(attributes.get("content") or "")):
        for name in names:
            values = meta.setdefault(name, [])
            if value not in values:
                values.append(value)


def _gather_itemprop(
    node: LexborNode, attributes: dict[str, str | None], itemprops: dict[str, list[str]]
) -> None:
    names = (attributes.get("itemprop") or "").split()
    value = attributes.get("content") or attributes.get("datetime") or ""
    # One such element may hold the next, and each then the text of all.
    if not value and not _WORDED.isdisjoint(names) and len(itemprops.get(names[0], ())) < _MAX_WORDED:
        value = node_text(node)[:_MAX_WORDED_CHARS]
    if value := unescape(value):
        for name in names:
            itemprops.setdefault(name, []).append(value)


def _root_attribute(tree: LexborHTMLParser, name: str) -> str | None:
    for node in (tree.root, tree.body):
        if node is not None and (value := squeeze(attribute(node, name))):
            return value
    return None


def _resolved(article: Node, nodes: list[Node]) -> Node:
    """`article` with its references to other nodes of the graph (`{"@id": …}`) replaced by those nodes."""
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    return {
        key: [_followed(item, by_id) for item in value[:200]]
        if isinstance(value, list)
        else _followed(value, by_id)
        for key, value in article.items()
    }


def _followed(value: object, by_id: Mapping[str, Node]) -> object:
    # No function within the one above: one that calls itself is a cycle, and holds the page's data for long.
    if isinstance(value, dict) and value.keys() == {"@id"} and isinstance(value["@id"], str):
        return by_id.get(value["@id"], value)
    return value
