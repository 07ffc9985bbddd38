from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import FetchFailed
from worker.fetch.response import is_page_type, max_age_s, redirect_target, retry_after_s, why_no_page

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


HTML = b"<!doctype html><title>x</title>"
XHTML = b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">\n<html>'
RSS = b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- made by hand -->\n<rss version="2.0">'
ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom">'


@pytest.mark.parametrize("content_type", [None, "*/*", "text/html", "text/plain"])
@pytest.mark.parametrize(
    "body",
    [
        HTML,
        b"Plain words\r\n\tand more\x0c",
        "Größe".encode("latin-1"),
        "\ufeffSchlagzeile".encode("utf-16"),
        b"\xef\xbb\xbftext\x00",
        b"\x1b$B",  # ISO-2022-JP
        b"",
        b"a" * 1445 + b"\x00",  # browsers look no further either
        b"BMW and OTTO open a plant; ID3 sells well",
        b"GIF is forty years old",
        b"feed the birds",
    ],
)
def test_text_may_be_a_page(content_type: str | None, body: bytes) -> None:
    """What opens as HTML or text is a page, under a type of a page and under none."""
    assert why_no_page(content_type, body) is None


@pytest.mark.parametrize("content_type", [None, "text/html; charset=utf-8", "text/plain", "unknown/unknown"])
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"GIF89a", "an image"),
        (b"\xff\xd8\xff\xe0", "an image"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "an image"),
        (b"BM\x36\x10\x0e\0\0\0\0\0", "an image"),
        (b"\0\0\1\0", "an image"),
        (b"ID3\3\0", "audio"),
        (b"OggS\0", "audio"),
        (b"\0\0\0\x20ftypisom", "video"),
        (b"\x1a\x45\xdf\xa3", "video"),
        (b"PK\x03\x04", "an archive"),
        (b"\x1f\x8b\x08", "an archive"),
        (b"wOF2\0\1\0\0", "a font"),
        (b"\xd0\xcf\x11\xe0", "an office document"),
        (b"{\\rtf1", "an office document"),
        (RSS, "a feed: <rss>"),
        (ATOM, "a feed: <feed>"),
        (b"<rdf:RDF>", "a feed: <rdf:rdf>"),
        (b"<?xml version='1.0'?><urlset>", "a feed: <urlset>"),
    ],
)
def test_files_under_a_lying_type_are_no_page(content_type: str | None, body: bytes, says: str) -> None:
    """A picture, a document, an archive or a feed is one, whatever it is called."""
    assert str(why_no_page(content_type, body)).endswith(f"but the body is {says}")


@pytest.mark.parametrize(
    ("content_type", "binary"),
    [
        (None, True),
        ("", True),
        ("text/plain", True),
        ("text/plain; charset=ISO-8859-1", True),
        ("text/plain; charset=UTF-8", True),
        ("text/plain; charset=utf-16le", False),
        ("text/html", False),  # may be UTF-16 without a BOM
    ],
)
def test_binary_bytes_count_where_the_type_is_a_servers_default(
    content_type: str | None, binary: bool
) -> None:
    """MIME Sniffing, 7.2: only a type that servers send for anything is doubted for bytes alone."""
    assert (why_no_page(content_type, b"<\0p\0>\0h\0i\0") is not None) is binary


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=utf-8"])
@pytest.mark.parametrize(
    ("body", "is_page"), [(XHTML, True), (b"<html>", True), (b"<svg>", False), (RSS, False), (b"x", False)]
)
def test_xml_may_be_xhtml(content_type: str, body: bytes, is_page: bool) -> None:
    """XML whose root is html is a page, as in browsers."""
    assert is_page_type(content_type) is None
    assert (why_no_page(content_type, body) is None) is is_page


@given(st.sampled_from([None, "text/html", "text/xml", "text/plain"]), st.binary(max_size=80))
def test_any_body_can_be_sniffed(content_type: str | None, body: bytes) -> None:
    """Sniffing is total."""
    assert why_no_page(content_type, body) is None or isinstance(why_no_page(content_type, body), str)


@pytest.mark.parametrize(
    ("cache_control", "age", "seconds"),
    [
        ("", "", None),
        ("public", "", None),
        ("max-age=600", "", 600.0),
        ('public, MAX-AGE="60"', "", 60.0),
        ("max-age=600", "200", 400.0),
        ("max-age=600", "900", 0.0),
        ("max-age=600", "-1", 600.0),
        ("max-age=600, max-age=60", "", 60.0),
        ("no-cache, max-age=600", "", 0.0),
        ("no-store", "", 0.0),
        ("max-age=-5", "", None),
        ("s-maxage=5", "", None),
        ("max-age=" + "9" * 4000, "", 2.0**31),
    ],
)
def test_freshness(cache_control: str, age: str, seconds: float | None) -> None:
    """max-age less Age; nothing where the response may not be kept; None where it says nothing."""
    assert max_age_s(cache_control, age) == seconds


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
