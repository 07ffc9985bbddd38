"""Text as figures: folding, counting, hashing. Pure functions over strings."""

from __future__ import annotations

import html
import re
import unicodedata
from hashlib import blake2b, sha256

WORDS_PER_MINUTE = 200

#: Characters that print nothing and only break comparisons: C0/C1 controls, soft hyphen, zero-width space,
#: word joiner, BOM. Lone surrogates too: JSON-LD can hold them as escapes, and no UTF-8 encoder takes them.
#: ZWJ and ZWNJ stay, as Persian and Indic scripts spell with them.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ud800-\udfff]")
_WORD = re.compile(
    "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\\W_]+", re.UNICODE
)
_NOT_LETTERS = re.compile(r"[\W_]+")
_SHINGLE = 3


def squeeze(text: str) -> str:
    """`text` on one line: white space collapsed, invisible characters and lone surrogates gone."""
    return " ".join(_INVISIBLE.sub("", text).split())


def unescape(text: str) -> str:
    """`squeeze`, after HTML character references that a CMS escaped once too often."""
    return squeeze(html.unescape(text) if "&" in text else text)


def fold(text: str) -> str:
    """`text` for comparing: NFKC, caseless, white space collapsed."""
    return squeeze(unicodedata.normalize("NFKC", text).casefold())


def letters(text: str) -> str:
    """Only the letters and digits of `text`, folded: equal for two spellings of one headline or name."""
    return _NOT_LETTERS.sub("", fold(text))


def words(text: str) -> list[str]:
    """The tokens of `text`: words, or single characters of Chinese, Japanese, Korean and Thai script."""
    return _WORD.findall(text)


def word_count(text: str) -> int:
    """How many `words` there are."""
    return len(words(text))


def reading_time_s(count: int) -> int:
    """Seconds it takes to read `count` words at 200 words a minute."""
    return round(count * 60 / WORDS_PER_MINUTE)


def content_hash(text: str) -> str:
    """SHA-256 of the folded text, hex: equal for texts that differ in case and white space only."""
    return sha256(fold(text).encode()).hexdigest()


def simhash(text: str) -> str:
    """64 bits in hex, 16 characters; texts that share most word 3-grams differ in few bits (Charikar)."""
    tokens = words(fold(text))
    shingles = {" ".join(tokens[i : i + _SHINGLE]) for i in range(max(1, len(tokens) - _SHINGLE + 1))}
    # The bits of all shingles are summed in one integer of 64 lanes: a loop over bits costs 64 times as much.
    lanes = sum(_spread(shingle) for shingle in shingles)
    half = len(shingles) / 2
    bits = sum(1 << bit for bit in range(64) if (lanes >> (_LANE_BITS * bit)) & _LANE > half)
    return f"{bits:016x}"


_LANE_BITS = 24  # 16 million shingles before a lane runs over, and a page is cut long before
_LANE = (1 << _LANE_BITS) - 1
_SPREAD_BYTE = [sum(1 << (_LANE_BITS * bit) for bit in range(8) if byte >> bit & 1) for byte in range(256)]


def _spread(shingle: str) -> int:
    """The 64-bit hash of `shingle`, each bit in a lane of its own."""
    digest = blake2b(shingle.encode(), digest_size=8).digest()
    lanes = 0
    for byte in digest:
        lanes = lanes << (8 * _LANE_BITS) | _SPREAD_BYTE[byte]
    return lanes
