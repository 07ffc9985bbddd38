"""Which archived responses are pages, and what of them is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.reprocess.warcs import URL, Own, foreign, html
from worker.archive.reader import Archived, Damaged, responses
from worker.capture import Subject
from worker.reprocess.page import NoPage, page_of

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 100_000


def archived(folder: Path, body: bytes | None = None, **changes: Any) -> Archived:
    """The only response of an archive of our own."""
    own = Own()
    own.add(html() if body is None else body, **changes)
    (found,) = responses(own.write(folder / "own.warc.gz"), limit_bytes=LIMIT)
    return found


def test_a_page_is_what_the_fetcher_had(tmp_path: Path) -> None:
    """Body, validators, type and wishes are those of the response; the subject is the accepted URL."""
    subject = Subject("http://b.example/moved", {"title": "Ferr\xe9", "more": 1})
    date = "Thu, 01 Jan 2026 00:00:00 GMT"
    found = archived(tmp_path, subject=subject, etag='"e"', x_robots_tag="noindex", last_modified=date)
    url, page = page_of(found, limit_bytes=LIMIT)
    assert (url, page.url, page.body) == ("http://b.example/moved", URL, html())
    assert (page.etag, page.robots_tag, page.content_type) == ('"e"', ("noindex",), "text/html")
    assert page.last_modified == date
    assert page.wire_bytes == len(found.body or b"") < len(html())
    assert found.hints == {"title": "Ferr\xe9"}
    assert page.record == found.record


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": 404}, "status"),
        ({"status": 301}, "status"),
        ({"status": 206}, "status"),
        ({"truncated": True}, "truncated"),
        ({"url": "http://a.example/robots.txt"}, "robots.txt"),
        ({"content_type": "application/pdf"}, "not_html"),
        ({"body": b"%PDF-1.7"}, "not_html"),
        ({"body": b""}, "empty"),
        ({"body": b" " * (LIMIT + 1)}, "too_large"),
        ({"subject": Subject("http://[")}, "malformed"),
    ],
)
def test_what_a_worker_would_not_read_is_no_page(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    """By the fetcher's own rules, bombs included."""
    headers = {name.replace("content_type", "content-type"): value for name, value in changes.items()}
    with pytest.raises(NoPage, match=why):
        page_of(archived(tmp_path, **headers), limit_bytes=LIMIT)


def test_a_body_over_the_limit_is_not_read_in(tmp_path: Path) -> None:
    """What is too large as it lies there is never in memory as a whole."""
    found = archived(tmp_path, b"x" * (LIMIT + 1), **{"content-encoding": ""})
    assert found.body is None
    with pytest.raises(NoPage, match="too_large"):
        page_of(found, limit_bytes=LIMIT)


def test_a_coding_that_was_undone_already_is_not_undone_again(tmp_path: Path) -> None:
    """Some crawlers leave the header behind."""
    found = replace(archived(tmp_path), body=html())
    assert page_of(found, limit_bytes=LIMIT)[1].body == html()


@pytest.mark.parametrize("packed", [True, False])
def test_others_archives_are_read(tmp_path: Path, packed: bool) -> None:
    """WARC 1.0, gzipped or plain, angle brackets and chunks."""
    path = foreign(tmp_path / "wget.warc", ("http://A.example:80/1#x", html(), 3), packed=packed)
    (found,) = responses(path, limit_bytes=LIMIT)
    url, page = page_of(found, limit_bytes=LIMIT)
    assert (url, page.body) == ("http://a.example/1", html())
    assert (found.date.hour, found.subject, found.hints) == (3, None, {})


def test_only_the_half_record_at_the_end_is_passed_over(tmp_path: Path) -> None:
    """However many bytes a killed process had still to write."""
    own = Own()
    ids = [own.add(html(f"Title {number} of some words")) for number in range(3)]
    whole = own.write(tmp_path / "a").stat().st_size
    for cut in (1, 40, 200, 400):
        found = [each.record for each in responses(own.write(tmp_path / "b", cut=cut), limit_bytes=LIMIT)]
        assert found in (ids, ids[:2]), cut
    assert whole > 1_000


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    """Also behind good records: those come first."""
    own = Own()
    own.add(html())
    path = own.write(tmp_path / "own")
    path.write_bytes(path.read_bytes() + b"nothing of an archive\n" * 9)
    iterator = responses(path, limit_bytes=LIMIT)
    assert next(iterator).status == 200
    with pytest.raises(Damaged):
        next(iterator)
    path.write_bytes(b"<html>")
    with pytest.raises(Damaged):
        next(responses(path, limit_bytes=LIMIT))
