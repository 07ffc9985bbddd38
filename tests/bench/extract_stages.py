"""`python -m tests.bench.extract_stages [FOLDER]`: our parse and reading of the body beside the bare parse.

Prints a JSON list of `[bare_ms, body_ms]` for each HTML page, by process time. It has a process of its own,
since a run over the same pages would have filled the caches of words and class names. Without FOLDER the
set is our own sample site.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from tests.bench.extract_pages import real_pages, sample_pages
from worker.extract import markup, sniff
from worker.extract.body import read_body
from worker.extract.charset import decode
from worker.extract.structured import read_structured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.extract_pages import KnownPage


def measure(pages: Sequence[KnownPage]) -> list[tuple[float, float]]:
    """CPU milliseconds of the parser alone, and of our parse and body, for each page that is HTML."""
    decoded = [(page, decode(page.body, page.content_type).utf8) for page in pages]
    return [
        _both(page, markup.bounded(body)[0])
        for page, body in decoded
        if not sniff.is_plain_text(body, page.content_type)
    ]


def _both(page: KnownPage, text: bytes) -> tuple[float, float]:
    facts = read_structured(markup.parse(text), url=page.url)
    summaries, written = facts.summaries(), facts.written
    start = time.process_time()
    bare = LexborHTMLParser(text)
    parsed = time.process_time()
    tree = markup.parse(text)
    read_body(tree, title=page.title, summaries=summaries, written=written)
    ended = time.process_time()
    del bare  # not before: freeing it is no part of either figure
    return (parsed - start) * 1000, (ended - parsed) * 1000


def main() -> None:
    """Measure after the sample site's pages, uncounted, and print."""
    measure(sample_pages())
    pages = real_pages(Path(sys.argv[1])) if len(sys.argv) > 1 else sample_pages()
    json.dump(measure(pages), sys.stdout)


if __name__ == "__main__":
    main()
