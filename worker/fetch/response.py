"""What a response's head says, and whether a body without a type is text. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from ada_url import URL

from worker.errors import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
#: Types that say nothing (MIME Sniffing, 5.1), as good as none.
_UNKNOWN_TYPES = frozenset({"", "unknown/unknown", "application/unknown", "*/*"})
_XML_TYPES = frozenset({"text/xml", "application/xml"})
#: What servers send for every file that they do not know (MIME Sniffing, 5.1: the Apache bug).
_APACHE_DEFAULTS = frozenset(
    {
        "text/plain",
        "text/plain; charset=iso-8859-1",
        "text/plain; charset=ISO-8859-1",
        "text/plain; charset=UTF-8",
    }
)

_SNIFFED_BYTES = 1445  # MIME Sniffing, 5.2
#: MIME Sniffing, 3: bytes that no text holds.
_BINARY_BYTES = bytes({*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)})
_TEXT_BOMS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
#: MIME Sniffing, 6 and 7.1, and two formats of documents. Where the standard's pattern is a word that a text
#: may begin with (BM, ID3, OTTO), the bytes that follow it in such a file are asked for too.
_FORMATS = {
    "a PDF": rb"%PDF-",
    "PostScript": rb"%!PS-Adobe-",
    "an image": rb"\x89PNG\r\n|GIF8[79]a|\xff\xd8\xff|RIFF.{4}WEBPVP|BM.{4}\x00{4}|\x00{2}[\x01\x02]\x00",
    "audio": rb"OggS\x00|ID3[\x01-\x04]|RIFF.{4}WAVE|FORM.{4}AIF|MThd\x00{3}\x06",
    "video": rb"RIFF.{4}AVI |.{4}ftyp|\x1aE\xdf\xa3",
    "an archive": rb"\x1f\x8b\x08|PK\x03\x04|Rar!?\x1a\x07",
    "a font": rb"wOF[F2](?:\x00\x01\x00\x00|OTTO|true)|OTTO\x00|ttcf\x00|\x00\x01\x00\x00",
    "an office document": rb"\xd0\xcf\x11\xe0|\{\\rtf",
}
_FORMAT = re.compile(
    b"|".join(b"(?P<_%d>%b)" % (number, pattern) for number, pattern in enumerate(_FORMATS.values())),
    re.DOTALL,
)
#: The first element, after what may precede it in XML and in the feeds of MIME Sniffing, 7.3.
_FIRST_ELEMENT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->|<![a-z].*?>)*+<([a-z][a-z:]*)", re.IGNORECASE | re.DOTALL
)
_FEEDS = frozenset({b"rss", b"feed", b"rdf:rdf", b"urlset", b"sitemapindex"})

_ASCII = "".join(map(chr, range(0x80)))
#: Retry-After may be any number of digits. A week is longer than any retry waits.
_RETRY_AFTER_MAX_S = 7 * 86_400.0
_DELTA_SECONDS = re.compile(r'max-age\s*=\s*"?([0-9]+)"?')
_MAX_AGE_MAX_S = 2.0**31  # RFC 9111, 1.2.2


def is_page_type(content_type: str | None) -> bool | None:
    """Whether a Content-Type may be believed to name a page, or not; None where the body must tell.

    By MIME Sniffing, other types are what they say: HTML that is called JSON or application/octet-stream is
    shown by no browser either. XML may be XHTML.
    """
    essence = _essence(content_type)
    if essence in _UNKNOWN_TYPES or essence in _XML_TYPES or "/" not in essence:
        return None
    return essence in PAGE_TYPES


def why_no_page(content_type: str | None, body: bytes) -> str | None:
    """What `body` is instead of HTML or text, in a few words; None where it may be a page.

    `content_type` is one for which `is_page_type` is not False. Its lies are found out by MIME Sniffing: a
    body without a type is sniffed (7.1), plain text that servers call so by default is asked for binary bytes
    (7.2), HTML may be a feed (7.3). One lie more, which browsers leave to the parser: HTML, or any text, may
    open as a PDF, an image or another file does.
    """
    opening = body[:_SNIFFED_BYTES]
    declared = _essence(content_type) or "no type"
    first = _FIRST_ELEMENT.match(opening)
    element = first[1].lower() if first else b""
    if element in _FEEDS:
        return f"{declared}, but the body is a feed: <{element.decode()}>"
    if declared in _XML_TYPES:
        return None if element == b"html" else f"{declared}, and the root is not <html>"
    if found := _FORMAT.match(opening):
        return f"{declared}, but the body is {tuple(_FORMATS)[int(str(found.lastgroup)[1:])]}"
    sniffed = is_page_type(content_type) is None or content_type in _APACHE_DEFAULTS
    if sniffed and not opening.startswith(_TEXT_BOMS) and opening.translate(None, _BINARY_BYTES) != opening:
        return f"{declared}, but the body is binary"
    return None


def check_body(content_type: str | None, body: bytes) -> None:
    """Return if `body` may be a page. Raises FetchFailed: `empty`, or `not_html`."""
    if not body:
        raise FetchFailed("empty")
    if why := why_no_page(content_type, body):
        raise FetchFailed("not_html", why[:120])


def _essence(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


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


def max_age_s(cache_control: str, age: str = "") -> float | None:
    """The seconds for which a response says that it stays fresh (RFC 9111, 4.2): max-age less Age.

    0 where it is to be asked for again each time (5.2.2.4 and 5.2.2.5), and None where it does not say. Of
    values that contradict each other the least counts (4.2.1).
    """
    directives = [part.strip().lower() for part in cache_control.split(",")]
    if not {"no-cache", "no-store"}.isdisjoint(directives):
        return 0.0
    given = [_DELTA_SECONDS.fullmatch(directive) for directive in directives]
    ages_s = [min(float(found[1]), _MAX_AGE_MAX_S) for found in given if found]
    if not ages_s:
        return None
    spent_s = float(age) if age.isascii() and age.isdigit() else 0.0
    return max(0.0, min(ages_s) - spent_s)


def _http_date(value: str) -> datetime | None:
    """An HTTP-date in any of its three forms (RFC 9110, 5.6.7), or None."""
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
