"""A page's tree as blocks of text: the one walk over it, from which the body is chosen.

A block is the text between two block-level boundaries, as a reader sees it: inline markup does not part it,
two line breaks do. Each block knows the element that holds it; elements know their parents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from worker.extract.text import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

_MAX_BLOCKS = 20_000
_MAX_ELEMENTS = 100_000
_MAX_NAME_CHARS = 500


def _ids(*tags: str) -> frozenset[int]:
    """The parser's numbers of `tags`, which are told apart in half the time of their names."""
    create = LexborHTMLParser("").create_node
    return frozenset(create(tag).tag_id for tag in tags)


#: What stands in a line of text, or in none, and has no text of the page.
_UNSEEN = _ids(
    *("script", "style", "noscript", "template", "svg", "math", "canvas", "map", "select", "textarea"),
    *("input", "button", "progress", "head", "meta", "link", "picture", "source", "track"),
)
#: No text of the page is in these.
_SKIPPED = _UNSEEN | _ids("iframe", "video", "audio", "object", "dialog", "nav", "footer", "menu")
_SKIPPED_CUSTOM = frozenset(("amp-ad", "amp-img"))  # a document numbers custom elements itself
_INLINE = _ids(
    *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em"),
    *("font", "i", "img", "ins", "kbd", "label", "mark", "nobr", "q", "rp", "rt", "ruby", "s"),
    *("samp", "small"),
    *("span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
)
(_A,), (_BR,), (_SPAN,) = _ids("a"), _ids("br"), _ids("span")
_TEXT, _COMMENT = 2, 4  # LXB_TAG__TEXT, LXB_TAG__EM_COMMENT
_IN_LINE = _INLINE | _UNSEEN | {_COMMENT}
_ALOUD = re.compile(
    r"(?:^|\s)(?:sr-only|screen-?reader(?:-text)?|[uv]?-?visually-?hidden)(?:$|\s)", re.IGNORECASE
)
_DIALOGS = ("dialog", "alertdialog")  # WAI-ARIA 1.2, 5.4: windows before the page, such as a consent form
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")


@dataclass(slots=True)
class Block:
    """One run of text."""

    text: str
    holder: int  # the element around it
    link_chars: int


@dataclass(slots=True)
class Blocks:
    """All text of a page in reading order, and the block-level elements on the way to it.

    Elements are numbers, outer ones before inner ones, the body first; what is known of one stands in
    columns, as an object for each of hundreds takes longer than the rest of the walk.
    """

    blocks: list[Block] = field(default_factory=list)
    parents: list[int] = field(default_factory=lambda: [-1])
    tags: list[str] = field(default_factory=lambda: ["body"])
    names: list[str] = field(default_factory=lambda: [""])  # class and id, parted by a space
    props: list[str] = field(default_factory=lambda: [""])  # itemprop

    def upwards(self, element: int) -> Iterator[int]:
        """`element` and those around it, from the inside out."""
        while element >= 0:
            yield element
            element = self.parents[element]

    def add_element(self, parent: int, tag: str, attributes: dict[str, str | None]) -> int:
        """Add the element of `tag` that stands in `parent`; its number."""
        self.parents.append(parent)
        self.tags.append(tag)
        name = attributes.get("class") or ""
        if identity := attributes.get("id"):
            name = f"{name} {identity}"
        self.names.append(name if len(name) <= _MAX_NAME_CHARS else name[:_MAX_NAME_CHARS])
        self.props.append(attributes.get("itemprop") or "")
        return len(self.parents) - 1

    def end_block(self, pieces: list[str], links: list[str], holder: int) -> None:
        """Make a block of `pieces`, in `holder`, if they hold any text, and empty both lists."""
        if (text := squeeze("".join(pieces))) and len(self.blocks) < _MAX_BLOCKS:
            linked = text if links == pieces else squeeze("".join(links)) if links else ""
            self.blocks.append(Block(text, holder, len(linked)))
        pieces.clear()
        links.clear()


def read_blocks(tree: LexborHTMLParser) -> Blocks:
    """The blocks of `tree`. No recursion, as markup may nest deeper than Python does."""
    page = Blocks()
    if tree.body is not None:
        _walk(tree.body.first_child, page)
    return page


def _walk(node: LexborNode | None, page: Blocks) -> None:  # noqa: PLR0912 - a call a node costs half as much again
    pieces: list[str] = []
    links: list[str] = []  # those of `pieces` that are in a link
    holder = 0
    in_link = broken = False
    above: list[tuple[LexborNode | None, int, bool]] = []  # next; holder, -1 if inline; in_link
    while True:
        while node is not None:
            tag = node.tag_id
            if tag == _TEXT:
                # Most are the white space between tags, which need not become a string.
                if not node.is_empty_text_node and (text := node.text_content) and not text.isspace():
                    broken = False
                    pieces.append(text)
                    if in_link:
                        links.append(text)
                elif pieces:
                    pieces.append(" ")
            elif tag == _BR:
                if broken:
                    page.end_block(pieces, links, holder)
                pieces.append(" ")
                broken = not broken
            elif (child := node.first_child) is None or tag in _SKIPPED:
                if pieces and tag not in _IN_LINE:
                    page.end_block(pieces, links, holder)
            elif tag in _INLINE:
                # Within text alone: most spans are of menus, and attributes take as long as all else here.
                if tag != _SPAN or not pieces or not _is_for_readers_aloud(node.attributes):
                    above.append((node.next, -1, in_link))
                    in_link = in_link or tag == _A
                    node = child
                    continue
            else:
                attributes, name = node.attributes, node.tag or ""
                if name not in _SKIPPED_CUSTOM and not (attributes and _is_hidden(attributes)):
                    if pieces:
                        page.end_block(pieces, links, holder)
                    above.append((node.next, holder, in_link))
                    holder = page.add_element(holder, name, attributes)
                    node = child
                    continue
            node = node.next
        if not above or len(page.parents) > _MAX_ELEMENTS:
            break
        node, outer, in_link = above.pop()
        if outer >= 0:
            if pieces:
                page.end_block(pieces, links, holder)
            holder = outer
    page.end_block(pieces, links, holder)


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    if "hidden" in attributes or attributes.get("role") in _DIALOGS:
        return True
    return (style := attributes.get("style")) is not None and _HIDDEN.search(style.lower()) is not None


def _is_for_readers_aloud(attributes: dict[str, str | None]) -> bool:
    """Whether a <span> is not to be seen: hidden, or there for screen readers (`opens in a new window`)."""
    name = attributes.get("class")
    return bool(attributes) and (_is_hidden(attributes) or (name is not None and bool(_ALOUD.search(name))))
