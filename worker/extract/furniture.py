"""What a page puts around and between an article's paragraphs: share rows, teasers, boxes, dates, tags.

Two general rules over what the body extractor found: short lines before the first real paragraph belong to
the page's head, and lines that stand in a small box of a telling name or tag belong to that box. Headings
that the extractor lost are put back where they stood.
"""

from __future__ import annotations

import re
from itertools import dropwhile
from typing import TYPE_CHECKING, Literal

from worker.extract.markup import node_text
from worker.extract.text import letters, words
from worker.model import Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from selectolax.lexbor import LexborHTMLParser, LexborNode

#: Parts of class names and ids, in the languages that sites' authors write them in.
_BOX_WORDS = (
    "share",
    "sharing",
    "partage",
    "paylas",
    "social",
    "breadcrumb",
    "newsletter",
    "infolettre",
    "ad-inline",
    "advert",
    "anzeige",
    "publicidad",
    "read-also",
    "readalso",
    "read-more",
    "a-lire",
    "lire-aussi",
    "related",
    "views",
    "cookie",
)
_BOXES = ", ".join(
    ["nav", "footer", "form", "button", *(f"[class*='{word}' i], [id*='{word}' i]" for word in _BOX_WORDS)]
)
_MAX_BOXES = 500
#: A box longer than this holds the article itself: its name then only says that there are such boxes in it.
_MAX_BOX_CHARS = 300
_FEW_WORDS = 10
_REAL_WORDS = 12
_SENTENCE_END = re.compile(r"[.!?…。！？؟।:：;][\"'”’»«“)\]」』]*$")
_HEADINGS: tuple[str, ...] = ("h2", "h3", "h4")
_MAX_HEADINGS = 200


def without_furniture(paragraphs: Sequence[Paragraph], tree: LexborHTMLParser) -> tuple[Paragraph, ...]:
    """`paragraphs` without the lines of the page's head and boxes."""
    boxed = _boxed_lines(tree)
    unboxed = [paragraph for paragraph in paragraphs if letters(paragraph.text) not in boxed]
    article = tuple(dropwhile(_is_head, unboxed)) if any(map(_is_real, unboxed)) else tuple(unboxed)
    return article or tuple(paragraphs)


def with_headings(paragraphs: Sequence[Paragraph], tree: LexborHTMLParser) -> tuple[Paragraph, ...]:
    """`paragraphs` with each heading that stands right between two of them and is missing."""
    known = {letters(paragraph.text): index for index, paragraph in enumerate(paragraphs)}
    missing: dict[int, Paragraph] = {}
    for node in tree.css(", ".join(_HEADINGS))[:_MAX_HEADINGS]:
        text = node_text(node)
        before, after = known.get(_beside(node, "prev")), known.get(_beside(node, "next"))
        if text and letters(text) not in known and before is not None and after == before + 1:
            missing[after] = Paragraph("heading", text)
    return tuple(_merged(paragraphs, missing)) if missing else tuple(paragraphs)


def _merged(paragraphs: Iterable[Paragraph], missing: dict[int, Paragraph]) -> Iterator[Paragraph]:
    for index, paragraph in enumerate(paragraphs):
        if index in missing:
            yield missing[index]
        yield paragraph


def _boxed_lines(tree: LexborHTMLParser) -> set[str]:
    """The folded texts of small boxes, and of the elements in them."""
    lines: set[str] = set()
    for box in tree.css(_BOXES)[:_MAX_BOXES]:
        if len(node_text(box)) <= _MAX_BOX_CHARS:
            lines.update(letters(node_text(node)) for node in (box, *box.css("*")[:50]))
    return lines


def _is_head(paragraph: Paragraph) -> bool:
    """Whether the line may be a byline, date, caption or menu item rather than the article's first words."""
    return (
        paragraph.kind in {"paragraph", "list_item"}
        and len(words(paragraph.text)) < _FEW_WORDS
        and not _SENTENCE_END.search(paragraph.text)
    )


def _is_real(paragraph: Paragraph) -> bool:
    return len(words(paragraph.text)) >= _REAL_WORDS


def _beside(node: LexborNode, side: Literal["prev", "next"]) -> str:
    """The folded text of the nearest element on that side, white space between them passed over."""
    neighbour: LexborNode | None = getattr(node, side)
    while neighbour is not None and neighbour.tag == "-text" and not node_text(neighbour):
        neighbour = getattr(neighbour, side)
    return letters(node_text(neighbour)) if neighbour is not None else ""
