"""Text as figures: folding, counting, hashing. Pure functions over strings."""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from array import array
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

WORDS_PER_MINUTE = 200

#: Characters that print nothing and only break comparisons: C0/C1 controls, soft hyphen, zero-width space,
#: word joiner, BOM. Lone surrogates too: JSON-LD can hold them as escapes, and no UTF-8 encoder takes them.
#: ZWJ and ZWNJ stay, as Persian and Indic scripts spell with them.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ud800-\udfff]")
_WORD = re.compile(
    "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\\W_]+", re.UNICODE
)
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_NOT_LETTERS = re.compile(r"[\W_]+")


def squeeze(text: str) -> str:
    """`text` on one line: white space collapsed, invisible characters and lone surrogates gone."""
    line = " ".join(text.split())
    return line if line.isprintable() else " ".join(_INVISIBLE.sub("", line).split())


def unescape(text: str) -> str:
    """`squeeze`, after HTML character references that a CMS escaped once too often."""
    return squeeze(html.unescape(text) if "&" in text else text)


def fold(text: str) -> str:
    """`text` for comparing: NFKC, caseless, white space collapsed."""
    if text.isascii():
        return squeeze(text.lower())
    return squeeze(unicodedata.normalize("NFKC", text).casefold())


def letters(text: str) -> str:
    """Only the letters and digits of `text`, folded: equal for two spellings of one headline or name."""
    return _NOT_LETTERS.sub("", fold(text))


def words(text: str) -> list[str]:
    """The tokens of `text`: words, or single characters of Chinese, Japanese, Korean and Thai script."""
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


def word_count(text: str) -> int:
    """How many `words` there are."""
    return len(words(text))


def reading_time_s(count: int) -> int:
    """Seconds it takes to read `count` words at 200 words a minute."""
    return round(count * 60 / WORDS_PER_MINUTE)


@dataclass(frozen=True, slots=True)
class Measures:
    """A text in figures. The hashes, in hex, are of the folded text: case and white space do not count."""

    word_count: int
    content_hash: str  # SHA-256
    simhash: str  # 64 bits; texts that share most word 3-grams differ in few of them (Charikar 2002)


def measured(text: str) -> Measures:
    """Count and hash `text`, which is folded and cut into words once for all of them."""
    folded = fold(text)
    tokens = words(folded)
    return Measures(len(tokens), sha256(folded.encode()).hexdigest(), _simhash(tokens))


def _simhash(tokens: list[str]) -> str:
    hashes = [crc32(token.encode()) for token in tokens]
    # CPython hashes a tuple of integers the same way in every process and, as a test holds, in every version.
    grams = array(
        "q", set(map(hash, zip(hashes, hashes[1:], hashes[2:], strict=False))) or {hash(tuple(hashes))}
    )
    if sys.byteorder == "little":
        grams.byteswap()
    lanes = grams.tobytes()
    columns = [int.from_bytes(lanes[byte::8], "big") for byte in range(8)]
    lowest = int.from_bytes(b"\1" * len(grams), "big")
    # The bits of all hashes are counted lane by lane: a loop over bits and hashes costs fifty times as much.
    ones = [(column >> bit & lowest).bit_count() for column in columns for bit in reversed(range(8))]
    return f"{sum(1 << (63 - place) for place, count in enumerate(ones) if 2 * count > len(grams)):016x}"
