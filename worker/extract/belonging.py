"""Which elements belong to the article of the page, and not to what stands around it or to other articles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from worker.extract.markup import node_text
from worker.extract.text import letters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from worker.model import Paragraph

_MAX_ELEMENTS = 5_000
_MAX_DEPTH = 100
_MARGINS = frozenset(("aside", "nav", "footer"))
_SECTIONS = _MARGINS | {"article", "main"}


@dataclass(frozen=True, slots=True)
class Belongings:
    """The elements of one kind above the end of the text, in order, and the articles that hold the text."""

    elements: list[LexborNode]
    homes: set[int]

    def place(self, node: LexborNode) -> Literal["inside", "around", "elsewhere"]:
        """Inside: in the article or <main>. Elsewhere: in a margin or in another <article>."""
        section = _section(node)
        if section is None:
            return "around"
        return "inside" if section.tag == "main" or section.mem_id in self.homes else "elsewhere"


def belongings(
    tree: LexborHTMLParser, tag: str, *, title: str, paragraphs: Sequence[Paragraph]
) -> Belongings:
    """Look for elements called `tag` that belong to the article.

    Its own <article>s are those that hold the title or the end of the text. To be called only where something
    is missing: it goes over the whole page.
    """
    nodes = tree.css(f"h1, p, {tag}")[:_MAX_ELEMENTS]
    last = letters(paragraphs[-1].text) if paragraphs else ""
    ends = (at for at in range(len(nodes) - 1, -1, -1) if _says(nodes[at], "p", last))
    end = next(ends, len(nodes))
    known = [node for node in nodes if _says(node, "h1", letters(title))] + nodes[end : end + 1]
    homes = {section.mem_id for node in known if (section := _section(node)) is not None}
    own = Belongings([], homes)
    own.elements.extend(node for node in nodes[:end] if node.tag == tag and own.place(node) != "elsewhere")
    return own


def _says(node: LexborNode, tag: str, text: str) -> bool:
    return node.tag == tag and letters(node_text(node)) == text


def _section(node: LexborNode) -> LexborNode | None:
    """The nearest element around `node` that parts pages: an article, <main> or a margin."""
    around = node.parent
    for _ in range(_MAX_DEPTH):
        if around is None or around.tag in _SECTIONS:
            return around
        around = around.parent
    return None
