"""Text as figures: folding, counting, hashing. Pure functions over strings."""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from array import array
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from zlib import crc32

WORDS_PER_MINUTE = 200
#: What ends sentences, from Latin script to Urdu, Hindi, Armenian, Ethiopic, Burmese, Khmer and Tibetan.
SENTENCE_ENDS = ".!?…。｡．！？؟۔।॥։።፧။។"
#: What may stand behind such an end.
CLOSING_MARKS = "\"'”’»«“)]」』"

#: Characters that print nothing and only break comparisons: C0/C1 controls, soft hyphen, zero-width space,
#: word joiner, BOM. Lone surrogates too: JSON-LD can hold them as escapes, and no UTF-8 encoder takes them.
#: ZWJ and ZWNJ stay, as Persian and Indic scripts spell with them.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ud800-\udfff]")
#: Thai, Lao, Burmese and Khmer: words stand without spaces, and sentences often end without a mark.
_UNSTOPPED = "\u0e00-\u0eff\u1000-\u1049\u104c-\u109f\u1780-\u17d3\u17db-\u17dd"
_UNSPACED = f"{_UNSTOPPED}\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_UNSPACED_CHAR = re.compile(f"[{_UNSPACED}]")
_UNSPACED_WORD = re.compile(f"[{_UNSPACED}]|[^\\W_]+")
_UNSTOPPED_CHAR = re.compile(f"[{_UNSTOPPED}]")
_MARKS = "–—‘’“”„«»·•…،؛؟।"
_ASCII_NOT_LETTERS = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_ASCII_MARKS = bytes(byte if byte > 127 or chr(byte).isalnum() else 32 for byte in range(256))
#: Odd, of 32 bits, so that a product with a CRC fits a lane, and large, so that its highest bit is even odds.
_MULTIPLIERS = (0xF5A3B6D1, 0xFB93C7E5, 0xF85D1F2B)
_NOT_LETTERS = re.compile(r"[\W_]+")


def squeeze(text: str) -> str:
    """`text` on one line: white space collapsed, invisible characters and lone surrogates gone."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
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
    if text.isascii():
        return text.lower().encode().translate(None, _ASCII_NOT_LETTERS).decode()
    folded = unicodedata.normalize("NFKC", text).casefold()
    # A pattern alone takes half as long again.
    kept = folded.encode("utf-8", "surrogatepass").translate(None, _ASCII_NOT_LETTERS)
    known = kept.decode("utf-8", "surrogatepass")
    return known if known.isalnum() else _NOT_LETTERS.sub("", known)


def words(text: str) -> list[bytes]:
    """The tokens of `text` in UTF-8: words, or single characters where words stand without spaces."""
    encoded = text.encode()
    if len(encoded) > len(text):
        # These scripts take three bytes a character; accents alone never make a text half as long again.
        if len(encoded) > 1.5 * len(text) and _UNSPACED_CHAR.search(text):
            return [word.encode() for word in _UNSPACED_WORD.findall(text)]
        for mark in _MARKS:
            text = text.replace(mark, " ")
        encoded = text.encode()
    # A pattern of letters takes three times as long, and parts Hindi at its vowel signs.
    return encoded.translate(_ASCII_MARKS).split()


def word_count(text: str) -> int:
    """How many `words` there are."""
    return len(words(text))


def is_unstopped(text: str) -> bool:
    """Whether `text` is of a script whose sentences may end without a mark: Thai, Lao, Burmese, Khmer."""
    return not text.isascii() and _UNSTOPPED_CHAR.search(text) is not None


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
    folded, tokens = folded_words(text)
    return Measures(len(tokens), sha256(folded.encode()).hexdigest(), _simhash(tokens))


@lru_cache(maxsize=1)
def folded_words(text: str) -> tuple[str, list[bytes]]:
    """A text of paragraphs as one folded line, and its words; the last one is remembered.

    Measures and fingerprints want the same of each article. Nobody may change the list.
    """
    folded = fold(text.replace("\n\n", " "))  # so joined, it need not be squeezed
    return folded, words(folded)


def _simhash(tokens: list[bytes]) -> str:
    """All 3-grams are hashed at once, in lanes of 64 bits of one integer: loops cost many times as much.

    A gram's hash is the exclusive or of its words' products; `crc32` is the same on every machine.
    """
    lanes = array("Q", list(map(crc32, tokens)))
    if sys.byteorder == "big":
        lanes.byteswap()
    first = int.from_bytes(lanes.tobytes(), "little")
    one, two, three = ((first >> 64 * place) * odd for place, odd in enumerate(_MULTIPLIERS))
    hashes = one ^ two ^ three
    grams = max(1, len(tokens) - 2)
    return f"{_majority(hashes & (1 << 64 * grams) - 1, grams):016x}"


def _majority(lanes: int, count: int) -> int:
    """The bits that are set in more than half of `count` lanes of 64 bits.

    They are counted in all columns at once: three lanes make one of sums and one of carries (Harley-Seal).
    """
    digits = []  # of the 64 counts, in binary: a lane for each place
    held = count
    while held:
        carries = carried = 0
        while held > 1:
            third = -(-held // 3)
            one, two, three = lanes, lanes >> 64 * third, lanes >> 128 * third
            mask = (1 << 64 * third) - 1
            differ = one ^ two
            carries |= ((one & two | differ & three) & mask) << 64 * carried
            carried += third
            lanes, held = (differ ^ three) & mask, third
        digits.append(lanes)
        lanes, held = carries, carried
    more, same = 0, -1
    for place in reversed(range(len(digits))):
        if count // 2 >> place & 1:
            same &= digits[place]
        else:
            more |= same & digits[place]
            same &= ~digits[place]
    return more
