"""The responses of a WARC file, ours or anybody's: gzipped or not, cut off at the end or not."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed

from worker.archive.records import HINT_NAMES, HINTS, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any, BinaryIO

_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z")
_PIECE_BYTES = 65_536
#: What a damaged or foreign file may make the library raise, besides its own.
_DAMAGE = (ArchiveLoadFailed, zlib.error, EOFError, ValueError, UnicodeError, AttributeError, KeyError)


class Damaged(Exception):
    """The file cannot be read any further. What was read before is whole."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A response. `body` is as it came, its chunks undone; None: over the limit."""

    record: str  # its id without `<urn:uuid:>`, where it has one
    date: datetime  # aware
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    truncated: bool  # when it was fetched
    subject: str | None  # the accepted URL, where ingest wrote it and it is another one
    hints: dict[str, str]

    def header(self, name: str) -> str | None:
        """The values of a header, joined as RFC 9110, 5.3 has it; None without one."""
        values = self.values(name)
        return ", ".join(values) if values else None

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a header, one by one."""
        return tuple(value for key, value in self.headers if key.lower() == name)


def responses(path: Path, *, limit_bytes: int) -> Iterator[Archived]:
    """The responses of the file in their order; of a body, `limit_bytes` at most.

    A record that a killed process left half-written at the end is passed over. Raises OSError, and Damaged
    for what is no WARC file, or not all along.
    """
    with path.open("rb") as stream:
        # Nobody checks digests here: a page that was changed by hand is its owner's affair.
        iterator = ArchiveIterator(stream, check_digests=False)
        while (record := _next(iterator)) is not None:
            if record.rec_type == "response" and (found := _archived(record, limit_bytes)):
                yield found


def _next(iterator: ArchiveIterator) -> Any:
    try:
        return next(iterator, None)
    except _DAMAGE as error:
        raise Damaged(f"{type(error).__name__}: {str(error).strip()[:200]}") from error


def _archived(record: Any, limit_bytes: int) -> Archived | None:
    """None for what no HTTP response is, and for half of a record."""
    fields, http = record.rec_headers, record.http_headers
    url, date = fields.get_header("WARC-Target-URI"), _instant(fields.get_header("WARC-Date"))
    if not url or http is None or date is None or not url.strip("<>").lower().startswith(("http:", "https:")):
        return None
    try:
        status = int(http.get_statuscode())
        body = _body(record, limit_bytes)
    except _DAMAGE:
        return None
    if body is not None and record.raw_stream.limit > 0:
        return None
    return Archived(
        record=_bare(fields.get_header("WARC-Record-ID") or ""),
        date=date,
        url=url.strip("<>"),  # wget writes them
        status=status,
        headers=tuple((name, value) for name, value in http.headers),
        body=body,
        truncated=fields.get_header("WARC-Truncated") is not None,
        subject=fields.get_header(SUBJECT),
        hints=_hints(fields.get_header(HINTS)),
    )


def _body(record: Any, limit_bytes: int) -> bytes | None:
    stream: BinaryIO = record.raw_stream
    if "chunked" in (record.http_headers.get_header("Transfer-Encoding") or "").lower():
        stream = ChunkedDataReader(stream, decomp_type=None)
    kept = bytearray()
    while piece := stream.read(_PIECE_BYTES):
        kept += piece
        if len(kept) > limit_bytes:
            return None
    while record.raw_stream.read(_PIECE_BYTES):  # what follows the last chunk
        pass
    return bytes(kept)


def _instant(written: str | None) -> datetime | None:
    if not written or not (found := _DATE.fullmatch(written.strip())):
        return None
    try:
        seconds = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return seconds.replace(microsecond=int((found[2] or ".0")[1:7].ljust(6, "0")))


def _bare(record_id: str) -> str:
    return record_id.strip("<>").removeprefix("urn:uuid:")


def _hints(written: str | None) -> dict[str, str]:
    try:
        said = json.loads(written or "{}")
    except ValueError:
        return {}
    known = said.items() if isinstance(said, dict) else ()
    return {name: hint for name, hint in known if name in HINT_NAMES and isinstance(hint, str)}
