"""Fingerprints of a text: near-duplicates share most of them, and other texts none. A pure function."""

from __future__ import annotations

from hashlib import blake2b
from heapq import nsmallest
from zlib import crc32

from worker.extract.text import folded_words

#: Figures by measurement: see `tests/bench/clusters.py`.
COUNT = 16
SHARED_BY_COPIES = 7
#: Fewer words are a caption or a ticker's line, and those of one publisher look alike.
LEAST_WORDS = 60
_GRAM = 6
_BYTES = 6
#: What stands behind them is not looked at, so that no book holds a worker up.
_CHARS = 20_000


def fingerprints(text: str) -> tuple[bytes, ...]:
    """16 fingerprints of 6 bytes, or none of a text that is too short to be told from others.

    They stand for the word 6-grams of the lowest hash, in that order: two texts share about as large a part
    of these as of all their 6-grams (Broder, "On the resemblance and containment of documents", 1997).
    """
    _, tokens = folded_words(text[:_CHARS])
    if len(tokens) < LEAST_WORDS:
        return ()
    grams = map(b" ".join, zip(*(tokens[place:] for place in range(_GRAM)), strict=False))
    # crc32 is quick, and the same on every machine. Its lowest values are no names: most begin with the same
    # bits, and the rest are too few to tell the texts of a week apart.
    by_hash = {crc32(gram): gram for gram in grams}
    return tuple(
        blake2b(by_hash[lowest], digest_size=_BYTES).digest() for lowest in nsmallest(COUNT, by_hash)
    )
