"""A page's tree as blocks of text: the one walk over it, from which the body is chosen.

A block is the text between two block-level boundaries, as a reader sees it: inline markup does not part it,
two line breaks do. Each block knows the element that holds it; elements know their parents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.extract.hints import hints_of
from worker.extract.markup import tag_ids
from worker.extract.text import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

_MAX_BLOCKS = 20_000
_MAX_ELEMENTS = 100_000
_MAX_NAME_CHARS = 500

Attributes = dict[str, str | None]


#: What stands in a line of text, or in none, and has no text of the page.
_UNSEEN = tag_ids(
    *("script", "style", "noscript", "template", "svg", "math", "canvas", "map", "select", "textarea"),
    *("input", "button", "progress", "head", "meta", "link", "picture", "source", "track"),
)
#: No text of the page is in these.
_SKIPPED = _UNSEEN | tag_ids("iframe", "video", "audio", "object", "dialog", "nav", "footer", "menu")
_SKIPPED_CUSTOM = frozenset(("amp-ad", "amp-img"))
_FIRST_CUSTOM = 1_000  # a document numbers custom elements itself, far above those of HTML
_INLINE = tag_ids(
    *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em"),
    *("font", "i", "img", "ins", "kbd", "label", "mark", "nobr", "q", "rp", "rt", "ruby", "s"),
    *("samp", "small"),
    *("span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
)
(_A,), (_BR,), (_SPAN,), (_BODY,) = map(tag_ids, ("a", "br", "span", "body"))
_TEXT, _COMMENT = 2, 4  # LXB_TAG__TEXT, LXB_TAG__EM_COMMENT
_IN_LINE = _INLINE | _UNSEEN | {_COMMENT}
_ALOUD = re.compile(
    r"(?:^|\s)(?:sr-only|screen-?reader(?:-text)?|[uv]?-?visually-?hidden)(?:$|\s)", re.IGNORECASE
)
_DIALOGS = ("dialog", "alertdialog")  # WAI-ARIA 1.2, 5.4: windows before the page, such as a consent form
_HIDING = frozenset(("hidden", "role", "style"))
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
    tags: list[int] = field(default_factory=lambda: [_BODY])  # see `tag_ids`
    attributes: list[Attributes] = field(default_factory=lambda: [{}])

    def upwards(self, element: int) -> Iterator[int]:
        """`element` and those around it, from the inside out."""
        while element >= 0:
            yield element
            element = self.parents[element]

    def hints(self, element: int) -> int:
        """What class and id of `element` say that it is; see `worker.extract.hints`."""
        own = self.attributes[element]
        return hints_of((own.get("class") or "")[:_MAX_NAME_CHARS], (own.get("id") or "")[:_MAX_NAME_CHARS])

    def is_marked_body(self, element: int) -> bool:
        """Whether microdata says that `element` is the body of the article."""
        return self.attributes[element].get("itemprop") == "articleBody"

    def end_block(
        self, pieces: list[str], links: list[str], opened: list[tuple[int, Attributes]], holder: int
    ) -> int:
        """Make a block of `pieces`, in `opened`, in `holder`, if they hold any text; the element around it.

        Empties `pieces` and `links`, and `opened` where the block is the first one in them.
        """
        if (text := squeeze("".join(pieces))) and len(self.blocks) < _MAX_BLOCKS:
            for tag, attributes in opened:
                self.parents.append(holder)
                holder = len(self.tags)
                self.tags.append(tag)
                self.attributes.append(attributes)
            opened.clear()
            linked = text if links == pieces else squeeze("".join(links)) if links else ""
            self.blocks.append(Block(text, holder, len(linked)))
        pieces.clear()
        links.clear()
        return holder


def read_blocks(tree: LexborHTMLParser) -> Blocks:
    """The blocks of `tree`. No recursion, as markup may nest deeper than Python does."""
    return _walk(tree.body.first_child if tree.body is not None else None)


def _walk(node: LexborNode | None) -> Blocks:  # noqa: PLR0912, PLR0915 - a call a node costs half as much again
    page = Blocks()
    opened: list[tuple[int, Attributes]] = []  # the innermost elements, those without text so far
    holder = met = 0  # the element around those; how many of all elements there were
    pieces: list[str] = []
    links: list[str] = []  # those of `pieces` that are in a link
    in_link = broken = False
    above: list[tuple[LexborNode | None, bool | None]] = []  # next; None in blocks, else whether in a link

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
                    holder = page.end_block(pieces, links, opened, holder)
                pieces.append(" ")
                broken = not broken
            elif tag in _SKIPPED or (child := node.first_child) is None:
                if pieces and tag not in _IN_LINE:
                    holder = page.end_block(pieces, links, opened, holder)
            elif tag in _INLINE:
                # Within text alone: most spans are of menus, and attributes take as long as all else here.
                if tag != _SPAN or not pieces or not _is_for_readers_aloud(node.attributes):
                    above.append((node.next, in_link))
                    in_link = in_link or tag == _A
                    node = child
                    continue
            else:
                attributes = node.attributes
                if (_HIDING.isdisjoint(attributes) or not _is_hidden(attributes)) and (
                    tag < _FIRST_CUSTOM or node.tag not in _SKIPPED_CUSTOM
                ):
                    if pieces:
                        holder = page.end_block(pieces, links, opened, holder)
                    above.append((node.next, None))
                    opened.append((tag, attributes))
                    met += 1
                    node = child
                    continue
            node = node.next
        if not above or met >= _MAX_ELEMENTS:
            break
        node, outer = above.pop()
        if outer is not None:
            in_link = outer
            continue
        if pieces:
            holder = page.end_block(pieces, links, opened, holder)
        if opened:
            opened.pop()
        else:
            holder = page.parents[holder]
    page.end_block(pieces, links, opened, holder)
    return page


def _is_hidden(attributes: Attributes) -> bool:
    if "hidden" in attributes or attributes.get("role") in _DIALOGS:
        return True
    return (style := attributes.get("style")) is not None and _HIDDEN.search(style.lower()) is not None


def _is_for_readers_aloud(attributes: Attributes) -> bool:
    """Whether a <span> is not to be seen: hidden, or there for screen readers (`opens in a new window`)."""
    name = attributes.get("class")
    return bool(attributes) and (_is_hidden(attributes) or (name is not None and bool(_ALOUD.search(name))))
