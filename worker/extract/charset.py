"""Bytes to text, by the order of the WHATWG Encoding and HTML standards (HTML, 13.2.3.2).

BOM, then the transport's label, then `<meta charset>`, then detection; labels as the Encoding standard
defines them. One departure, which pages need: a label that the bytes contradict is not believed.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import webencodings
from charset_normalizer import from_bytes

DISAGREEMENT = "charset_disagreement"

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16be"), (codecs.BOM_UTF16_LE, "utf-16le"))
_PRESCAN_BYTES = 1024  # HTML standard, 13.2.3.2: as far as a user agent looks for a <meta>
_SAMPLE_BYTES = 16_384
_PIECE_BYTES = 16_384
_MAX_CHAR_BYTES = 4
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
#: What old pages without a label are written in: Python's name, the standard's. Few make good guesses.
_LEGACY = {f"cp{number}": f"windows-{number}" for number in (874, *range(1250, 1259))} | {
    "shift_jis": "shift_jis",
    "euc_jp": "euc-jp",
    "gb18030": "gb18030",
    "big5": "big5",
    "euc_kr": "euc-kr",
    "koi8_r": "koi8-r",
    "iso8859_2": "iso-8859-2",
    "iso8859_15": "iso-8859-15",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page in UTF-8, the WHATWG name of the encoding it came in, and what was odd about it."""

    utf8: bytes
    encoding: str
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The page as a string."""
        return self.utf8.decode()


def decode(page: bytes, content_type: str | None = None) -> Decoded:
    """`page` in UTF-8; `content_type` is the header's value. Total: what fits nothing becomes U+FFFD."""
    for bom, name in _BOMS:
        if page.startswith(bom):
            return Decoded(_recoded(page[len(bom) :], name), name)
    labels = [label for label in (_header_label(content_type), _meta_label(page)) if label]
    if (valid := _valid_utf8_bytes(page)) is not None:
        return _valid_utf8(page[:valid], labels)
    declared = labels[0] if labels else None
    legacy = next((label for label in labels if label != "utf-8"), None)
    if declared == "utf-8" and _mostly_utf8(page):
        return Decoded(_recoded(page, "utf-8"), "utf-8", ("charset_errors",))
    chosen = legacy or _detect(page)
    warnings = (DISAGREEMENT,) if declared not in (None, chosen) else ()
    return Decoded(_recoded(page, chosen), chosen, warnings)


def _valid_utf8(page: bytes, labels: list[str]) -> Decoded:
    """Multi-byte sequences that happen to be valid UTF-8 are UTF-8, whatever a server says by default."""
    declared = labels[0] if labels else "utf-8"
    if declared == "utf-8":
        return Decoded(page, "utf-8")
    if page.isascii() and not declared.startswith("utf-16"):
        return Decoded(_recoded(page, declared), declared)  # ISO-2022-JP, for one, is written in ASCII bytes
    return Decoded(page, "utf-8", (DISAGREEMENT,))


def _header_label(content_type: str | None) -> str | None:
    found = _HEADER_CHARSET.search(content_type or "")
    return _canonical(found[1]) if found else None


def _meta_label(page: bytes) -> str | None:
    found = _META_CHARSET.search(page[:_PRESCAN_BYTES])
    label = _canonical(found[1].decode("ascii", "replace")) if found else None
    # HTML standard, 13.2.3.2: a <meta> that could be read as ASCII cannot mean UTF-16.
    return "utf-8" if label and label.startswith("utf-16") else label


def _canonical(label: str) -> str | None:
    encoding = webencodings.lookup(label)
    if encoding is None:
        return None
    return "windows-1252" if encoding.name == "x-user-defined" else str(encoding.name)


def _recoded(page: bytes, name: str) -> bytes:
    encoding = webencodings.lookup(name)
    text: str = encoding.codec_info.decode(page, "replace")[0]
    return text.encode("utf-8", "replace")


def _valid_utf8_bytes(page: bytes) -> int | None:
    """How many bytes of `page` are UTF-8: all but a character that the body limit cut off at the very end.

    None if it is not UTF-8. Read in pieces, as strings of pages' lengths fit no cache.
    """
    valid = 0
    try:
        while read := codecs.utf_8_decode(page[valid : valid + _PIECE_BYTES], "strict", False)[1]:
            valid += read
    except UnicodeDecodeError:
        return None
    return valid if len(page) - valid < _MAX_CHAR_BYTES else None


def _mostly_utf8(page: bytes) -> bool:
    """Whether few bytes are wrong among many right sequences, as when a CMS pastes in one old comment."""
    text = page.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", text)))
    return right > 4 * wrong


def _detect(page: bytes) -> str:
    first = re.search(rb"[\x80-\xff]", page)
    start = max(0, first.start() - _SAMPLE_BYTES // 4) if first else 0
    best = from_bytes(page[start : start + _SAMPLE_BYTES], cp_isolation=list(_LEGACY), steps=3).best()
    return _LEGACY.get(best.encoding, "windows-1252") if best else "windows-1252"
