"""`python -m tests.bench.extract_run CONTESTANT [FOLDER]`: one contestant over one set, by itself.

Prints a JSON list with a row for each page. Without FOLDER the set is our own sample site.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import extract_score as score
from tests.bench.extract_contestants import LACKS, reader
from tests.bench.extract_pages import KnownPage, real_pages, sample_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.extract_contestants import Found


@dataclass(frozen=True, slots=True)
class PageScore:
    """How one contestant did on one page. None is not known of the page, or not read by the contestant."""

    page: str
    publisher: str
    country: str
    cpu_ms: float  # of the whole call, by process time
    judged: bool  # said to be an article where it is one, and not where it is none
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    title: bool | None = None
    minute: bool | None = None
    day: bool | None = None
    authors: float | None = None
    kept: float | None = None  # share of the known stretches of the body that were found
    clean: float | None = None  # share of the known words outside the body that were left out
    method: str | None = None
    confidence: float | None = None


def run(name: str, pages: Sequence[KnownPage]) -> list[PageScore]:
    """Read every page once, counting CPU, after the sample site's pages, uncounted."""
    read = reader(name)
    # trafilatura loads its reader of dates, for more than a second, at the first page that needs it, and one
    # page to warm up on need not be that page.
    for page in sample_pages():
        read(page)
    scores = []
    for page in pages:
        began = time.process_time()
        found = read(page)
        cpu_ms = (time.process_time() - began) * 1000
        scores.append(scored(page, found, cpu_ms, LACKS.get(name, frozenset())))
    return scores


def scored(page: KnownPage, found: Found, cpu_ms: float, lacks: frozenset[str] = frozenset()) -> PageScore:
    """What of `found` is right; the fields named in `lacks` stay None."""
    body = None if page.text is None else score.overlap(page.text, found.text)
    foreign = score.share_of(page.must_not_contain, found.text) if found.text else None
    fields: dict[str, bool | float | None] = {}
    if page.title is not None:
        fields["title"] = score.same_title(page.title, found.title)
    if page.published_at is not None:
        fields["minute"] = score.same_minute(page.published_at, found.published_at)
        fields["day"] = score.same_day(page.published_at, found.published_at)
    if page.authors is not None:
        fields["authors"] = score.authors_f1(page.authors, found.authors, found.agency)
    return PageScore(
        page=page.name,
        publisher=page.publisher,
        country=page.country,
        cpu_ms=cpu_ms,
        judged=bool(found.text.strip()) == page.is_article,
        precision=body.precision if body else None,
        recall=body.recall if body else None,
        f1=body.f1 if body else None,
        kept=score.share_of(page.must_contain, found.text),
        clean=None if foreign is None else 1 - foreign,
        method=found.method,
        confidence=found.confidence,
        **{key: value for key, value in fields.items() if key not in lacks},  # type: ignore[arg-type]
    )


def main() -> None:
    """Run and print."""
    name, *folder = sys.argv[1:]
    pages = real_pages(Path(folder[0])) if folder else sample_pages()
    json.dump([dataclasses.asdict(each) for each in run(name, pages)], sys.stdout)


if __name__ == "__main__":
    main()
