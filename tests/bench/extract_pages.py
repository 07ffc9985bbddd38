"""The pages that extractors are measured on, and what is known of each."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.site.answers import PAGES, Dripped, First, Late, Page
from tests.site.catalogue import CATALOGUE
from tests.site.expected import ARTICLE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.site.answers import Answer
    from tests.site.expected import Expected

_NO_ARTICLE = "dead:not_article"


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page in memory. What is None is not known, and is not scored."""

    name: str
    url: str
    body: bytes
    publisher: str
    country: str
    is_article: bool = True
    content_type: str | None = None
    text: str | None = None
    title: str | None = None
    published_at: str | None = None  # RFC 3339
    authors: tuple[str, ...] | None = None
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()


def real_pages(folder: Path) -> list[KnownPage]:
    """The pages of `folder`, whose `expected.jsonl` has a row for each. All are articles.

    Files are named `<country>_<publisher>_<date>.html.gz`. Rows have file, url, title, authors,
    published_at and paragraphs.
    """
    with (folder / "expected.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        KnownPage(
            name=row["file"].removesuffix(".html.gz"),
            url=row["url"],
            body=gzip.decompress((folder / row["file"]).read_bytes()),
            publisher="_".join(row["file"].split("_")[:2]),
            country=row["file"].split("_")[0],
            text="\n".join(row["paragraphs"]),
            title=row["title"] or None,
            published_at=row["published_at"] or None,
            authors=tuple(row["authors"] or ()) or None,
        )
        for row in rows
    ]


def sample_pages() -> list[KnownPage]:
    """The pages of our own site that are an article, or look like one and are none.

    Of its other URLs no page comes, or one that another URL has brought. The site tells title, date and
    authors, stretches of the body and words outside it, and no body in full.
    """
    known = ((expected, _page(expected.answer)) for expected in CATALOGUE)
    return [
        _sample(expected, page)
        for expected, page in known
        if page is not None and expected.outcome in {ARTICLE, _NO_ARTICLE}
    ]


def _sample(expected: Expected, page: Page) -> KnownPage:
    is_article = expected.outcome == ARTICLE
    origin = f"http://{expected.host}"
    return KnownPage(
        name=page.file,
        url=origin + expected.path,
        body=(PAGES / page.file).read_text("utf-8").replace("@ORIGIN@", origin).encode(page.charset),
        publisher=page.file.partition("/")[0],
        country=expected.language or "",
        is_article=is_article,
        content_type=page.content_type,
        title=expected.title,
        published_at=expected.published_at,
        authors=expected.authors if is_article else None,
        must_contain=expected.must_contain,
        must_not_contain=expected.must_not_contain,
    )


def _page(answer: Answer | None) -> Page | None:
    while isinstance(answer, First | Late | Dripped):
        answer = answer.page if isinstance(answer, Dripped) else answer.then
    return answer if isinstance(answer, Page) else None
