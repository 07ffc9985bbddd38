"""Which element of a page holds its article: the one furthest down with most of the prose.

Every block is worth the prose in it, every element the sum of its blocks; names of classes shift the
choice, they never make it alone. Inside the chosen element, small parts are boxes by name, by label, or
because they are mostly links.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from worker.extract.hints import BODY, BOX, is_label
from worker.extract.markup import tag_ids
from worker.extract.text import SENTENCE_ENDS, is_unstopped, letters, squeeze

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from worker.extract.blocks import Block, Blocks

HEADINGS = tag_ids("h1", "h2", "h3", "h4", "h5", "h6")
_BOX_TAGS = tag_ids("aside", "figure", "figcaption", "form")
_NEVER_BOXES = tag_ids("p", "article", "main", "body")
_LEAVES = tag_ids("p", "li", "blockquote", "ul", "ol", "dl")
_MAIN = tag_ids("article", "main")
_PARTS = tag_ids("main", "section", "div")
(_H1,), (_P,), (_LI,), (_ARTICLE,) = map(tag_ids, ("h1", "p", "li", "article"))
_STOP = re.compile(rf"[{SENTENCE_ENDS},;:،՝፣၊、，](?:(?<=[。、，！？])|\s|$)")
_WIDE = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_WIDE_WORTH = 2.5  # letters of the Latin script that say as much
_MIN_PROSE_CHARS = 40
_LONG_CHARS = 80
_LONG_PARAGRAPH = 60
_SURE_CHARS = 600
_MIN_TITLE_CHARS = 15
#: Written bodies are compared with blocks as far as this: a search of every block in megabytes takes minutes.
_MAX_WRITTEN_CHARS = 100_000
_MAX_MATCHED_BLOCKS = 2_000
_MIN_MATCH_CHARS = 20
_BOX_SHARE = 0.35  # of the article's prose: what holds more is not beside it, whatever its name
_LINKED_SHARE = 0.15
_LABELLED_SHARE = 0.2
_BOX_WORTH = 0.3


@dataclass(frozen=True, slots=True)
class Scored:
    """The choice, with what the lines are sorted out by."""

    inside: range  # the chosen element and those in it
    boxed: Collection[int]  # those of them that are boxes, or in one
    is_box: Callable[[int], bool]  # of any element before the end of the chosen one
    prose: Sequence[float]  # by block
    matched: Sequence[bool]  # by block: whether structured data holds it as part of the body


def visible_length(text: str) -> float:
    """Characters of `text`, those of scripts that write a word in two counted for more."""
    length = len(text)
    # Wide characters are three bytes of UTF-8; accents alone never make a text half as long again.
    if text.isascii() or len(text.encode()) < 1.5 * length:
        return length
    return length + (_WIDE_WORTH - 1) * len(_WIDE.findall(text))


def score(page: Blocks, *, title: str | None, written: str | None) -> Scored:
    """Choose the element of the article. `title` is its headline, `written` its declared body."""
    tags, parents = page.tags, page.parents
    prose = [_prose(block, tags[block.holder]) for block in page.blocks]
    matched = _matched(page.blocks, written)
    inner = _summed(page, prose)

    @cache
    def is_named_box(element: int) -> bool:
        tag = tags[element]
        named = tag not in _NEVER_BOXES or (tag == _P and inner[element] < _LONG_PARAGRAPH)
        return tag in _BOX_TAGS or (named and bool(page.hints(element) & BOX))

    worth = {
        element: _BOX_WORTH if is_named_box(element) else 1.0 for element, value in enumerate(inner) if value
    }
    declared = [value * 3 if match else value for value, match in zip(prose, matched, strict=True)]
    total = _summed(page, declared, worth)
    best = _deepest(page, total, worth, _around_title(page, letters(title or "")))
    end = next((i for i in range(best + 1, len(parents)) if parents[i] < best), len(parents))
    inside = range(best, end)
    linked = _linked(page, end)
    labelled = _labelled(page, inner, inside)
    large, not_tiny = _BOX_SHARE * inner[best], _LINKED_SHARE * inner[best]

    def is_box(element: int) -> bool:
        return (
            element in labelled
            or (linked[element] and inner[element] < not_tiny)
            or ((inner[element] < large or element not in inside) and is_named_box(element))
        )

    boxed: set[int] = set()
    for element in inside[1:]:
        if parents[element] in boxed or is_box(element):
            boxed.add(element)
    return Scored(inside, boxed, is_box, prose, matched)


def _prose(block: Block, tag: int) -> float:
    """About the block's length in letters; 0 for links, headings, labels and menus."""
    text = block.text
    size = len(text)
    if size * _WIDE_WORTH < _MIN_PROSE_CHARS or 2 * block.link_chars > size or tag in HEADINGS:
        return 0.0
    length = visible_length(text)
    if length < _MIN_PROSE_CHARS:
        return 0.0
    if not _STOP.search(text):
        return 0.0 if length < _LONG_CHARS else length * (1.0 if is_unstopped(text) else 0.2)
    return length * (1 - block.link_chars / size) * (0.5 if tag == _LI else 1.0)


