"""The one parse of a page, kept from the inputs on which parsers are quadratic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from worker.extract.text import squeeze

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

#: Longer pages are cut here: of the pages in the wild 99.9 % are far shorter, and all after it is scripts.
MAX_BYTES = 4_000_000
#: Pages of suspect depth are flattened below this. Blink keeps 512 levels, libxml2 256 and loses the rest.
MAX_DEPTH = 200
_SUSPECT_DEPTH = 5_000
_SUSPECT_TAG_CHARS = 32_768
_CHUNK = 32_768
_MAX_ATTRIBUTES = 500

_TAG = re.compile(rb"<(/?)([a-zA-Z][^\s/>]*)[^>]*>")
_ATTRIBUTE = rb"""[\s/]+[^\s/>=]+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"']++))?"""
_STUFFED_TAG = re.compile(rb"<[a-zA-Z][^\s/>]*+(?:%b){%d}+" % (_ATTRIBUTE, _MAX_ATTRIBUTES))
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
_SELF_CLOSING = ("p", "li", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6")
_SHALLOW = frozenset((*_VOID, *_SELF_CLOSING))


def bounded(page: bytes) -> tuple[bytes, tuple[str, ...]]:
    """`page`, in UTF-8, as far as it can be parsed in bounded time, and warnings for what was cut."""
    warnings = []
    if len(page) > MAX_BYTES:
        page = page[:MAX_BYTES].decode("utf-8", "ignore").encode()
        warnings.append("page_cut")
    if b"\0" in page:
        page = page.replace(b"\0", "\ufffd".encode())  # HTML standard, 13.2.5.1
    # Lexbor looks for duplicate attributes one by one (50,000 take four seconds).
    if (start := _stuffed_tag(page)) is not None:
        page = page[:start]
        warnings.append("attributes_cut")
    # Each <div> asks whether a <p> is open above it: 100,000 open ones take thirteen seconds.
    if _nests_deeply(page):
        page = _flattened(page)
        warnings.append("depth_cut")
    return page, tuple(warnings)


def parse(page: bytes) -> LexborHTMLParser:
    """Parse `page`, in UTF-8, which must have passed `bounded`."""
    return LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)


def node_text(node: LexborNode) -> str:
    """The visible text of `node` on one line."""
    return squeeze(node.text(separator=" "))


def attribute(node: LexborNode, name: str) -> str:
    """The attribute's value, or "" when it is absent or empty."""
    return node.attributes.get(name) or ""


def _stuffed_tag(page: bytes) -> int | None:
    """Where a tag of more than 500 attributes starts. Looks only at long stretches without any `<`."""
    position = page.find(b"<")
    while position != -1 and position + _SUSPECT_TAG_CHARS < len(page):
        last = page.rfind(b"<", position + 1, position + _SUSPECT_TAG_CHARS)
        if last == -1:
            if _STUFFED_TAG.match(page, position):
                return position
            last = page.find(b"<", position + 1)
        position = last
    return None


def _nests_deeply(page: bytes) -> bool:
    """Whether it may: a guess of the depth every 32 KB, in which void and unclosed elements count too."""
    if page.count(b"<") <= _SUSPECT_DEPTH:
        return False
    depth = 0
    for start in range(0, len(page), _CHUNK):
        end = start + _CHUNK
        depth += page.count(b"<", start, end) - 2 * page.count(b"</", start, end + 1)
        if depth > _SUSPECT_DEPTH:
            return True
    return False


def _flattened(page: bytes) -> bytes:
    """`page` without the tags that would open below MAX_DEPTH; blocks of text close each other and stay."""
    depth = 0

    def keep(tag: re.Match[bytes]) -> bytes:
        nonlocal depth
        if tag[2].lower().decode("ascii", "replace") in _SHALLOW:
            return tag[0]
        if tag[1]:
            depth, too_deep = max(0, depth - 1), depth > MAX_DEPTH
        else:
            depth, too_deep = depth + 1, depth >= MAX_DEPTH
        return b"" if too_deep else tag[0]

    return _TAG.sub(keep, page)
