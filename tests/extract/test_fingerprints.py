"""Fingerprints: near-duplicates share them, other texts do not."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from worker.extract.fingerprints import COUNT, LEAST_WORDS, SHARED_BY_COPIES, fingerprints


def text(seed: int, count: int = 400) -> str:
    """Words of a small vocabulary, in an order that no other seed has."""
    random = Random(seed)
    return " ".join(f"w{random.randrange(300)}" for _ in range(count))


def shared(one: str, other: str) -> int:
    """How many fingerprints two texts share."""
    return len(set(fingerprints(one)) & set(fingerprints(other)))


def test_fingerprints_are_the_same_in_every_version_of_python() -> None:
    """Workers of a fleet compare theirs in Redis."""
    prints = fingerprints(" ".join(f"word{number}" for number in range(LEAST_WORDS)))
    assert len(set(prints)) == COUNT
    assert {len(each) for each in prints} == {6}
    assert [each.hex() for each in prints[:2]] == ["5fcfdf58cff1", "bc2ccb791af2"]


def test_short_texts_have_none() -> None:
    """A ticker's lines of one publisher look alike; a word more, and a text has them."""
    assert fingerprints(text(1, LEAST_WORDS - 1)) == ()
    assert len(fingerprints(text(1, LEAST_WORDS))) == COUNT


def test_texts_of_the_same_words_share_none() -> None:
    """The order of words is what a story is told by."""
    assert max(shared(text(1), text(other)) for other in range(2, 40)) == 0


def test_layout_and_case_do_not_count() -> None:
    """Paragraphs may be cut otherwise, and be shouted."""
    words = text(1).split()
    laid_out = "\n\n".join(" ".join(words[start : start + 37]) for start in range(0, len(words), 37))
    assert fingerprints(laid_out.upper()) == fingerprints(text(1))


def test_a_book_is_read_to_a_bound() -> None:
    """What stands behind 20,000 characters changes nothing, however long it is."""
    book = text(1, 6_000)
    assert fingerprints(book) == fingerprints(book[:20_000]) != fingerprints(book[:10_000])


def test_texts_without_spaces_have_them() -> None:
    """Characters are the words of Japanese."""
    story = "橋を閉鎖する計画が発表され住民は朝の船に乗れなくなると心配している" * 3
    assert len(fingerprints(story)) == COUNT


def test_a_lost_end_and_a_sentence_more_leave_a_copy() -> None:
    """A fifth of the end gone, and ten words put in."""
    for seed in range(20):
        words = text(seed).split()[:320]
        words[40:40] = [f"boilerplate{number}" for number in range(10)]
        assert shared(text(seed), " ".join(words)) >= SHARED_BY_COPIES


@given(st.integers(0, 10_000), st.tuples(st.integers(LEAST_WORDS, 400), st.integers(LEAST_WORDS, 400)))
def test_a_longer_part_of_a_text_shares_no_less(seed: int, lengths: tuple[int, int]) -> None:
    """Each is lost with its own words, and with no others."""
    words = text(seed).split()
    less, more = (shared(text(seed), " ".join(words[:length])) for length in sorted(lengths))
    assert less <= more
