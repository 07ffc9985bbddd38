"""What kind of content the bytes are, whatever the header says."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from worker.errors import NotAnArticle

#: Fewer words of prose than this are no article.
FEW_WORDS = 25

_MAGIC = (
    b"%PDF-",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"RIFF",
    b"\x00\x00\x00",
    b"OggS",
    b"ID3",
)
_SAMPLE_BYTES = 4_096
_CONTROL = bytes(byte for byte in range(27) if byte < 9 or byte > 13)
_TAG = re.compile(rb"<(?:[a-zA-Z][a-zA-Z0-9-]*[\s/>]|!doctype|!--|\?xml)", re.IGNORECASE)
#: Labels of UTF-16 (WHATWG Encoding, 4.2).
_UTF_16 = re.compile(r"charset\s*=\s*[\"']?\s*(?:utf-16|(?:cs|iso-10646-)?(?:ucs-2|unicode))", re.IGNORECASE)
_HTML_START = re.compile(
    # Atomic, as a comment that could end at each later `-->` doubles the time with each of them.
    rb"\s*+(?:(?><!--.{0,2000}?-->)\s*+)*+<(?:!doctype html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


def refuse_binary(page: bytes, content_type: str | None = None) -> None:
    """Raise NotAnArticle (`not_text`, `empty`) for bytes that are no text in any encoding.

    Every other byte of UTF-16 may be zero: it is known by a BOM, a tag, or the charset of `content_type`.
    """
    if not page or page.isspace():
        raise NotAnArticle("empty", "no bytes but white space")
    if page.startswith(_MAGIC):
        raise NotAnArticle("not_text", f"starts with {page[:4]!r}")
    sample = page[:_SAMPLE_BYTES]
    opens_as_utf_16 = sample.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"))
    if opens_as_utf_16 or _UTF_16.search(content_type or ""):
        return
    # One byte in nine of a compressed or encrypted file is one; a text may hold a stray one.
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if control > max(2, len(sample) // 50):
        raise NotAnArticle("not_text", f"{control} control bytes among the first {len(sample)}")


def is_plain_text(page: bytes, content_type: str | None) -> bool:
    """Whether to read `page` (UTF-8) as lines: declared so and not HTML after all, or with no tag in it."""
    declared = (content_type or "").partition(";")[0].strip().casefold()
    if declared == "text/plain":
        return not _HTML_START.match(page, 0, 4_096)
    return not _TAG.search(page, 0, 65_536)


def domain(url: str) -> str | None:
    """The host of `url` without `www.`, or None."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.") or None
    except ValueError:
        return None
