"""The extractors side by side, each behind one call: a page in, what it read out.

Each library is imported when it is asked for: the others' processes carry nothing of it, and it may be
absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from worker.errors import NotAnArticle
from worker.extract import extract_article

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.extract_pages import KnownPage


@dataclass(frozen=True, slots=True)
class Found:
    """What was read from a page. `method` and `confidence` are ours alone."""

    text: str = ""
    title: str | None = None
    published_at: str | None = None
    authors: tuple[str, ...] = ()
    agency: str | None = None
    method: str | None = None
    confidence: float | None = None


def _ingest() -> Callable[[KnownPage], Found]:
    def read(page: KnownPage) -> Found:
        try:
            article = extract_article(page.body, url=page.url, content_type=page.content_type)
        except NotAnArticle:
            return Found()
        return Found(
            text=article.text,
            title=article.title,
            published_at=article.published_at,
            authors=tuple(author.name for author in article.authors),
            agency=article.agency,
            method=article.extraction.provenance["text"],
            confidence=article.extraction.confidence,
        )

    return read


def _trafilatura() -> Callable[[KnownPage], Found]:
    from trafilatura import bare_extraction  # noqa: PLC0415 - see above

    def read(page: KnownPage) -> Found:
        document = bare_extraction(page.body, url=page.url, with_metadata=True, include_comments=False)
        if document is None:
            return Found()
        assert not isinstance(document, dict)  # as its deprecated as_dict would make it
        names = (name.strip() for name in (document.author or "").split(";"))
        return Found(
            text=document.text or "",
            title=document.title,
            published_at=document.date,
            authors=tuple(name for name in names if name),
        )

    return read


def _resiliparse() -> Callable[[KnownPage], Found]:
    from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415 - see above
    from resiliparse.parse.encoding import detect_encoding  # noqa: PLC0415
    from resiliparse.parse.html import HTMLTree  # noqa: PLC0415

    def read(page: KnownPage) -> Found:
        tree = HTMLTree.parse_from_bytes(page.body, detect_encoding(page.body) or "utf-8")
        text = extract_plain_text(tree, main_content=True, alt_texts=False, links=False)
        return Found(text=text, title=tree.title)

    return read


_READERS = {"ingest": _ingest, "trafilatura": _trafilatura, "resiliparse": _resiliparse}

OURS = "ingest"
YARDSTICK = "trafilatura"
NAMES = tuple(_READERS)
#: Fields that a contestant has no call for. A dash is printed, not a zero.
LACKS = {"resiliparse": frozenset({"minute", "day", "authors"})}


def reader(name: str) -> Callable[[KnownPage], Found]:
    """The contestant `name`, its library imported. Raises KeyError, ImportError."""
    return _READERS[name]()


def release(name: str) -> str | None:
    """The version of the contestant's library, "" for ours; None where it is not installed."""
    if name == OURS:
        return ""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
