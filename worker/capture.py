"""What one request and its response were on the wire: the frozen value that fetching hands to the archive."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

#: Why a body is not there to its end (WARC 1.1, 5.13).
Truncation = Literal["length", "time", "disconnect", "unspecified"]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """On whose behalf requests are made: the accepted URL, and what its producer said of the article."""

    url: str
    hints: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """One exchange. `body` is as it came, before decompression and after chunks; `began` is aware.

    Each character of a header is one byte (Latin-1): what came is what is kept.
    """

    record: str  # a UUID, hex with dashes
    began: datetime
    url: str
    path: str  # and query, as sent
    request_headers: Headers
    http_version: str
    status: int
    reason: str
    headers: Headers
    body: bytes
    truncated: Truncation | None = None
    address: str | None = None  # of the server; None beyond a proxy
    subject: Subject | None = None  # None: a robots.txt


_SUBJECT: ContextVar[Subject | None] = ContextVar("subject", default=None)


@contextmanager
def on_behalf_of(subject: Subject) -> Iterator[None]:
    """Requests made within are the subject's."""
    token = _SUBJECT.set(subject)
    try:
        yield
    finally:
        _SUBJECT.reset(token)


def current_subject() -> Subject | None:
    """The subject of the request under way, if it has one."""
    return _SUBJECT.get()
