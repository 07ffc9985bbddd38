"""From a document's bytes to text that an XML parser can read, and from its fields to plain text."""

from __future__ import annotations

import codecs
import html
import re
import zlib
from datetime import UTC, datetime
from functools import lru_cache

import webencodings

from worker.extract.date_forms import parse_instant
from worker.feeds.model import NotAFeed

_GZIP = b"\x1f\x8b"
_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
#: UTF-16 without a mark shows in how its `<` is written (XML 1.0, appendix F).
_UNMARKED_UTF16 = {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--[^<>]*>")
_SPACE = re.compile(r"\s+")
_LONGEST_DATE = 100


def unzipped(body: bytes, limit_bytes: int) -> bytes:
    """`body`, decompressed where it is a gzip file. Raises NotAFeed over the limit or for a broken one.

    Sitemaps are served so as files (`sitemap.xml.gz`), beside what Content-Encoding says. A file that ends
    early gives what there is.
    """
    if not body.startswith(_GZIP):
        return body
    parts, room, rest = list[bytes](), limit_bytes, body
    try:
        while rest.startswith(_GZIP):  # a file may have several members (RFC 1952, 2.2)
            member = zlib.decompressobj(wbits=31)
            parts.append(member.decompress(rest, room + 1))
            room -= len(parts[-1])
            if room < 0:
                raise NotAFeed(f"a gzip file of over {limit_bytes:,} bytes once decompressed")
            rest = member.unused_data
    except zlib.error as error:
        if not any(parts):
            raise NotAFeed("a broken gzip file") from error
    return b"".join(parts)


def decoded(body: bytes, content_type: str | None) -> str:
    """The document's text; never fails.

    By its byte-order mark; else as UTF-8 where it is valid, since publishers who declare another encoding
    over UTF-8 are many, and text of another one that is valid UTF-8 by chance is not found; else by its
    declaration, then by `content_type`'s charset (RFC 7303 has it the other way round, and servers that send
    one default for all files are why), last as windows-1252.
    """
    if encoding := _UTF16.get(body[:2]) or _UNMARKED_UTF16.get(body[:2]):
        return body.decode(encoding, "replace").lstrip("\ufeff")
    labels = [found[1].decode() for found in [_DECLARATION.match(body[:1000])] if found]
    labels += [found[1] for found in [_CHARSET.search(content_type or "")] if found]
    known = [found for label in labels if (found := webencodings.lookup(label))]
    if b"\x1b" in body and known and known[0].name == "iso-2022-jp":  # pure ASCII to the eye
        return body.decode("iso-2022-jp", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for encoding_ in known:
        if encoding_.name != "utf-8":
            return str(encoding_.codec_info.decode(body, "replace")[0])
    # Cut in the middle of a character, or one bad byte in much that is good: still UTF-8.
    lenient = body.decode("utf-8-sig", "replace")
    spoilt, beyond_ascii = lenient.count("\ufffd"), sum(byte > 127 for byte in body[:100_000])
    return lenient if spoilt * 10 < beyond_ascii else body.decode("cp1252", "replace")


def squeezed(text: str | None, limit: int) -> str | None:
    """`text` with single spaces, cut to `limit` characters; None where nothing is left."""
    text = (text or "")[: 20 * limit].replace("\ufeff", "")
    return _SPACE.sub(" ", text).strip()[:limit].strip() or None


def plain(text: str | None, limit: int) -> str | None:
    """As `squeezed`, without HTML: feeds have it in titles, escaped once or twice."""
    text = (text or "")[: 20 * limit]
    for _ in range(2):
        if "<" not in text and "&" not in text:
            break
        text = html.unescape(_TAG.sub("", text))
    return squeezed(_TAG.sub("", text), limit)


@lru_cache(maxsize=1024)
def instant(raw: str | None) -> tuple[str, datetime] | None:
    """A date as RFC 3339 (with `-00:00` where its offset is not said) and as an aware datetime; or None."""
    found = parse_instant(raw.strip()[:_LONGEST_DATE]) if raw and raw.strip() else None
    if found is None:
        return None
    return found.rfc3339(), found.when.astimezone(UTC)
