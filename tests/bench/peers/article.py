"""What every peer makes of a page: trafilatura's text and metadata, as one JSON object."""

from __future__ import annotations

import json

import trafilatura
from trafilatura.settings import Document

_TREES = frozenset({"body", "commentsbody"})  # lxml elements, of which the text is the same


def article(page: bytes, url: str) -> str:
    """The page's record. Without an article `text` is null: each URL has exactly one record."""
    document = trafilatura.bare_extraction(page, url=url, with_metadata=True, include_comments=False)
    found = document.as_dict() if isinstance(document, Document) else {}
    known = {name: value for name, value in found.items() if name not in _TREES}
    return json.dumps({"text": None} | known | {"url": url}, ensure_ascii=False)
