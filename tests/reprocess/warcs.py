"""Archives to reprocess: as ingest writes them, and as others do."""

from __future__ import annotations

import gzip
import io
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from worker.archive.records import members, warcinfo
from worker.capture import Capture, Subject

if TYPE_CHECKING:
    from pathlib import Path

SENTENCE = "The ferry left the quay at nine and came back at noon, with all of its passengers. "
URL = "http://a.example/news/1"


def html(title: str = "A title of some words", times: int = 4) -> bytes:
    """An article."""
    text = f"<p>{SENTENCE * times}</p>" * 4
    return f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}".encode()


def at(hour: int) -> datetime:
    """An instant of one day in 2026."""
    return datetime(2026, 1, 2, hour, tzinfo=UTC)


@dataclass
class Own:
    """An archive of our own, being filled."""

    records: list[str] = field(default_factory=list)
    _parts: list[bytes] = field(default_factory=lambda: [warcinfo("own", {})[1]])

    def add(
        self,
        body: bytes,
        url: str = URL,
        *,
        hour: int = 1,
        subject: Subject | None = None,
        status: int = 200,
        truncated: bool = False,
        **headers: str,
    ) -> str:
        """Add a page, gzipped as a server would; its record's id."""
        record = str(uuid.uuid4())
        fields = {"content-type": "text/html", "content-encoding": "gzip", **headers}
        capture = Capture(
            record=record,
            began=at(hour),
            url=url,
            path="/",
            request_headers=(),
            http_version="1.1",
            status=status,
            reason="",
            headers=tuple((name.replace("_", "-"), value) for name, value in fields.items() if value),
            body=gzip.compress(body) if fields["content-encoding"] == "gzip" else body,
            truncated="length" if truncated else None,
            subject=subject or Subject(url),
        )
        self._parts.append(members(capture, "<urn:uuid:x>"))
        self.records.append(record)
        return record

    def write(self, path: Path, *, cut: int = 0) -> Path:
        """The file; without its last bytes, if some are cut."""
        data = b"".join(self._parts)
        path.write_bytes(data[: len(data) - cut])
        return path


def foreign(path: Path, *pages: tuple[str, bytes, int], packed: bool = True) -> Path:
    """An archive of WARC 1.0 as wget writes them: <URL>, chunks left as they came."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=packed, warc_version="WARC/1.0")
        for url, body, hour in pages:
            chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            head = StatusAndHeaders(
                "200 OK",
                [("Content-Type", "text/html"), ("Transfer-Encoding", "chunked")],
                protocol="HTTP/1.1",
            )
            record = writer.create_warc_record(
                f"<{url}>",
                "response",
                payload=io.BytesIO(chunked),
                length=len(chunked),
                http_headers=head,
                warc_headers_dict={"WARC-Date": at(hour).strftime("%Y-%m-%dT%H:%M:%SZ")},
            )
            writer.write_record(record)
    return path
