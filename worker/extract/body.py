"""The body of an HTML page as paragraphs: scored over the tree, or from data where the tree has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.extract.blocks import read_blocks
from worker.extract.embedded import embedded_paragraphs
from worker.extract.lines import article_lines
from worker.extract.scoring import HEADINGS, score, visible_length
from worker.extract.text import squeeze
from worker.model import Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selectolax.lexbor import LexborHTMLParser

    from worker.extract.blocks import Blocks
    from worker.extract.scoring import Scored

_MAX_BESIDE = 8
_MAX_BELOW = 40
_MAX_BESIDE_CHARS = 100
_FEW_CHARS = 250  # of Latin script


@dataclass(frozen=True, slots=True)
class Body:
    """The paragraphs in reading order, and what found them."""

    paragraphs: tuple[Paragraph, ...]
    method: str
    linked: float = 0.0  # share of the text of the element they were chosen from that leads elsewhere
    declared: float | None = None  # agreement with the declared body, 0 to 1; None without one
    above: tuple[str, ...] = ()  # the short lines right above the first paragraph: byline, date
    below: tuple[str, ...] = ()  # and below the last


def read_body(
    tree: LexborHTMLParser, *, title: str | None, summaries: Sequence[str] = (), written: str | None = None
) -> Body:
    """The body of the page whose parse is `tree`.

    `summaries` are what the page says of itself in a sentence or two; one of them may stand above the body
    and is its lead. `written` is the body as structured data holds it, taken where markup yields far less.
    """
    page = read_blocks(tree)
    scored = score(page, title=title, written=written)
    lines = article_lines(page, scored, title=title, summaries=summaries)
    agreement = _agreement(page, scored, lines, written)
    found = Body(lines, "prose", _linked(page, scored), agreement, *_beside(page, lines))
    size = _size(found)
    if size < _FEW_CHARS:
        embedded = Body(tuple(Paragraph("paragraph", line) for line in embedded_paragraphs(tree)), "embedded")
        found = max(found, embedded, key=_size)
        size = _size(found)
    if written and visible_length(written) > 2 * size:
        found = Body(tuple(_split(written)), "jsonld")
    return found


def _linked(page: Blocks, scored: Scored) -> float:
    """The share of text in links and, below headings that are one, in the summaries of what they lead to."""
    chars = links = 0
    below_link = False
    for block, prose in zip(page.blocks, scored.prose, strict=True):
        if block.holder not in scored.inside:
            continue
        chars += len(block.text)
        links += len(block.text) if below_link and prose else block.link_chars
        below_link = block.link_chars == len(block.text) and page.tags[block.holder] in HEADINGS
    return links / chars if chars else 0.0


def _beside(page: Blocks, lines: Sequence[Paragraph]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The short lines above and below `lines`."""
    texts = [block.text for block in page.blocks]
    body = [line.text for line in lines if line.kind != "lead"]
    if not body or body[0] not in texts or body[-1] not in texts:
        return (), ()
    first = texts.index(body[0])
    last = len(texts) - 1 - texts[::-1].index(body[-1])
    around = texts[max(0, first - _MAX_BESIDE) : first], texts[last + 1 : last + 1 + _MAX_BELOW]
    above, below = (tuple(text for text in part if len(text) <= _MAX_BESIDE_CHARS) for part in around)
    return above, below


def _agreement(page: Blocks, scored: Scored, lines: Sequence[Paragraph], written: str | None) -> float | None:
    """The share of the prose that `written` holds, less where it goes on for longer than `lines`."""
    if not written:
        return None
    inside = [
        (prose, match)
        for block, prose, match in zip(page.blocks, scored.prose, scored.matched, strict=True)
        if block.holder in scored.inside and (match or block.holder not in scored.boxed)
    ]
    prose = sum(prose for prose, _ in inside)
    matched = sum(prose for prose, match in inside if match)
    length = sum(len(line.text) for line in lines)
    return min(1.0, length / len(written)) * matched / prose if prose else 0.0


def _split(written: str) -> Iterator[Paragraph]:
    return (Paragraph("paragraph", line) for part in written.split("\n") if (line := squeeze(part)))


def _size(body: Body) -> float:
    return sum(visible_length(paragraph.text) for paragraph in body.paragraphs)
