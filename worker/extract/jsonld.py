"""JSON-LD as news sites write it: in several blocks, in graphs, and often not quite JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import orjson

from worker.extract.text import letters, unescape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Node = dict[str, Any]

_MAX_NODES = 5_000
_OPENED = re.compile(r"<!--|(?://\s*|/\*\s*)?<!\[CDATA\[(?:\s*\*/)?")
_CLOSED = re.compile(r"(?:-->|(?://|/\*)?\s*\]\]>(?:\s*\*/)?)\s*;?$")
_MAX_CLOSING_CHARS = 60
_ADDRESSES = ("url", "@id", "mainEntityOfPage")
_NOT_PATH = re.compile(r"^[a-z]+://[^/?#]*|[?#].*", re.IGNORECASE | re.DOTALL)
_MIN_LISTED = 3  # pages describe a related article or two besides their own
#: What lies under these keys is other articles or parts of this one, not the article of the page.
_OTHERS = frozenset(
    {"liveBlogUpdate", "comment", "hasPart", "isPartOf", "itemListElement", "citation", "mentions"}
)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_SALVAGED = re.compile(
    r'"(headline|datePublished|dateModified|articleSection|inLanguage)"\s*:\s*"((?:[^"\\\n]|\\.){1,500})"'
)
_POSTING = frozenset(
    {"blogposting", "liveblogposting", "socialmediaposting", "report", "review", "criticreview"}
)


def read_blocks(blocks: Iterable[str]) -> tuple[list[Node], tuple[str, ...]]:
    """All nodes of all `blocks`, outer before inner; the warning `jsonld_broken` if one was unreadable."""
    nodes: list[Node] = []
    warnings: tuple[str, ...] = ()
    for block in blocks:
        value = _lenient(block)
        if value is None:
            warnings = ("jsonld_broken",)
            value = _salvage(block)
        nodes.extend(_breadth_first(value, _MAX_NODES - len(nodes)))
    return nodes, warnings


def types(node: Node) -> set[str]:
    """The node's types, lower-case and without a namespace."""
    return {name.rpartition("/")[2].rpartition(":")[2].casefold() for name in strings(node.get("@type"))}


def article_node(nodes: Iterable[tuple[Node, set[str]]], urls: set[str]) -> Node | None:
    """The node that describes the page: an article, rather of this URL, rather complete, rather the first."""
    known = {letters(url) for url in urls}

    def merit(node: Node) -> tuple[bool, int]:
        own = {letters(url) for key in _ADDRESSES for url in strings(node.get(key))}
        complete = sum(bool(node.get(key)) for key in ("headline", "datePublished", "author", "articleBody"))
        return not own.isdisjoint(known), complete

    articles = (node for node, own in nodes if any(map(_is_article, own)))
    return max(articles, key=merit, default=None)


def lists_others(nodes: Iterable[tuple[Node, set[str]]], urls: set[str]) -> bool:
    """Whether `nodes` describe several articles, each with a URL, and none at one of `urls`."""
    own = {_place(url) for url in urls}
    titles: set[str] = set()
    for node, kinds in nodes:
        if any(map(_is_article, kinds)):
            named = {_place(url) for key in _ADDRESSES for url in strings(node.get(key))}
            if not named or not own.isdisjoint(named):
                return False
            titles.update(strings(node.get("headline") or node.get("name")))
    return len(titles) >= _MIN_LISTED


def _place(url: str) -> str:
    """What tells `url` from others of its site: the letters and digits of its path."""
    return letters(_NOT_PATH.sub("", url))


def _is_article(kind: str) -> bool:
    """Whether `kind` is a schema.org Article or a kind of posting."""
    return kind.endswith("article") or kind in _POSTING


def strings(value: object) -> Iterator[str]:
    """Every string that `value` may stand for: itself, its items, or the name of the thing it describes."""
    if isinstance(value, str):
        if text := unescape(value):
            yield text
    elif isinstance(value, list):
        for item in value[:200]:
            if not isinstance(item, list):
                yield from strings(item)
    elif isinstance(value, dict):
        for key in ("name", "@value", "url", "@id"):
            if isinstance(value.get(key), str | list):
                yield from strings([item for item in _listed(value[key]) if isinstance(item, str)])
                return


def things(value: object) -> list[Node | str]:
    """`value` as a list of nodes and strings, whatever it was."""
    return [item for item in _listed(value)[:200] if isinstance(item, str | dict)]


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _lenient(block: str) -> Any:
    """The value of `block`, or None. Forgives comment wrappers, control characters and trailing commas."""
    text = block.strip()
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        text = _unwrapped(text)
    for attempt in (text, _TRAILING_COMMA.sub("", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _unwrapped(text: str) -> str:
    opened = _OPENED.match(text)
    text = text[opened.end() :] if opened else text
    end = text[-_MAX_CLOSING_CHARS:]
    closed = _CLOSED.search(end)
    return (text[: len(text) - len(end) + closed.start()] if closed else text).strip().rstrip(";")


def _salvage(block: str) -> Node:
    """The plain facts of a block that is no JSON, such as one with unescaped quotes in its description."""
    facts: Node = {}
    for found in _SALVAGED.finditer(block[:200_000]):
        facts.setdefault(found[1], found[2].replace('\\"', '"').replace("\\/", "/"))
    return facts | {"@type": "Article"} if {"headline", "datePublished"} <= facts.keys() else {}


def _breadth_first(value: Any, limit: int) -> Iterator[Node]:
    level = [value]
    while level and limit > 0:
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                if limit <= 0:
                    return
                limit -= 1
                yield item
                deeper.extend(
                    child
                    for key, child in item.items()
                    if isinstance(child, dict | list) and key not in _OTHERS
                )
            elif isinstance(item, list):
                deeper.extend(child for child in item if isinstance(child, dict | list))
        level = deeper
