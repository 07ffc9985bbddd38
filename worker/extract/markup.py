"""The one parse of a page, kept from the inputs on which parsers are quadratic."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, SelectolaxError

from worker.errors import NotAnArticle
from worker.extract.text import squeeze

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

#: Longer pages are cut here: of the pages in the wild 99.9 % are far shorter, and all after it is scripts.
MAX_BYTES = 4_000_000
#: Pages of suspect depth are flattened below this. Blink keeps 512 levels, libxml2 256 and loses the rest.
MAX_DEPTH = 200
_SUSPECT_DEPTH = 5_000
_COUNTED_BYTES = 32_768
_SUSPECT_TAG_CHARS = 32_768
_MAX_ATTRIBUTES = 500

_TAG = re.compile(rb"<(/?)([a-zA-Z][^\s/>]*)[^>]*>")
_ATTRIBUTE = rb"""[\s/]+[^\s/>=]+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"']++))?"""
_STUFFED_TAG = re.compile(rb"<[a-zA-Z][^\s/>]*+(?:%b){%d}+" % (_ATTRIBUTE, _MAX_ATTRIBUTES))
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
_SELF_CLOSING = ("p", "li", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6")
_SHALLOW = frozenset(name.encode() for name in (*_VOID, *_SELF_CLOSING))
#: Each of these that is left open opens anew in every block after it (HTML standard, 13.2.4.3).
_FORMATTING = frozenset(
    (b"b", b"big", b"code", b"em", b"font", b"i", b"nobr", b"s", b"small", b"strike", b"strong", b"tt", b"u")
)
_MAX_FORMATTING = 3
_MAX_AGAIN = 1_000_000


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
    # Each <div> asks whether a <p> is open above it: 100,000 open ones take thirteen seconds. And what 1,600
    # open <b> with 1,600 <p> after them become takes a gigabyte.
    if _nests_deeply(page):
        page = _flattened(page)
        warnings.append("depth_cut")
    return page, tuple(warnings)


def parse(page: bytes) -> LexborHTMLParser:
    """Parse `page`, in UTF-8, which must have passed `bounded`. Raises NotAnArticle when memory runs out."""
    try:
        return LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)
    except SelectolaxError as exc:
        raise NotAnArticle("no_body", "the parser ran out of memory") from exc


def tag_ids(*tags: str) -> frozenset[int]:
    """The parser's numbers of `tags`, which are told apart in half the time of their names."""
    create = LexborHTMLParser("").create_node
    return frozenset(create(tag).tag_id for tag in tags)


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
    """Whether more elements are ever open at once than parsers can take, or too many open again and again."""
    # Not `count`, which takes half as long again.
    unclosed = len(page) - len(page.replace(b"<", b""))
    # As far as need be: a count of pairs takes seven times as long.
    for start in range(0, len(page), _COUNTED_BYTES):
        if unclosed <= _SUSPECT_DEPTH:
            return False
        unclosed -= page.count(b"</", start, start + _COUNTED_BYTES + 1)
    if unclosed <= _SUSPECT_DEPTH:
        return False
    stack, again = _OpenElements(), 0
    for tag in _TAG.finditer(page):
        stack.meet(tag)
        again += stack.formatting
        if stack.depth > _SUSPECT_DEPTH or again > _MAX_AGAIN:
            return True
    return False


class _OpenElements:
    """The names of the elements that are open, nearly as the HTML standard has it (13.2.4.2)."""

    def __init__(self) -> None:
        self._names: list[bytes] = []
        self._open: Counter[bytes] = Counter()
        self.formatting = 0

    @property
    def depth(self) -> int:
        return len(self._names)

    def meet(self, tag: re.Match[bytes]) -> bool:
        """Open or close what `tag` does. False for an end tag of what is not open, which does nothing."""
        name = tag[2].lower()
        if name in _SHALLOW:
            return True
        if not tag[1]:
            self._names.append(name)
            self._open[name] += 1
            self.formatting += name in _FORMATTING
            return True
        if not self._open[name]:
            return False
        while True:
            last = self._names.pop()
            self._open[last] -= 1
            # Those that end with an element around them open again in the next one.
            self.formatting -= last in _FORMATTING and last == name
            if last == name:
                return True


def _flattened(page: bytes) -> bytes:
    """`page` without the tags that would open below MAX_DEPTH; blocks of text close each other and stay."""
    stack = _OpenElements()
    dropped: Counter[bytes] = Counter()

    def keep(tag: re.Match[bytes]) -> bytes:
        name = tag[2].lower()
        if name in _SHALLOW:
            return tag[0]
        if tag[1] and dropped[name]:
            dropped[name] -= 1
            return b""
        too_many = stack.depth >= MAX_DEPTH or (name in _FORMATTING and stack.formatting >= _MAX_FORMATTING)
        if not tag[1] and too_many:
            dropped[name] += 1
            return b""
        return tag[0] if stack.meet(tag) else b""

    return _TAG.sub(keep, page)
