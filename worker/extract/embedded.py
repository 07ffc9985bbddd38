"""Bodies carried as data for the page's own scripts: the last resort for pages that browsers render."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from worker.extract.markup import bounded, node_text, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborHTMLParser

_STRING = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_MIN_CHARS = 400
_MAX_STRINGS = 20
_ESCAPED_PARAGRAPH = re.compile(r"(?:<|\\u003c)p", re.IGNORECASE)
_PARAGRAPH = re.compile(r"<p[\s>]", re.IGNORECASE)
_CAPTIONS = "figure, figcaption, [class*=caption i], aside, script, style"


def embedded_paragraphs(tree: LexborHTMLParser) -> list[str]:
    """The paragraphs of the longest piece of HTML that stands as a JSON string in one of the scripts."""
    pieces = sorted(
        (piece for script in tree.css("script:not([src])") for piece in _markup(script.text())), key=len
    )
    return _texts(pieces[-1]) if pieces else []


def _markup(script: str) -> Iterator[str]:
    if "p" not in script or len(script) < _MIN_CHARS:
        return
    found = 0
    for literal in _STRING.finditer(script):
        if len(literal[1]) < _MIN_CHARS or not _ESCAPED_PARAGRAPH.search(literal[1]):
            continue
        found += 1
        if found > _MAX_STRINGS:
            return
        try:
            text = json.loads(literal[0], strict=False)
        except ValueError:
            continue  # a string of JavaScript with an escape that JSON lacks
        if len(_PARAGRAPH.findall(text)) >= 2 and not text.lstrip().startswith(("{", "[")):
            yield text


def _texts(markup: str) -> list[str]:
    tree = parse(bounded(markup.encode("utf-8", "replace"))[0])
    for node in tree.css(_CAPTIONS):
        node.decompose()
    return [text for node in tree.css("p, h2, h3, h4, li, blockquote") if (text := node_text(node))]
