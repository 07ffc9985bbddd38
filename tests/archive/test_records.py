"""Captures as records, whatever a server has sent."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archive.reading import Record, records
from worker.archive.records import members, warc_date, warcinfo
from worker.capture import Capture, Subject

if TYPE_CHECKING:
    from pathlib import Path

BODY = gzip.compress(b"<html><p>The ferry sails.</p>")
CAPTURE = Capture(
    record="0b5e7c1e-5a57-4b0e-8f0d-9a4f1f3c2d1b",
    began=datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    url="https://www.example.com/news/ferry?a=1",
    path="/news/ferry?a=1",
    request_headers=(("Host", "www.example.com"), ("User-Agent", "ingest/1"), ("Accept", "text/html")),
    http_version="1.1",
    status=200,
    reason="OK",
    headers=(("Content-Type", "text/html"), ("Content-Encoding", "gzip"), ("X-Caf\xe9", "\xe9")),
    body=BODY,
    address="192.0.2.7",
    subject=Subject("https://example.com/ferry", {"title": "Le fer\xe9", "feed": 7, "language": ""}),
)


def written(folder: Path, *captures: Capture) -> list[Record]:
    """The records of a file with these captures."""
    info_id, first = warcinfo("a.warc.gz", {"software": "ingest/1", "operator": ""})
    path = folder / "a.warc.gz"
    path.write_bytes(first + b"".join(members(capture, info_id) for capture in captures))
    return records(path)


def test_a_capture_is_a_response_and_its_request(tmp_path: Path) -> None:
    """All that WARC 1.1 asks for is there, and the body is the one that came, byte for byte."""
    info, response, request = written(tmp_path, CAPTURE)
    assert (info.kind, response.kind, request.kind) == ("warcinfo", "response", "request")
    assert info.payload == b"software: ingest/1\r\n"
    assert info.fields["WARC-Filename"] == "a.warc.gz"
    common = {
        "WARC-Target-URI": CAPTURE.url,
        "WARC-Date": "2026-01-02T03:04:05.678901Z",
        "WARC-IP-Address": "192.0.2.7",
        "WARC-Warcinfo-ID": info.fields["WARC-Record-ID"],
    }
    assert common.items() <= response.fields.items()
    assert common.items() <= request.fields.items()
    assert response.fields["WARC-Record-ID"] == f"<urn:uuid:{CAPTURE.record}>"
    assert request.fields["WARC-Concurrent-To"] == response.fields["WARC-Record-ID"]
    assert request.fields["WARC-Record-ID"] != response.fields["WARC-Record-ID"]
    assert response.fields["WARC-Payload-Digest"].startswith("sha1:")
    assert "WARC-Truncated" not in response.fields
    assert (response.first_line, response.payload) == ("HTTP/1.1 200 OK", BODY)
    assert response.content == b"<html><p>The ferry sails.</p>"
    assert request.first_line == "GET /news/ferry?a=1 HTTP/1.1"
    assert request.headers["user-agent"] == "ingest/1"
    assert response.fields["Ingest-Subject"] == "https://example.com/ferry"
    assert response.fields["Ingest-Hints"] == '{"title": "Le fer\\u00e9"}'


def test_what_is_as_usual_is_not_said(tmp_path: Path) -> None:
    """No subject where it is the URL itself, no hints where there are none, no address beyond a proxy."""
    plain = replace(CAPTURE, subject=Subject(CAPTURE.url), address=None)
    for capture in (plain, replace(plain, subject=None)):
        _, response, _ = written(tmp_path, capture)
        assert not {"Ingest-Subject", "Ingest-Hints", "WARC-IP-Address"} & response.fields.keys()


def test_secrets_stay_out(tmp_path: Path) -> None:
    """Cookies and credentials of either direction, and a password in an address that the server names."""
    capture = replace(
        CAPTURE,
        request_headers=(
            *CAPTURE.request_headers,
            ("Cookie", "sid=SECRET"),
            ("authorization", "Basic SECRET"),
            ("Proxy-Authorization", "Basic SECRET"),
        ),
        headers=(
            ("set-cookie", "sid=SECRET"),
            ("Set-Cookie", "other=SECRET"),
            ("Authentication-Info", "nextnonce=SECRET"),
            ("Location", "https://user:SECRET@example.com/next"),
        ),
    )
    _, response, request = written(tmp_path, capture)
    assert response.headers == {"location": "https://example.com/next"}
    assert b"SECRET" not in gzip.decompress((tmp_path / "a.warc.gz").read_bytes())
    assert "cookie" not in request.headers


def test_chunks_are_told_under_another_name(tmp_path: Path) -> None:
    """They are undone: who undid them again would find none."""
    capture = replace(CAPTURE, headers=(("Transfer-Encoding", "chunked"), ("Content-Type", "text/html")))
    _, response, _ = written(tmp_path, capture)
    assert response.headers == {"x-crawl-transfer-encoding": "chunked", "content-type": "text/html"}
    assert response.payload == BODY


def test_heads_keep_their_bytes(tmp_path: Path) -> None:
    """A header in Latin-1 is neither quoted nor made UTF-8."""
    written(tmp_path, CAPTURE)
    assert b"\r\nX-Caf\xe9: \xe9\r\n" in gzip.decompress((tmp_path / "a.warc.gz").read_bytes())


@pytest.mark.parametrize("why", ["length", "time", "disconnect", "unspecified"])
def test_a_cut_body_says_why(tmp_path: Path, why: str) -> None:
    """Half a body passes for no whole one."""
    _, response, _ = written(tmp_path, replace(CAPTURE, body=BODY[:9], truncated=why))  # type: ignore[arg-type]
    assert (response.fields["WARC-Truncated"], response.payload) == (why, BODY[:9])


_TOKENS = st.from_regex(re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}"), fullmatch=True)
_VALUES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f\x85"), max_size=40
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    headers=st.lists(st.tuples(_TOKENS, _VALUES), max_size=5),
    body=st.binary(max_size=300),
    status=st.integers(100, 599),
    reason=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20),
)
def test_any_exchange_is_readable(
    tmp_path: Path, headers: list[tuple[str, str]], body: bytes, status: int, reason: str
) -> None:
    """Records stay whole, with right digests, for both readers."""
    capture = replace(CAPTURE, headers=tuple(headers), body=body, status=status, reason=reason)
    payloads = [record.payload for record in _raw(tmp_path, capture)]
    assert payloads[1] == body


def _raw(folder: Path, capture: Capture) -> list[Record]:
    # Content codings that the header names and the body does not have are another matter.
    kept = tuple(pair for pair in capture.headers if pair[0].lower() != "content-encoding")
    return written(folder, replace(capture, headers=kept), CAPTURE)


def test_dates_are_utc() -> None:
    """Whatever zone the instant comes in."""
    moment = datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert warc_date(moment) == "2025-12-31T23:30:00.000000Z"
