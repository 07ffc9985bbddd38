"""Captures as WARC records, each a gzip member of its own. Pure.

Left out are cookies and whatever authorises us, in either direction; a URL with a password in it never gets
here (`worker.fetch.recording`).
"""

from __future__ import annotations

import io
import json
import re
import uuid
import zlib
from datetime import UTC
from typing import TYPE_CHECKING

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warcio.recordloader import ArcWarcRecord

    from worker.capture import Capture, Headers

#: Named fields of our own in a response's record: the accepted URL where it is another one, and the hints of
#: its producer as JSON. WARC 1.1, 4: readers ignore names that they do not know.
SUBJECT = "Ingest-Subject"
HINTS = "Ingest-Hints"
HINT_NAMES = ("title", "published_at", "author", "language")

_SECRETS = frozenset(
    {
        *("cookie", "cookie2", "set-cookie", "set-cookie2"),
        *("authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info"),
    }
)
#: What the client has undone already (RFC 9112, 6.1): under its own name, readers would undo it again.
_UNDONE = frozenset({"transfer-encoding"})
_USERINFO = re.compile(r"//[^/?#\s\"\\]*@")
_HINTS_CHARS = 4_000
#: zlib's default: level 9 takes twice the time for a percent of the size.
_LEVEL = 6
#: A body that is compressed already is only stored: five times faster, and 0.2 % larger.
_LEVEL_OF_CODED = 0
_GZIP = 31


def warcinfo(filename: str, facts: Mapping[str, str]) -> tuple[str, bytes]:
    """The first record of a file: its id and its bytes. Empty facts are left out."""
    writer = _Writer()
    lines = "".join(f"{name}: {fact}\r\n" for name, fact in facts.items() if fact).encode()
    record = writer.create_warc_record(
        "",
        "warcinfo",
        payload=io.BytesIO(lines),
        length=len(lines),
        warc_headers_dict={"WARC-Filename": filename},
    )
    return str(record.rec_headers.get_header("WARC-Record-ID")), writer.member(record)


def members(capture: Capture, warcinfo_id: str) -> bytes:
    """The response and its request, two records with one date."""
    writer, response_id = _Writer(), f"<urn:uuid:{capture.record}>"
    common = {
        "WARC-Date": warc_date(capture.began),
        "WARC-Warcinfo-ID": warcinfo_id,
        **({"WARC-IP-Address": capture.address} if capture.address else {}),
    }
    response = writer.create_warc_record(
        capture.url,
        "response",
        payload=io.BytesIO(capture.body),
        length=len(capture.body),
        http_headers=_Head(
            f"{capture.status} {capture.reason}".rstrip(),
            _kept(capture.headers),
            protocol=f"HTTP/{capture.http_version}",
        ),
        warc_headers_dict={
            "WARC-Record-ID": response_id,
            **common,
            **({"WARC-Truncated": capture.truncated} if capture.truncated else {}),
            **_on_behalf(capture),
        },
    )
    request = writer.create_warc_record(
        capture.url,
        "request",
        payload=io.BytesIO(),
        length=0,
        http_headers=_Head(
            f"GET {capture.path} HTTP/1.1", _kept(capture.request_headers), is_http_request=True
        ),
        warc_headers_dict={
            "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.UUID(capture.record), 'request')}>",
            **common,
            "WARC-Concurrent-To": response_id,
        },
    )
    is_coded = any(name.lower() == "content-encoding" for name, _ in capture.headers)
    packed = writer.member(response, _LEVEL_OF_CODED if is_coded else _LEVEL)
    return packed + writer.member(request)


def warc_date(moment: datetime) -> str:
    """An aware instant in UTC, with microseconds (WARC 1.1, 5.4)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Writer(WARCWriter):  # type: ignore[misc]
    """warcio's, which compresses at level 9 by itself: here it only writes the record."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), gzip=False, warc_version="WARC/1.1")

    def member(self, record: ArcWarcRecord, level: int = _LEVEL) -> bytes:
        """The record as one gzip member."""
        self.out = io.BytesIO()
        self.write_record(record)
        return zlib.compress(self.out.getbuffer(), level, wbits=_GZIP)


class _Head(StatusAndHeaders):  # type: ignore[misc]
    """A head whose bytes are those that came; warcio quotes what is not ASCII."""

    def compute_headers_buffer(self, header_filter: object = None) -> None:
        """Set the bytes that are written."""
        del header_filter
        self.headers_buff = self.to_bytes(encoding="latin-1")


def _kept(headers: Headers) -> list[tuple[str, str]]:
    return [
        (_name(name), _USERINFO.sub("//", value)) for name, value in headers if name.lower() not in _SECRETS
    ]


def _name(name: str) -> str:
    return f"X-Crawl-{name}" if name.lower() in _UNDONE else name


def _on_behalf(capture: Capture) -> dict[str, str]:
    subject = capture.subject
    fields: dict[str, str] = {}
    if subject is None:
        return {}
    if subject.url != capture.url:
        fields[SUBJECT] = subject.url
    hints = {
        name: hint for name in HINT_NAMES if isinstance(hint := (subject.hints or {}).get(name), str) and hint
    }
    if hints and len(told := json.dumps(hints)) <= _HINTS_CHARS:
        fields[HINTS] = told
    return fields
