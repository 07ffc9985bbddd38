"""Text as figures, and languages."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.extract.pages import PARAGRAPHS
from worker.extract.language import direction_of, normalised, script_of
from worker.extract.text import measured, reading_time_s, squeeze, word_count

TEXT = " ".join(PARAGRAPHS)


def test_words_are_counted_in_every_script() -> None:
    """A character of Chinese, Japanese, Korean or Thai is a word."""
    assert word_count("It's a bridge, no. 7") == 6
    assert word_count("橋を閉鎖") == 4
    assert word_count("भारत में किसान") == 3
    assert word_count("l’homme — “oui”… «non»") == 4
    assert reading_time_s(200) == 60


def test_content_hash_ignores_case_and_white_space_only() -> None:
    """It names the words, not their layout."""
    shouted, quiet = measured("The  Bridge\n\nis closed"), measured("the bridge is CLOSED")
    assert shouted.content_hash == quiet.content_hash
    assert quiet.content_hash != measured("The bridge is open").content_hash


def test_simhash_is_near_for_near_texts_and_far_for_others() -> None:
    """One changed word flips few of 64 bits; another text flips about half."""

    def apart(one: str, other: str) -> int:
        return (int(measured(one).simhash, 16) ^ int(measured(other).simhash, 16)).bit_count()

    assert len(measured(TEXT).simhash) == 16
    assert apart(TEXT, TEXT.replace("spring", "summer")) <= 12
    assert apart(TEXT, " ".join(f"other{n}" for n in range(150))) > 16
    assert apart("", TEXT) > 16


def test_no_bit_of_a_simhash_is_mostly_set() -> None:
    """A bit that most texts share tells none of them apart."""
    hashes = [
        int(measured(" ".join(f"w{n * k % 997}" for k in range(1, 80))).simhash, 16) for n in range(400)
    ]
    shares = [sum(value >> bit & 1 for value in hashes) / len(hashes) for bit in range(64)]
    assert min(shares) > 0.35
    assert max(shares) < 0.65


def test_simhash_is_the_same_in_every_version_of_python() -> None:
    """It is compared with those of events written long ago."""
    assert measured("The old swing bridge will stay closed.").simhash == "856ecbbbdf8add4b"


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=150))
def test_a_bit_of_a_simhash_is_set_where_most_grams_have_it(letters: list[str]) -> None:
    """Counting all columns at once gives what counting one after the other does."""
    lanes = [crc32(letter.encode()) for letter in letters] + [0, 0]
    grams = [
        lanes[i] * 0xF5A3B6D1 ^ lanes[i + 1] * 0xFB93C7E5 ^ lanes[i + 2] * 0xF85D1F2B
        for i in range(max(1, len(letters) - 2))
    ]
    most = sum(1 << bit for bit in range(64) if 2 * sum(gram >> bit & 1 for gram in grams) > len(grams))
    assert measured(" ".join(letters)).simhash == f"{most:016x}"


@given(st.text(st.characters(), max_size=200))
def test_squeezed_text_can_be_encoded_and_is_one_line(text: str) -> None:
    """No lone surrogate, control character or line break gets into an event."""
    squeezed = squeeze(text)
    squeezed.encode()
    assert squeezed == squeeze(squeezed)
    assert not set(squeezed) & set("\n\r\t\0\u00ad\u200b")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("EN", "en"),
        ("de_at", "de-AT"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("iw", "he"),
        ("English", None),
        ("", None),
        ("und", None),
    ],
)
def test_language_tags_are_normalised(tag: str, expected: str | None) -> None:
    """As BCP 47 writes them, or not at all."""
    assert normalised(tag) == expected


def test_direction_follows_the_script() -> None:
    """Hebrew and Arabic run from the right, also where the page does not say so."""
    assert direction_of(None, script_of("הגשר סגור")) == "rtl"
    assert direction_of("rtl", script_of("The bridge is closed")) == "ltr"
