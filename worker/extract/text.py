"""Text as figures: folding, counting, hashing. Pure functions over strings."""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from array import array
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, sha256

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
_MAX_WORD_CHARS = 64  # what the cache of word hashes may hold of a page without spaces


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
    hashes = [_word_hash(token) for token in tokens]
    padded = [*hashes, 0, 0]
    grams = {
        (one + 0x9E3779B97F4A7C15 * two + 0xC2B2AE3D27D4EB4F * three) & _MASK
        for one, two, three in zip(hashes[: max(1, len(hashes) - 2)], padded[1:], padded[2:], strict=False)
    }
    # The bits of all hashes are counted lane by lane: a loop over bits and hashes costs twenty times as much.
    packed = array("Q", grams)
    if sys.byteorder == "little":
        packed.byteswap()
    lanes = packed.tobytes()
    ones = [lanes[byte::8].translate(table).count(1) for byte in range(8) for table in _BIT_OF_BYTE]
    return f"{sum(1 << (63 - place) for place, count in enumerate(ones) if 2 * count > len(grams)):016x}"


_MASK = (1 << 64) - 1
_BIT_OF_BYTE = [bytes(byte >> bit & 1 for byte in range(256)) for bit in reversed(range(8))]


@lru_cache(maxsize=32_768)
def _word_hash(token: str) -> int:
    return int.from_bytes(blake2b(token[:_MAX_WORD_CHARS].encode(), digest_size=8).digest(), "big")
