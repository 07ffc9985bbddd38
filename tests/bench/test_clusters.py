"""Copies of one story are found, and other texts are not: by the figures that the README tells."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.bench.cluster_texts import (
    Text,
    copies,
    market_report,
    reports,
    texts_of,
    weather_report,
    with_boilerplate,
    without_end,
    without_start,
)
from tests.bench.clusters import Pair, Pairs, costs, pair, pairs_of, report
from tests.bench.extract_pages import real_pages, sample_pages
from worker.extract.fingerprints import SHARED_BY_COPIES

if TYPE_CHECKING:
    from pathlib import Path

    from worker.store.connection import Connection

_SHARED = 7  # by which the README's figures were measured
PARAGRAPHS = ("one two three four", "five six seven eight", "nine ten")


def test_ends_are_cut_by_words() -> None:
    """From either side, through paragraphs."""
    assert without_end(PARAGRAPHS, 0.4) == ["one two three four", "five six"]
    assert without_start(PARAGRAPHS, 0.4) == ["five six seven eight", "nine ten"]


def test_what_is_put_in_leaves_the_rest() -> None:
    """Sentences of a template stand between paragraphs, and these keep their order."""
    mixed = with_boilerplate(PARAGRAPHS, 2, Random(1))
    assert len(mixed) == 5
    assert [each for each in mixed if each in PARAGRAPHS] == list(PARAGRAPHS)


def test_copies_and_reports_are_the_same_every_time() -> None:
    """So that figures can be compared; no two reports say the same."""
    text = Text("a", "b", PARAGRAPHS)
    assert copies(text, ["x"], Random(1)) == copies(text, ["x"], Random(1))
    for write in (market_report, weather_report):
        assert len(set(reports(write, 50))) == 50


def test_scores_count_pairs() -> None:
    """Recall is of the pairs that are alike, precision of those that were found."""
    found = Pairs({"copies": [Pair(9, 1), Pair(3, 1)]}, {"others": [Pair(8, 20), Pair(0, 30), Pair(0, 30)]})
    assert (found.score(shared=7).recall, found.score(shared=7).precision) == (0.5, 0.5)
    assert (found.simhash_score(bits=3).recall, found.simhash_score(bits=3).precision) == (1.0, 1.0)


def test_copies_of_the_sample_sites_articles_are_found() -> None:
    """At the threshold that is set: nearly all copies, and hardly anything else."""
    found = pairs_of(texts_of(sample_pages()))
    score = found.score(shared=SHARED_BY_COPIES)
    assert SHARED_BY_COPIES == _SHARED
    assert score.recall >= 0.93
    assert score.precision >= 0.95
    assert found.simhash_score(bits=3).recall < score.recall / 3
    assert any("<- ours" in line for line in report(found))


def test_copies_of_real_articles_are_found(shared: Path) -> None:
    """As on the sample site, with every fourth real page."""
    if not (shared / "pages" / "expected.jsonl").is_file():
        pytest.skip("the shared pages are not at hand; set INGEST_SHARED")
    found = pairs_of(texts_of(real_pages(shared / "pages")[::4]))
    score = found.score(shared=SHARED_BY_COPIES)
    assert score.recall >= 0.95
    assert score.precision >= 0.95
    assert not any(each.shared >= SHARED_BY_COPIES for each in found.different["articles of two publishers"])


def test_other_articles_are_far_away() -> None:
    """An article and another one share nothing."""
    one, other = (Text(str(n), "p", (market_report(Random(n)), weather_report(Random(n)))) for n in (1, 2))
    assert pair(one.text, one.text) == Pair(16, 0)
    assert pair(one.text, other.text).shared < SHARED_BY_COPIES


async def test_costs_are_told(connection: Connection) -> None:
    """In bytes a story and microseconds a call."""
    room, calls = await costs(connection, 200)
    assert "bytes a story with 200" in room
    assert "µs for a copy" in calls
