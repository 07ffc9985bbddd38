"""The catalogue agrees with itself, with the routes, with the files and with the worker's reasons."""

from __future__ import annotations

from collections import Counter

from tests.site.answers import PAGES, Page
from tests.site.articles import ARTICLES
from tests.site.catalogue import CATALOGUE
from tests.site.routes import HOSTS, routes
from worker.feeds.parse import parse_feed
from worker.outcomes import outcome
from worker.urls import canonicalise


def test_catalogue_is_as_wide_as_promised() -> None:
    """Some forty URLs over at least twelve hosts, at most four each to fetch, in seven languages at least."""
    per_host = Counter(row.host for row in CATALOGUE)
    assert len(CATALOGUE) >= 40
    assert set(per_host) == set(HOSTS)
    assert len(HOSTS) >= 12
    assert max(Counter(row.host for row in CATALOGUE if not row.outcome.startswith("refused")).values()) <= 4
    assert {"en", "de", "fr", "es", "tr", "ar", "ja"} <= {row.language for row in ARTICLES}


def test_every_reason_is_a_row_of_the_outcomes() -> None:
    """No row dies of a reason that the worker does not know."""
    for row in CATALOGUE:
        if row.reason is None:
            assert row.outcome in {"article", "refused:duplicate"}
        else:
            assert outcome(row.reason).reason == row.reason


def test_duplicates_come_after_their_original() -> None:
    """A refused row, and no other, has the canonical URL of a row queued before it."""
    seen: set[str] = set()
    for row in CATALOGUE:
        canonical = canonicalise(row.url(8080))
        assert (canonical in seen) == (row.outcome == "refused:duplicate"), row
        seen.add(canonical)


def test_the_feed_lists_all_articles() -> None:
    """And one page that is gone, for what becomes of such."""
    feed = (PAGES / "tidewire/articles.xml").read_bytes().replace(b"@PORT@", b"8080")
    gone = [row for row in CATALOGUE if row.reason == "http_410"]
    assert len(gone) == 1
    listed = [entry.url for entry in parse_feed(feed, url="http://127.0.1.14:8080/").entries]
    assert listed == [row.url(8080) for row in [*ARTICLES, *gone]]


def test_every_page_file_is_served() -> None:
    """No file of pages/ is an orphan, and no route leads to a missing one."""
    on_disk = {str(file.relative_to(PAGES)) for file in PAGES.rglob("*.*")}
    in_routes = set()
    for paths in routes().values():
        for answer in paths.values():
            while not isinstance(answer, Page) and (
                inner := getattr(answer, "then", getattr(answer, "page", None))
            ):
                answer = inner  # noqa: PLW2901
            if isinstance(answer, Page):
                in_routes.add(answer.file)
    assert in_routes == on_disk
