"""Bytes to text, by the order of the WHATWG Encoding and HTML standards (HTML, 13.2.3.2).

BOM, then the transport's label, then `<meta charset>`, then XML's declaration, then detection, helped by the
page's language; labels as the Encoding standard defines them. One departure, which pages need: a label that
the bytes contradict is not believed.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

import webencodings
from charset_normalizer import CharsetMatches, from_bytes

DISAGREEMENT = "charset_disagreement"

_AS_THE_STANDARD = "ingest.whatwg"

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16be"), (codecs.BOM_UTF16_LE, "utf-16le"))
_PRESCAN_BYTES = 1024  # HTML standard, 13.2.3.2: as far as a user agent looks for a <meta>
_SAMPLE_BYTES = 16_384
_SEARCHED_BYTES = 262_144
_PIECE_BYTES = 4_096
_MAX_CHAR_BYTES = 4
_JUDGED_BYTES = 1_000_000
_HEADER_CHARSET = re.compile(r"charset\s*+=\s*+[\"']?+\s*+([^\s\"';]+)", re.IGNORECASE)
#: What the prescan passes by, one after the other: comments, tags with their attributes, and the like.
_MARKUP = re.compile(
    rb"""<!(?=--)(?:.*?-->|.*)|<(meta)(?=[\s/])|</?[a-z](?:"[^"]*"|'[^']*'|[^>"'])*>|<[!/?][^>]*>""",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(rb"""[\s/]*([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)))?""")
