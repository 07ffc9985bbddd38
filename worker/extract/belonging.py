"""Which elements belong to the article of the page, and not to what stands around it or to other articles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.extract.markup import node_text
from worker.extract.text import letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from worker.model import Paragraph

_MAX_ELEMENTS = 5_000
_MAX_DEPTH = 100
_MARGINS = frozenset(("aside", "nav", "footer"))
_SECTIONS = _MARGINS | {"article", "main"}


def belonging(
    tree: LexborHTMLParser, selector: str, *, title: str, paragraphs: Sequence[Paragraph]
) -> Iterator[tuple[LexborNode, bool]]:
    """The elements of `selector` above the end of the text, and whether the article or <main> holds them.

    None in a margin, and none in an <article> that holds neither the title nor the text's end. In the order
    of the page. It looks at every paragraph: to be called only where something is missing.
    """
    wanted = {node.mem_id for node in tree.css(selector)}
    nodes = tree.css(f"h1, p, {selector}")[:_MAX_ELEMENTS] if wanted else []
    last = letters(paragraphs[-1].text) if paragraphs else ""
    ends = [at for at, node in enumerate(nodes) if node.tag == "p" and letters(node_text(node)) == last]
    end = ends[-1] if ends else len(nodes)
    known = [nodes[end]] if ends else []
    known += [node for node in nodes if node.tag == "h1" and letters(node_text(node)) == letters(title)]
    homes = {section.mem_id for node in known if (section := _section(node)) is not None}
    for node in nodes[:end]:
        if node.mem_id not in wanted:
            continue
        section = _section(node)
        if section is None or section.tag == "main" or section.mem_id in homes:
            yield node, section is not None


def _section(node: LexborNode) -> LexborNode | None:
    """The nearest element around `node` that parts pages: an article, <main> or a margin."""
    around = node.parent
    for _ in range(_MAX_DEPTH):
        if around is None or around.tag in _SECTIONS:
            return around
        around = around.parent
    return None
