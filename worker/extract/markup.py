"""The one parse of a page, kept from the inputs on which parsers are quadratic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from worker.extract.text import squeeze

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

#: Longer pages are cut here: of the pages in the wild 99.9 % are far shorter, and all after it is scripts.
MAX_CHARS = 4_000_000
#: Pages of suspect depth are flattened below this. Blink keeps 512 levels, libxml2 256 and loses the rest.
MAX_DEPTH = 200
_SUSPECT_DEPTH = 5_000
_SUSPECT_TAG_CHARS = 32_768
_CHUNK = 32_768
_MAX_ATTRIBUTES = 500

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)[^>]*>")
_ATTRIBUTE = r"""[\s/]+[^\s/>=]+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"']++))?"""
_STUFFED_TAG = re.compile(rf"<[a-zA-Z][^\s/>]*+(?:{_ATTRIBUTE}){{{_MAX_ATTRIBUTES}}}+")
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
_SELF_CLOSING = ("p", "li", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6")
_SHALLOW = frozenset((*_VOID, *_SELF_CLOSING))


def bounded(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` as far as it can be parsed in bounded time, and warnings for what was cut."""
    warnings = []
    if len(text) > MAX_CHARS:
        text = text[:MAX_CHARS]
        warnings.append("page_cut")
    if "\0" in text:
        text = text.replace("\0", "\ufffd")  # HTML standard, 13.2.5.1; libxml2 would end the page here
    # Lexbor looks for duplicate attributes one by one (50,000 take four seconds).
    if (start := _stuffed_tag(text)) is not None:
        text = text[:start]
        warnings.append("attributes_cut")
    # Each <div> asks whether a <p> is open above it: 100,000 open ones take thirteen seconds.
    if _nests_deeply(text):
        text = _flattened(text)
        warnings.append("depth_cut")
    return text, tuple(warnings)


def parse(text: str) -> LexborHTMLParser:
    """Parse `text`, which must have passed `bounded`."""
    return LexborHTMLParser(text)


def node_text(node: LexborNode) -> str:
    """The visible text of `node` on one line."""
    return squeeze(node.text(separator=" "))


def attribute(node: LexborNode, name: str) -> str:
    """The attribute's value, or "" when it is absent or empty."""
    return node.attributes.get(name) or ""


def _stuffed_tag(text: str) -> int | None:
    """Where a tag of more than 500 attributes starts. Looks only at long stretches without any `<`."""
    position = text.find("<")
    while position != -1 and position + _SUSPECT_TAG_CHARS < len(text):
        last = text.rfind("<", position + 1, position + _SUSPECT_TAG_CHARS)
        if last == -1:
            if _STUFFED_TAG.match(text, position):
                return position
            last = text.find("<", position + 1)
        position = last
    return None


def _nests_deeply(text: str) -> bool:
    """Whether it may: a guess of the depth every 32 KB, in which void and unclosed elements count too."""
    if text.count("<") <= _SUSPECT_DEPTH:
        return False
    depth = 0
    for start in range(0, len(text), _CHUNK):
        end = start + _CHUNK
        depth += text.count("<", start, end) - 2 * text.count("</", start, end + 1)
        if depth > _SUSPECT_DEPTH:
            return True
    return False


def _flattened(text: str) -> str:
    """`text` without the tags that would open below MAX_DEPTH; blocks of text close each other and stay."""
    depth = 0

    def keep(tag: re.Match[str]) -> str:
        nonlocal depth
        if tag[2].lower() in _SHALLOW:
            return tag[0]
        if tag[1]:
            depth, too_deep = max(0, depth - 1), depth > MAX_DEPTH
        else:
            depth, too_deep = depth + 1, depth >= MAX_DEPTH
        return "" if too_deep else tag[0]

    return _TAG.sub(keep, text)