_CONTENT_CHARSET = re.compile(rb"""charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", re.IGNORECASE)
_LATE_META = re.compile(rb"""<meta\b[^<>]*?\bcharset\s*+=\s*+["']?+\s*+([\w.:-]+)""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]*?\bencoding\s*=\s*(?:"([^">]*)"|'([^'>]*)')""")
#: `<?x` in UTF-16, without a BOM.
_XML_OPENINGS = ((b"<\0?\0x\0", "utf-16le"), (b"\0<\0?\0x", "utf-16be"))
#: In ISO-2022-JP, all of whose bytes are ASCII, it switches to two bytes a letter (RFC 1468).
_TO_KANJI, _ESCAPE = b"\x1b$", b"\x1b"  # one byte is found ten times as fast as two
_LANGUAGE = re.compile(
    rb"""<html\b[^<>]*?\s(?:xml:)?lang\s*+=\s*+["']?+\s*+([a-z]{2,3})(?![a-z])""", re.IGNORECASE
)
#: Codecs that read more of an encoding than the one of its name does, as the Encoding standard has it.
_WIDER = {"gbk": "gb18030"}
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
#: What pages in a language of Latin letters were written in, by HTML's table of locales (13.2.3.2), with the
#: ISO encodings of the same letters. Other letters need no such help.
_WESTERN, _CENTRAL = frozenset({"cp1252", "iso8859_15"}), frozenset({"cp1250", "iso8859_2"})
#: Where windows-1250 has š, ž and ś, and ISO-8859-2 nothing; a few lines of its languages have one of them.
_C1 = re.compile(rb"[\x80-\x9f]")
_FEW_LINES_BYTES = 256
_ACCENTED = re.compile(rb"[\xc0-\xff]")
_ACCENTED_SHARE = 0.05  # of a text; the languages of Western Europe have less, but for Icelandic
_OF_LANGUAGE = (
    dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl"), _CENTRAL)
    | dict.fromkeys(("et", "lt", "lv"), frozenset({"cp1257"}))
    | dict.fromkeys(("az", "ku", "tr"), frozenset({"cp1254"}))
    | {"vi": frozenset({"cp1258"})}
)


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
    for opening, name in _XML_OPENINGS:
        if page.startswith(opening):
            return Decoded(_recoded(page, name), name)
    labels = list(declared_encodings(page, content_type).values())
    if labels and labels[0].startswith("utf-16") and b"\0" in page[:_PRESCAN_BYTES]:
        return Decoded(_recoded(page, labels[0]), labels[0])  # with its zeros it would pass for UTF-8
    if (valid := _valid_utf8_bytes(page)) is not None:
        return _valid_utf8(page[:valid], labels)
    declared = labels[0] if labels else None
    legacy = next((label for label in labels if label != "utf-8"), None)
    if declared == "utf-8" and _mostly_utf8(page):
        return Decoded(_recoded(page, "utf-8"), "utf-8", ("charset_errors",))
    chosen = legacy or _late_label(page) or _detect(page)
    warnings = (DISAGREEMENT,) if declared not in (None, chosen) else ()
    return Decoded(_recoded(page, chosen), chosen, warnings)


def declared_encodings(page: bytes, content_type: str | None = None) -> dict[str, str]:
    """What each of `bom`, `header` and `meta` calls the encoding, by its WHATWG name, strongest first."""
    said = {
        "bom": next((name for bom, name in _BOMS if page.startswith(bom)), None),
        "header": _header_label(content_type),
        "meta": _meta_label(page),
    }
    return {source: label for source, label in said.items() if label}


def _valid_utf8(page: bytes, labels: list[str]) -> Decoded:
    """Multi-byte sequences that happen to be valid UTF-8 are UTF-8, whatever a server says by default."""
    if not labels and _ESCAPE in page and _TO_KANJI in page and page.isascii():
        return Decoded(_recoded(page, "iso-2022-jp"), "iso-2022-jp")
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
    """The encoding that the document declares in its first 1,024 bytes: by a <meta>, or else as XML does.

    HTML, 13.2.3.2, prescan. What could be read as ASCII cannot be UTF-16: that means UTF-8 then.
    """
    opening = page[:_PRESCAN_BYTES]
    declared = (_declared_by(opening, tag.end()) for tag in _MARKUP.finditer(opening) if tag[1])
    label = next(filter(None, declared), None)
    if label is None and (found := _XML_ENCODING.match(opening)):
        label = _canonical((found[1] or found[2] or b"").decode("ascii", "replace"))
    return "utf-8" if label and label.startswith("utf-16") else label


def _late_label(page: bytes) -> str | None:
    """What a <meta> behind the prescan says: a parser that comes to it starts anew (HTML, 13.2.3.5)."""
    found = _LATE_META.search(page, 0, _SEARCHED_BYTES)
    label = _canonical(found[1].decode("ascii", "replace")) if found else None
    return None if label is None or label.startswith("utf-") else label


def _declared_by(opening: bytes, position: int) -> str | None:
    """What the <meta> declares whose attributes begin at `position`; a `content` needs its `http-equiv`."""
    attributes: dict[bytes, bytes] = {}
    while found := _ATTRIBUTE.match(opening, position):
        attributes.setdefault(found[1].lower(), found[2] or found[3] or found[4] or b"")
        position = found.end()
    value = attributes.get(b"charset")
    if value is None and attributes.get(b"http-equiv", b"").lower() == b"content-type":
        content = _CONTENT_CHARSET.search(attributes.get(b"content", b""))
        value = content and next(filter(None, content.groups()), None)
    return _canonical(value.decode("ascii", "replace")) if value else None


def _canonical(label: str) -> str | None:
    encoding = webencodings.lookup(label)
    if encoding is None:
        return None
    return "windows-1252" if encoding.name == "x-user-defined" else str(encoding.name)


def _recoded(page: bytes, name: str) -> bytes:
    if name == "replacement":  # encodings that hide scripts from filters: Encoding, 14.1
        return "\ufffd".encode()
    codec = codecs.lookup(_WIDER[name]) if name in _WIDER else webencodings.lookup(name).codec_info
    text: str = codec.decode(page, _AS_THE_STANDARD)[0]
    return text.encode("utf-8", "replace")


def _unmapped(error: UnicodeError) -> tuple[str, int]:
    """What the Encoding standard maps and Python's codecs do not; U+FFFD for what neither does."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - of nothing else is this the handler
    first, second = error.object[error.start], error.object[error.start + 1 : error.start + 2]
    if error.encoding == "charmap" and first < 0xA0:
        return chr(first), error.start + 1  # C1 controls, where windows-125x has holes
    if error.encoding == "gb18030" and first == 0x80:
        return "€", error.start + 1
    if error.encoding == "euc_jp" and first >= 0xA1 and second >= b"\xa1":
        # Rows of NEC and IBM, which Shift_JIS has: ① and ㈱, and names such as 髙.
        row, cell = first - 0xA1, second[0] - 0xA1
        lead = row // 2 + (0x81 if row < 62 else 0xC1)
        trail = cell + (0x9F if row % 2 else 0x40 + (cell >= 63))
        return bytes((lead, trail)).decode("cp932", "replace"), error.start + 2
    return "\ufffd", error.end


codecs.register_error(_AS_THE_STANDARD, _unmapped)


def _valid_utf8_bytes(page: bytes) -> int | None:
    """How many bytes of `page` are UTF-8: all but a character that the body limit cut off at the very end.

    None if it is not UTF-8. Read in pieces, as strings of pages' lengths fit no cache.
    """
    valid, view = 0, memoryview(page)
    try:
        while read := codecs.utf_8_decode(view[valid : valid + _PIECE_BYTES], "strict", False)[1]:
            valid += read
    except UnicodeDecodeError:
        return None
    return valid if len(page) - valid < _MAX_CHAR_BYTES else None


def _mostly_utf8(page: bytes) -> bool:
    """Whether few bytes are wrong among many right sequences, as when a CMS pastes in one old comment."""
    text = page[:_JUDGED_BYTES].decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", text)))
    return right > 4 * wrong


def _detect(page: bytes) -> str:
    first = re.search(rb"[\x80-\xff]", page)
    start = first.start() if first else 0
    # Markup and scripts would drown the text: behind 3 KB of them, Japanese passed for windows-1250.
    parts = re.split(rb"[<>]", page[start : start + _SEARCHED_BYTES])
    sample = b" ".join(part for part in parts if not part.isascii())[:_SAMPLE_BYTES]
    matches = from_bytes(sample, cp_isolation=list(_LEGACY), steps=3)
    return _LEGACY.get(_by_language(matches, _language(page), sample) or "", "windows-1252")


def _language(page: bytes) -> str:
    found = _LANGUAGE.search(page, 0, _PRESCAN_BYTES)
    return found[1].decode().lower() if found else "en"


def _by_language(matches: CharsetMatches, language: str, sample: bytes) -> str | None:
    """The codec of the best match; of those as good, one of the page's language. None without any match.

    Encodings of Latin letters agree in most of them, and a few lines of text tell them badly apart.
    """
    if not (best := matches.best()):
        return None
    usual = _usual_codecs(language, sample)
    for match in matches:
        as_good = match.chaos <= best.chaos and (language != "en" or match.coherence >= best.coherence)
        if as_good and (found := usual.intersection(match.could_be_from_charset)):
            return match.encoding if match.encoding in found else min(found)
    return best.encoding


def _usual_codecs(language: str, sample: bytes) -> frozenset[str]:
    """Templates say `en` of pages in any language: only what may be English is taken for that."""
    if language == "en" and len(_ACCENTED.findall(sample)) > _ACCENTED_SHARE * len(sample):
        return frozenset()
    usual = _OF_LANGUAGE.get(language, _WESTERN)
    if usual == _CENTRAL and len(sample) >= _FEW_LINES_BYTES and not _C1.search(sample):
        return frozenset({"iso8859_2"})
    return usual
