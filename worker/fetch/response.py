"""What a response's head says, and whether a body without a type is text. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from ada_url import URL

from worker.errors import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
#: Types that say nothing (MIME Sniffing, 7.1), as good as none.
_UNKNOWN_TYPES = frozenset({"", "unknown/unknown", "application/unknown", "*/*"})

_SNIFFED_BYTES = 1445  # MIME Sniffing, 5.2
#: MIME Sniffing, 3: bytes that no text holds.
_BINARY_BYTES = bytes({*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)})
_TEXT_BOMS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
#: Formats that can open without a binary byte.
_BINARY_MAGIC = (b"%PDF-", b"%!PS-Adobe-", b"GIF87a", b"GIF89a", b"\xff\xd8\xff", b"{\\rtf")

_ASCII = "".join(map(chr, range(0x80)))
#: Retry-After may be any number of digits. A week is longer than any retry waits.
_RETRY_AFTER_MAX_S = 7 * 86_400.0


def is_page_type(content_type: str | None) -> bool | None:
    """Whether a Content-Type names a page; None when it says nothing, and the body must tell."""
    essence = (content_type or "").partition(";")[0].strip().lower()
    if essence in _UNKNOWN_TYPES or "/" not in essence:
        return None
    return essence in PAGE_TYPES


def looks_like_text(body: bytes) -> bool:
    """Whether `body` opens like HTML or text (MIME Sniffing, 7.1 and 7.2), as browsers decide."""
    opening = body[:_SNIFFED_BYTES]
    if opening.startswith(_TEXT_BOMS):
        return True
    if opening.startswith(_BINARY_MAGIC):
        return False
    return len(opening.translate(None, _BINARY_BYTES)) == len(opening)


def redirect_target(base: str, location: bytes | None) -> str:
    """The absolute URL that `location` names, resolved against `base` as browsers do (WHATWG URL).

    Raises FetchFailed("bad_redirect") without a usable Location: none, empty, or not http(s).
    """
    if not location:
        raise FetchFailed("bad_redirect", "no Location")
    try:
        # Servers send raw UTF-8 and raw Latin-1 here. Quoting keeps either byte for byte, and a host name
        # in UTF-8 survives it too, since the URL standard unquotes hosts.
        url = URL(quote(location, safe=_ASCII), base=base)
    except ValueError:
        raise FetchFailed("bad_redirect", "Location is not a URL") from None
    if url.protocol not in {"http:", "https:"}:
        raise FetchFailed("bad_redirect", f"Location is a {url.protocol[:20]} URL")
    return url.href


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that Retry-After (RFC 9110, 10.2.3) asks for, 0 to a week; None without a valid one.

    A date is compared with the response's own Date, so that a server whose clock is wrong is still
    understood, and with `now` when there is none.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _RETRY_AFTER_MAX_S)
    if (due := _http_date(value)) is None:
        return None
    seconds = (due - (_http_date(headers.get("Date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), _RETRY_AFTER_MAX_S)


def _http_date(value: str) -> datetime | None:
    """An HTTP-date in any of its three forms (RFC 9110, 5.6.7), or None."""
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
