"""Archives as two other libraries read them: warcio, with its own checker, and FastWARC."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it stands in the file. `payload` is as stored, `content` what warcio makes of it."""

    kind: str
    fields: dict[str, str]
    first_line: str
    headers: dict[str, str]
    payload: bytes
    content: bytes


def records(path: Path) -> list[Record]:
    """Every record of the file; a digest that is wrong, or FastWARC seeing others, fails the test."""
    assert Checker(SimpleNamespace(inputs=[str(path)], verbose=False)).process_all() == 0
    found = [
        Record(*stored, content)
        for stored, content in zip(_read(path, raw=True), _contents(path), strict=True)
    ]
    with path.open("rb") as stream:
        seen = [
            (record.record_id, record.verify_block_digest())
            for record in FastIterator(stream, parse_http=False)
        ]
    assert seen == [(record.fields["WARC-Record-ID"], True) for record in found]
    return found


def _read(path: Path, *, raw: bool) -> Iterator[tuple[str, dict[str, str], str, dict[str, str], bytes]]:
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests="raise"):
            http = record.http_headers
            yield (
                record.rec_type,
                dict(record.rec_headers.headers),
                f"{http.protocol} {http.statusline}" if http else "",
                {name.lower(): value for name, value in http.headers} if http else {},
                (record.raw_stream if raw else record.content_stream()).read(),
            )


def _contents(path: Path) -> Iterator[bytes]:
    return (content for *_, content in _read(path, raw=False))
