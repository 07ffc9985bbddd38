"""Real pages, where they are at hand: every one of them is an article."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from worker.extract import extract_article
from worker.extract.text import letters, words

SHARED = Path(os.environ.get("INGEST_SHARED", Path(__file__).parents[3] / "shared"))
PAGES = SHARED / "pages"


def test_real_article_pages_are_never_refused() -> None:
    """Every fifth shared page yields an article, nearly all of them the right title and most of the text."""
    if not (PAGES / "expected.jsonl").is_file():
        pytest.skip("the shared pages are not at hand; set INGEST_SHARED")
    rows = [json.loads(line) for line in (PAGES / "expected.jsonl").read_text().splitlines()][::5]
    titles, overlaps = 0, []
    for row in rows:
        article = extract_article(gzip.decompress((PAGES / row["file"]).read_bytes()), url=row["url"])
        titles += letters(article.title) == letters(row["title"])
        expected, found = set(words(" ".join(row["paragraphs"]))), set(words(article.text))
        overlaps.append(len(expected & found) / len(expected))
    assert titles >= 0.8 * len(rows)
    assert sum(overlaps) >= 0.9 * len(rows)
