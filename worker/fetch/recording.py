"""A tape of one exchange: head and body as they came. Nothing is copied while nobody keeps it."""

from __future__ import annotations

import io
import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

import yarl

from worker.capture import Capture, current_subject
from worker.fetch.budget import take

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import aiohttp

    from worker.capture import Headers, Truncation
    from worker.errors import FetchFailed
    from worker.fetch.body import ByteSource

_LENGTH = frozenset({"too_large"})
_TIME = frozenset({"timeout", "too_slow"})
_BODILESS = frozenset({204, 205, 304})
_DISCONNECT = frozenset({"connect", "bad_response"})


class Recorder(Protocol):
    """Keeps captures."""

    async def keep(self, capture: Capture) -> None:
        """Take the capture over. Raises nothing."""


class Tape:
    """What has been seen of one exchange so far."""

    def __init__(self, url: str, began: datetime) -> None:
        self.record = str(uuid.uuid4())
        self._url = url
        self._began = began
        self._response: aiohttp.ClientResponse | None = None
        self._address: str | None = None
        self._body = io.BytesIO()
        self._whole = False

    def head(self, response: aiohttp.ClientResponse, address: str | None) -> None:
        """The head of the response is here."""
        self._response, self._address = response, address

    def whole(self) -> None:
        """The body was read to its end."""
        self._whole = True

    def write(self, chunk: bytes) -> None:
        """More of the body."""
        self._body.write(chunk)

    async def hand_to(self, recorder: Recorder, failure: FetchFailed | None = None) -> str | None:
        """Hand the exchange over, if there is one to keep; its record."""
        if (capture := self.capture(failure)) is None:
            return None
        await recorder.keep(capture)
        return self.record

    def capture(self, failure: FetchFailed | None = None) -> Capture | None:
        """The exchange; None where no response came, and for a URL with a password in it."""
        response, subject = self._response, current_subject()
        urls = (self._url, *([subject.url] if subject else []))
        if response is None or any(yarl.URL(url, encoded=True).raw_user is not None for url in urls):
            return None
        version = response.version
        return Capture(
            record=self.record,
            began=self._began,
            url=self._url,
            path=response.request_info.url.raw_path_qs,
            request_headers=_sent(response.request_info.headers),
            http_version=f"{version.major}.{version.minor}" if version else "1.1",
            status=response.status,
            reason=response.reason or "",
            headers=_headers(response),
            body=self._body.getvalue(),
            truncated=self._truncation(response, failure),
            address=self._address,
            subject=subject,
        )

    def _truncation(self, response: aiohttp.ClientResponse, failure: FetchFailed | None) -> Truncation | None:
        reason, began = failure.reason if failure else "", self._body.tell() > 0
        if reason in _DISCONNECT and began:
            return "disconnect"
        if self._whole or response.status in _BODILESS or response.content_length == 0:
            return None
        if reason in _LENGTH or (failure is None and began):  # or the first bytes were all that was wanted
            return "length"
        return "time" if reason in _TIME else "unspecified"


class Copied:
    """A body's source that writes on a tape what is read from it."""

    def __init__(self, source: ByteSource, tape: Tape) -> None:
        self._source = source
        self._tape = tape

    async def read(self, n: int) -> bytes:
        """Up to `n` bytes; empty at the end."""
        chunk = await self._source.read(n)
        await take(len(chunk))  # the copy counts, too
        self._tape.write(chunk)
        if not chunk:
            self._tape.whole()
        return chunk


_TAPE: ContextVar[Tape | None] = ContextVar("tape", default=None)


@contextmanager
def taped(url: str, began: datetime) -> Iterator[Tape]:
    """A tape for the one exchange made within."""
    tape = Tape(url, began)
    token = _TAPE.set(tape)
    try:
        yield tape
    finally:
        _TAPE.reset(token)


def current_tape() -> Tape | None:
    """The tape of the exchange under way, if it is kept."""
    return _TAPE.get()


def _headers(response: aiohttp.ClientResponse) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)


def _sent(headers: Mapping[str, str]) -> Headers:
    return tuple((name, value.encode().decode("latin-1")) for name, value in headers.items())
