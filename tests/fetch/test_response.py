from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import FetchFailed
from worker.fetch.response import is_page_type, looks_like_text, redirect_target, retry_after_s

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
BASE = "https://example.com/news/today?x=1"


@pytest.mark.parametrize(
    ("content_type", "verdict"),
    [
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        ("application/xhtml+xml", True),
        ("text/plain;charset=iso-8859-1", True),
        ("application/pdf", False),
        ("image/png", False),
        ("application/json", False),
        ("application/octet-stream", False),
        (None, None),
        ("", None),
        ("; charset=utf-8", None),
        ("html", None),
        ("unknown/unknown", None),
        ("*/*", None),
    ],
)
def test_content_types(content_type: str | None, verdict: bool | None) -> None:
    """HTML and plain text are pages, other types are not, and a type that says nothing leaves it open."""
    assert is_page_type(content_type) is verdict


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"<!doctype html><title>x</title>", True),
        (b"Plain words\r\n\tand more\x0c", True),
        ("Größe".encode("latin-1"), True),
        ("\ufeffSchlagzeile".encode("utf-16"), True),
        (b"\xef\xbb\xbftext\x00", True),
        (b"\x1b$B", True),  # ISO-2022-JP
        (b"", True),
        (b"%PDF-1.7\n", False),
        (b"\x89PNG\r\n\x1a\n", False),
        (b"GIF89a", False),
        (b"\xff\xd8\xff\xe0", False),
        (b"PK\x03\x04", False),
        (b"text with a\x00NUL", False),
        (b"a" * 1445 + b"\x00", True),  # browsers look no further either
    ],
)
def test_sniffing(body: bytes, verdict: bool) -> None:
    """A body without a type is text unless its first bytes are those of a binary format."""
    assert looks_like_text(body) is verdict


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"https://other.example/a", "https://other.example/a"),
        (b"/a/b", "https://example.com/a/b"),
        (b"next?y=2", "https://example.com/news/next?y=2"),
        (b"?y=2", "https://example.com/news/today?y=2"),
        (b"//other.example/a", "https://other.example/a"),
        (b" /padded \t", "https://example.com/padded"),
        (b"/a b", "https://example.com/a%20b"),
        ("/größe".encode(), "https://example.com/gr%C3%B6%C3%9Fe"),
        ("/größe".encode("latin-1"), "https://example.com/gr%F6%DFe"),
        (b"/kept%2Fas%20is", "https://example.com/kept%2Fas%20is"),
        ("https://bücher.example/".encode(), "https://xn--bcher-kva.example/"),
        (b"http:\\\\other.example\\a", "http://other.example/a"),
        (b"https://0x7f.1/", "https://127.0.0.1/"),
    ],
)
def test_locations_are_read_as_browsers_do(location: bytes, target: str) -> None:
    """Absolute, relative, sloppy and badly encoded Locations resolve by the URL standard."""
    assert redirect_target(BASE, location) == target


@pytest.mark.parametrize(
    "location", [None, b"", b"javascript:alert(1)", b"ftp://example.com/", b"data:text/html,x", b"https://"]
)
def test_unusable_locations_are_refused(location: bytes | None) -> None:
    """No Location, or one that is not http(s), is a bad redirect."""
    with pytest.raises(FetchFailed) as failure:
        redirect_target(BASE, location)
    assert failure.value.reason == "bad_redirect"


@given(st.binary(max_size=60))
def test_any_location_gives_an_http_url_or_a_bad_redirect(location: bytes) -> None:
    """No bytes of a server make the reading of a Location fail in any other way."""
    try:
        outcome = redirect_target(BASE, location)
    except FetchFailed as failure:
        outcome = failure.reason
    assert outcome == "bad_redirect" or (outcome.startswith(("http://", "https://")) and outcome.isascii())


@pytest.mark.parametrize(
    ("headers", "wanted_s"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "9" * 5000}, 604_800.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "Thu, 01 Jan 2026 12:01:30 GMT"}, 90.0),
        ({"Retry-After": "Thursday, 01-Jan-26 12:01:30 GMT"}, 90.0),
        ({"Retry-After": "Thu Jan  1 12:01:30 2026"}, 90.0),
        ({"Retry-After": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0.0),
        (
            {"Retry-After": "Thu, 01 Jan 2026 20:00:30 GMT", "Date": "Thu, 01 Jan 2026 20:00:00 GMT"},
            30.0,
        ),
        ({"Retry-After": "Thu, 01 Jan 2026 12:00:30 GMT", "Date": "yesterday"}, 30.0),
        ({"Retry-After": "Thu, 01 Jan 99999 12:00:30 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], wanted_s: float | None) -> None:
    """Seconds and all three date forms are read, dates by the server's own clock; nonsense is no wish."""
    assert retry_after_s(headers, NOW) == wanted_s


@given(st.text(max_size=40), st.text(max_size=40))
def test_retry_after_is_total(value: str, date: str) -> None:
    """Any header text gives nothing or 0 s to a week."""
    wanted_s = retry_after_s({"Retry-After": value, "Date": date}, NOW)
    assert wanted_s is None or 0 <= wanted_s <= 604_800
