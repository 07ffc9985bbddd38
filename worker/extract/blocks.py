"""A page's tree as blocks of text: the one walk over it, from which the body is chosen.

A block is the text between two block-level boundaries, as a reader sees it: inline markup does not part it,
two line breaks do. Each block knows the element that holds it; elements know their parents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.extract.text import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

_MAX_BLOCKS = 20_000
_MAX_NAME_CHARS = 500
#: No text of the page is in these.
_SKIPPED = frozenset(
    (
        *("script", "style", "noscript", "template", "svg", "math", "iframe", "video", "audio", "object"),
        *("canvas", "map", "select", "textarea", "input", "button", "progress", "dialog", "nav", "footer"),
        *("menu", "head", "meta", "link", "picture", "source", "track", "amp-ad", "amp-img", "-comment"),
    )
)
_INLINE = frozenset(
    (
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em"),
        *("font", "i", "img", "ins", "kbd", "label", "mark", "nobr", "q", "rp", "rt", "ruby", "s"),
        *("samp", "small"),
        *("span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
    )
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(slots=True)
class Holder:
    """A block-level element on the way from the body to some text."""

    parent: int  # index of the holder around it; -1 above the first
    tag: str
    name: str = ""  # class and id, parted by spaces
    prop: str = ""  # itemprop


@dataclass(slots=True)
class Block:
    """One run of text."""

    text: str
    holder: int  # index of the element around it
    link_chars: int


@dataclass(slots=True)
class Blocks:
    """All text of a page in reading order, and the elements around it, outer ones before inner ones."""

    blocks: list[Block] = field(default_factory=list)
    holders: list[Holder] = field(default_factory=list)

    def upwards(self, holder: int) -> Iterator[int]:
        """`holder` and the elements around it, from the inside out."""
        while holder >= 0:
            yield holder
            holder = self.holders[holder].parent


def read_blocks(tree: LexborHTMLParser) -> Blocks:
    """The blocks of `tree`. No recursion, as markup may nest deeper than Python does."""
    page = Blocks(holders=[Holder(-1, "body")])
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
        if node is None:
            if not above:
                break
            node, outer, in_link = above.pop()
            if outer >= 0:
                if pieces:
                    _end_block(page, pieces, links, holder)
                holder = outer
            continue
        tag = node.tag
        if tag == "-text":
            text = node.text_content or ""
            if not text.isspace():
                broken = False
                pieces.append(text)
                if in_link:
                    links.append(text)
            elif pieces:
                pieces.append(" ")
        elif tag in ("br", "hr"):
            if broken or tag == "hr":
                _end_block(page, pieces, links, holder)
            pieces.append(" ")
            broken = tag == "br" and not broken
        elif tag is not None and tag not in _SKIPPED and (child := node.first_child) is not None:
            if tag in _INLINE:
                above.append((node.next, -1, in_link))
                in_link = in_link or tag == "a"
                node = child
                continue
            attributes = node.attributes
            if not attributes or not _is_hidden(attributes):
                if pieces:
                    _end_block(page, pieces, links, holder)
                above.append((node.next, holder, in_link))
                page.holders.append(_holder(holder, tag, attributes))
                holder = len(page.holders) - 1
                node = child
                continue
        node = node.next
    _end_block(page, pieces, links, holder)


def _end_block(page: Blocks, pieces: list[str], links: list[str], holder: int) -> None:
    if (text := squeeze("".join(pieces))) and len(page.blocks) < _MAX_BLOCKS:
        page.blocks.append(Block(text, holder, len(squeeze("".join(links))) if links else 0))
    pieces.clear()
    links.clear()


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    return "hidden" in attributes or _HIDDEN.search(attributes.get("style") or "") is not None


def _holder(parent: int, tag: str, attributes: dict[str, str | None]) -> Holder:
    if not attributes:
        return Holder(parent, tag)
    name = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return Holder(parent, tag, name[:_MAX_NAME_CHARS], attributes.get("itemprop") or "")