def _matched(blocks: Sequence[Block], written: str | None) -> list[bool]:
    known = squeeze(written[:_MAX_WRITTEN_CHARS]) if written else ""
    found = [False] * len(blocks)
    end = 0  # of the last match: the next block is mostly right behind it
    for index, block in enumerate(blocks[:_MAX_MATCHED_BLOCKS] if known else ()):
        text = block.text
        if len(text) > _MIN_MATCH_CHARS and 2 * block.link_chars <= len(text):
            start = known.find(text, end)
            if start < 0 < end:
                start = known.find(text, 0, end + len(text) - 1)
            if start >= 0:
                found[index], end = True, start + len(text)
    return found


def _summed(page: Blocks, values: Iterable[float], worth: dict[int, float] | None = None) -> list[float]:
    """By element, the values of all blocks in it; with `worth` those of an inner element times its own.

    `worth` then has all elements in which there is any value.
    """
    parents = page.parents
    sums = [0.0] * len(parents)
    for block, value in zip(page.blocks, values, strict=True):
        if value:
            sums[block.holder] += value
    if worth:
        for element in reversed(worth):
            if element:
                sums[parents[element]] += sums[element] * worth[element]
    else:
        for element in range(len(sums) - 1, 0, -1):
            if value := sums[element]:
                sums[parents[element]] += value
    return sums


def _around_title(page: Blocks, title: str) -> set[int]:
    """The elements around the headline."""
    for block in page.blocks:
        tag = page.tags[block.holder]
        if tag not in HEADINGS:
            continue
        if (tag == _H1 and len(block.text) > _MIN_TITLE_CHARS) or (title and letters(block.text) == title):
            return set(page.upwards(block.holder))
    return set()


def _deepest(page: Blocks, total: Sequence[float], worth: dict[int, float], titled: set[int]) -> int:
    """Down from the body, as long as one element has enough of the prose of the one around it.

    `worth` has the elements with prose, outer before inner.
    """
    children: dict[int, list[int]] = {}
    for element in worth:
        children.setdefault(page.parents[element], []).append(element)

    def weight(element: int) -> float:
        titled_worth = 2.5 if element in titled else 1.0
        return total[element] * worth[element] * _favour(page, element) * titled_worth

    # Legal text may be longer than the news: the article around the headline only needs enough of its own.
    enough = max(_SURE_CHARS, 0.1 * total[0])
    sure = (i for i in titled if page.tags[i] == _ARTICLE and total[i] > enough)
    best = max(sure, default=0)
    while found := children.get(best):
        child = max(found, key=weight) if len(found) > 1 else found[0]
        share = total[child] * worth[child]
        if page.tags[child] in _LEAVES or share < _needed(page, child, titled) * total[best]:
            break
        best = child
    return best


def _favour(page: Blocks, element: int) -> float:
    named = page.tags[element] in _MAIN or page.hints(element) & BODY
    return (1.25 if named else 1.0) * (1.5 if page.is_marked_body(element) else 1.0)


def _needed(page: Blocks, element: int, titled: set[int]) -> float:
    """The share of the prose around it that an element needs; less where it is marked as the article."""
    tag = page.tags[element]
    if element in titled and tag == _ARTICLE:
        return 0.3  # pages that scroll on hold several
    if element in titled and tag in _PARTS:
        return 0.5
    marked = page.is_marked_body(element) or tag == _ARTICLE or page.hints(element) & BODY
    return 0.55 if marked else 0.8


def _linked(page: Blocks, end: int) -> list[bool]:
    """By element before `end`, whether most of it is links; one link alone in a <p> may be of the text."""
    surplus = [0] * end  # above zero where more than half is in links
    blocks = [0] * end
    for block in page.blocks:
        if (holder := block.holder) < end:
            surplus[holder] += 2 * block.link_chars - len(block.text)
            blocks[holder] += 1
    for element in range(end - 1, 0, -1):
        if value := surplus[element]:
            surplus[page.parents[element]] += value
    return [
        value > 0 and (count != 1 or tag != _P)
        for value, count, tag in zip(surplus, blocks, page.tags[:end], strict=True)
    ]


def _labelled(page: Blocks, inner: Sequence[float], inside: range) -> set[int]:
    """The largest small elements that begin with `Read more` or the like, as far as the end of `inside`."""
    found, climbed = set(), set()
    best = inside.start
    limit = _LABELLED_SHARE * inner[best]
    for block in page.blocks:
        if block.holder >= inside.stop or not is_label(block.text):
            continue
        largest = None
        for index in page.upwards(block.holder):
            if index in (best, 0) or inner[index] > limit:
                break
            largest = index
            if index in climbed:
                break  # from here on up another label has been
            climbed.add(index)
        if largest is not None:
            found.add(largest)
    return found
