"""The lines of an article, out of the element that holds it: paragraphs with their kinds, and the lead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.extract.hints import LEAD, is_credit, is_furniture
from worker.extract.markup import tag_ids
from worker.extract.scoring import HEADINGS, visible_length
from worker.extract.text import CLOSING_MARKS, SENTENCE_ENDS, letters
from worker.model import Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.extract.blocks import Block, Blocks
    from worker.extract.scoring import Scored
    from worker.model import ParagraphKind

_KINDS: dict[int, ParagraphKind] = {
    **dict.fromkeys(HEADINGS, "heading"),
    **dict.fromkeys(tag_ids("li", "dd", "dt"), "list_item"),
    **dict.fromkeys(tag_ids("blockquote"), "quote"),
    **dict.fromkeys(tag_ids("pre"), "preformatted"),
}
(_H1,), (_FIGCAPTION,) = map(tag_ids, ("h1", "figcaption"))
_ENDS = tuple(SENTENCE_ENDS + CLOSING_MARKS + ":：;")
_MIN_LEAD_CHARS = 30
_SAME_LEAD_CHARS = 60  # summaries for machines are cut off somewhere behind this
_LONG_CHARS = 50  # shorter lines, such as names in an interview, may come twice
_SHORT_CHARS = 60
_OPENING_LETTERS, _OPENING_CHARS = 3, 10  # where most lines differ from the headline
_LONG_LINE_CHARS = 100
_LINKED = 0.7


def article_lines(
    page: Blocks, scored: Scored, *, title: str | None, summaries: Sequence[str]
) -> tuple[Paragraph, ...]:
    """The paragraphs of the chosen element without its boxes, and a lead that stands above it.

    `summaries` are what the page says of itself: a block above the body that says the same is its lead.
    """
    leads = {letters(summary) for summary in set(summaries) if len(summary) > _MIN_LEAD_CHARS}
    # Where nothing is prose, or nothing is outside boxes, every line stays, for others to judge.
    has_prose = any(scored.prose)
    found = list(_kept(page, scored, title, leads, started=not has_prose))
    if not found and scored.boxed:
        unboxed = replace(scored, boxed=(), is_box=lambda _: False)
        found = list(_kept(page, unboxed, title, leads, started=not has_prose))
    while found and has_prose and (found[-1].kind == "heading" or _is_signature(found[-1])):
        found.pop()
    return tuple(found)


def _kept(
    page: Blocks, scored: Scored, title: str | None, leads: set[str], *, started: bool
) -> Iterator[Paragraph]:
    seen: set[str] = set()
    title_key = letters(title or "")
    opening = title_key[:_OPENING_LETTERS]
    title_chars = range(len(title_key) // 2, 2 * len(title or ""))
    above = True
    for index, block in enumerate(page.blocks):
        text = block.text
        if block.holder in scored.inside:
            above = False
        elif not above:
            break
        if text in seen or (
            len(text) in title_chars
            and letters(text[:_OPENING_CHARS]).startswith(opening)
            and letters(text) == title_key
        ):
            continue
        if above:
            if len(text) > _MIN_LEAD_CHARS and _is_lead(page, scored, index, leads):
                seen.add(text)
                yield Paragraph("lead", text)
            continue
        kind = _kind(page, block.holder)
        if not (
            scored.matched[index]
            or _belongs(scored, block, kind, prose=scored.prose[index] > 0)
            or (not started and block.holder in scored.boxed and letters(text) in leads)
        ):
            continue
        prose = kind != "heading" and scored.prose[index] > 0
        # Short lines before the first paragraph are the byline, the date and the like.
        long = prose and len(text) >= _LONG_LINE_CHARS
        if not started and not long and kind != "heading" and not text.endswith(_ENDS):
            continue
        started = started or prose
        if len(text) >= _LONG_CHARS or kind == "heading":
            seen.add(text)
        yield Paragraph(kind, text)


def _belongs(scored: Scored, block: Block, kind: ParagraphKind, *, prose: bool) -> bool:
    """Whether the block is the article's own: in no box, no caption, no request, no link elsewhere."""
    if block.holder in scored.boxed or is_credit(block.text):
        return False
    if kind != "heading" and is_furniture(block.text, plain_prose=prose and not block.link_chars):
        return False
    linked = block.link_chars > _LINKED * len(block.text)
    return not linked or (len(block.text) <= 25 and kind != "list_item")


def _is_lead(page: Blocks, scored: Scored, index: int, leads: set[str]) -> bool:
    block = page.blocks[index]
    around = (block.holder, max(0, page.parents[block.holder]))
    if page.tags[block.holder] == _H1 or any(page.tags[element] == _FIGCAPTION for element in around):
        return False
    if len(block.text) > _LONG_CHARS:
        key = letters(block.text)
        if any(lead[:_SAME_LEAD_CHARS] in key for lead in leads if len(lead) > _LONG_CHARS):
            return True
    if 2 * block.link_chars > len(block.text) or is_credit(block.text):
        return False
    marked = any(page.hints(element) & LEAD for element in around)
    return marked and not any(map(scored.is_box, page.upwards(block.holder)))


def _kind(page: Blocks, holder: int) -> ParagraphKind:
    """By the nearest of three elements that is of a kind: a list item may hold a paragraph."""
    tags, parents = page.tags, page.parents
    for _ in range(3):
        if kind := _KINDS.get(tags[holder]):
            return kind
        holder = parents[holder] if holder else 0
    return "paragraph"


def _is_signature(paragraph: Paragraph) -> bool:
    """Whether a last line is a name or a label rather than a last sentence."""
    text = paragraph.text
    return paragraph.kind == "paragraph" and visible_length(text) < _SHORT_CHARS and not text.endswith(_ENDS)
