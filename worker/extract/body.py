"""The body of an HTML page as paragraphs.

The one file that knows trafilatura, whose place our own scoring will take.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trafilatura import bare_extraction

from worker.extract.embedded import embedded_paragraphs
from worker.extract.furniture import with_headings, without_furniture
from worker.extract.markup import node_text
from worker.extract.text import letters, squeeze, word_count
from worker.model import Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.etree import _Element
    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from worker.model import ParagraphKind

# It warns on stderr, in its own words, of every page that it gives up on; our words are in the article.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

METHOD = "trafilatura"
#: Trafilatura is quadratic in the number of links (200,000 took 27 s); real pages have a tenth of this.
_MAX_TAGS = 80_000
_FEW_WORDS = 40
_MIN_BLOCK_CHARS = 40
_BLOCKS = "p, h2, h3, h4, li, blockquote, pre"
_OUTSIDE = frozenset(
    {"nav", "footer", "aside", "header", "form", "button", "figure", "figcaption", "noscript", "menu"}
)
_CONTAINERS = frozenset({"body", "div", "list", "table", "row", "quote"})
_KINDS: dict[str, ParagraphKind] = {
    "head": "heading",
    "item": "list_item",
    "quote": "quote",
    "code": "preformatted",
    "p": "paragraph",
    "h2": "heading",
    "h3": "heading",
    "h4": "heading",
    "li": "list_item",
    "blockquote": "quote",
    "pre": "preformatted",
}


@dataclass(frozen=True, slots=True)
class Body:
    """The paragraphs in reading order, what found them, and what was odd."""

    paragraphs: tuple[Paragraph, ...]
    method: str
    warnings: tuple[str, ...] = ()
    lines: tuple[
        Paragraph, ...
    ] = ()  # before what surrounds the article was taken off: a byline may be in it


def read_body(text: str, tree: LexborHTMLParser, *, title: str | None, written: str | None = None) -> Body:
    """The body of the page whose source is `text` and whose parse is `tree`.

    `written` is the body as the page's structured data holds it; it is taken where markup yields far less.
    Total: an extractor that fails on odd markup is named in the warnings; then plain blocks are taken.
    """
    warnings: list[str] = []
    found = Body(tuple(_main_text(text, warnings)), METHOD)
    if _size(found) < _FEW_WORDS:
        others = [
            Body(tuple(_densest(tree)), "paragraphs"),
            Body(tuple(Paragraph("paragraph", line) for line in embedded_paragraphs(tree)), "embedded"),
        ]
        found = max((found, *others), key=_size)
    if written and word_count(written) > 2 * _size(found):
        found = Body(tuple(_split(written)), "jsonld")
    lines = tuple(_without_title(found.paragraphs, title))
    paragraphs = with_headings(without_furniture(lines, tree), tree)
    return Body(paragraphs, found.method, tuple(warnings), lines)


def _main_text(text: str, warnings: list[str]) -> Iterator[Paragraph]:
    if text.count("<") > _MAX_TAGS:
        warnings.append("body_extractor_skipped:too_many_tags")
        return
    try:
        document = bare_extraction(text, include_comments=False, with_metadata=False)
    except MemoryError:
        raise
    except Exception as error:  # third-party code on hostile markup: any may come
        warnings.append(f"body_extractor_failed:{type(error).__name__}")
        return
    body = getattr(document, "body", None)
    if body is not None:
        yield from _paragraphs(body)


def _paragraphs(root: _Element) -> Iterator[Paragraph]:
    """The blocks of trafilatura's tree; no recursion, as markup may nest deeper than Python does."""
    stack: list[tuple[_Element | str, ParagraphKind]] = [(root, "paragraph")]
    while stack:
        part, kind = stack.pop()
        if isinstance(part, str):
            yield from (Paragraph(kind, text) for text in [squeeze(part)] if text)
            continue
        kind = _KINDS.get(str(part.tag), kind)
        if part.tag in _CONTAINERS and len(part):
            stack.extend(reversed([(piece, kind) for piece in _pieces(part)]))
        else:
            yield from (Paragraph(kind, line) for line in _lines(part))


def _pieces(container: _Element) -> Iterator[_Element | str]:
    """The children of `container` and the text between them."""
    yield container.text or ""
    for child in container:
        yield child
        yield child.tail or ""


def _lines(block: _Element) -> Iterator[str]:
    parts = [block.text or ""]
    for part in block.iterdescendants():
        parts += ["\n" if part.tag == "lb" else part.text or "", part.tail or ""]
    return (line for text in "".join(parts).split("\n") if (line := squeeze(text)))


def _densest(tree: LexborHTMLParser) -> Iterator[Paragraph]:
    """The text blocks under whichever element holds the most text in blocks of its own."""
    parents: dict[int, list[LexborNode]] = {}
    for node in tree.css(_BLOCKS)[:5_000]:
        if node.parent is not None and not _is_outside(node):
            parents.setdefault(node.parent.mem_id, []).append(node)
    blocks = max(parents.values(), key=lambda nodes: sum(len(node_text(node)) for node in nodes), default=[])
    for node in blocks:
        if len(text := node_text(node)) >= _MIN_BLOCK_CHARS:
            yield Paragraph(_KINDS.get(str(node.tag), "paragraph"), text)


def _is_outside(node: LexborNode) -> bool:
    ancestor = node.parent
    for _ in range(40):
        if ancestor is None:
            return False
        if ancestor.tag in _OUTSIDE:
            return True
        ancestor = ancestor.parent
    return False


def _split(written: str) -> Iterator[Paragraph]:
    return (Paragraph("paragraph", line) for part in written.split("\n") if (line := squeeze(part)))


def _without_title(paragraphs: Iterable[Paragraph], title: str | None) -> Iterator[Paragraph]:
    """`paragraphs` without the title, repeats of a paragraph, and headings that nothing follows."""
    seen = {letters(title or "")}
    kept: list[Paragraph] = []
    for paragraph in paragraphs:
        key = letters(paragraph.text)
        if key and (key not in seen or (len(key) < 40 and paragraph.kind == "paragraph" and kept)):
            kept.append(paragraph)
            seen.add(key)
    while kept and kept[-1].kind == "heading":
        kept.pop()
    return iter(kept)


def _size(body: Body) -> int:
    return sum(word_count(paragraph.text) for paragraph in body.paragraphs)
