"""The scoring, the report and the picture of `make bench-extract`."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import extract_report as report
from tests.bench import extract_score as score
from tests.bench.extract_contestants import NAMES, OURS, Found, reader, release
from tests.bench.extract_pages import KnownPage, real_pages, sample_pages
from tests.bench.extract_picture import Mark, draw
from tests.bench.extract_run import PageScore, scored
from tests.bench.extract_stages import measure

if TYPE_CHECKING:
    from pathlib import Path

SAID = "The ferry came back at dawn with two hundred people on board."


def page_score(publisher: str, f1: float, confidence: float = 0.95) -> PageScore:
    """A page of which little is known."""
    return PageScore(
        *("p", publisher, publisher[:2], 1.0, True), f1=f1, precision=f1, recall=f1, confidence=confidence
    )


def test_same_text_scores_one() -> None:
    """Case, punctuation and compatibility forms do not tell texts apart."""
    assert score.overlap(SAID, SAID.upper().replace(" ", "  ")) == score.Overlap(1.0, 1.0)
    assert score.overlap("ﬁve ﬁne ﬁsh", "Five, fine fish!").f1 == 1.0


def test_disjoint_texts_score_zero() -> None:
    """Without a run of four words in common nothing is right; neither is no text."""
    assert score.overlap(SAID, "Nothing at all of what was written over there stands here.").f1 == 0.0
    assert score.overlap(SAID, "") == score.Overlap(0.0, 0.0)
    assert score.overlap("", "") == score.Overlap(1.0, 1.0)


def test_clutter_costs_precision_and_loss_costs_recall() -> None:
    """Half the runs found beyond the text, or half of its runs missing, is one half."""
    eight = "a b c d e f g h"  # five runs
    assert score.overlap(eight, f"{eight} i j k l m") == score.Overlap(0.5, 1.0)
    assert score.overlap(f"{eight} i j k l m", eight) == score.Overlap(1.0, 0.5)


def test_line_found_twice_lowers_precision_alone() -> None:
    """A run counts as often as it was expected and no more."""
    twice = score.overlap(SAID, f"{SAID}\n{SAID}")
    assert twice.recall == 1.0
    assert twice.precision < 0.6
    assert score.overlap(f"{SAID}\n{SAID}", SAID).recall < 0.6


def test_scripts_without_spaces_are_read_by_character() -> None:
    """Each ideograph, kana, Hangul and Thai character is a token, also where Latin touches it."""
    assert score.tokens("NHK東京タワー2025年") == ["nhk", *"東京タワー", "2025", "年"]
    assert score.tokens("IT企業が") == ["it", *"企業が"]
    assert score.tokens("한국 ไทย") == [*"한국", *"ไทย"]


@given(st.text(alphabet="abc de東\n", max_size=60), st.text(alphabet="abc de東\n", max_size=60))
def test_overlap_is_fair_to_both_sides(one: str, other: str) -> None:
    """Expected and found change places as precision and recall do, and both are shares."""
    there, back = score.overlap(one, other), score.overlap(other, one)
    if score.tokens(one) and score.tokens(other):
        assert (there.precision, there.recall) == (back.recall, back.precision)
    assert 0.0 <= there.f1 <= 1.0


def test_titles_differ_by_words_alone() -> None:
    """Case, quotes, entities, spaces and hyphens are folded."""
    assert score.same_title("“Nine  years” – and a ferry", "'nine years' - AND A FERRY")
    assert score.same_title("Salt &amp; fish", "Salt & fish")
    assert not score.same_title("Salt and fish", "Salt and fish - Tidewire")
    assert not score.same_title("Salt and fish", None)


@pytest.mark.parametrize(
    ("expected", "found", "minute", "day"),
    [
        ("2025-04-03T06:10:00+01:00", "2025-04-03T05:10:30Z", True, True),
        ("2025-04-03T06:10:00+01:00", "2025-04-03T05:11:00Z", False, True),
        ("2025-04-03T00:30:00+02:00", "2025-04-03", False, True),
        ("2025-04-03T00:30:00+02:00", "2025-04-02T22:30:00Z", True, True),
        ("2025-04-03T12:00:00Z", "2025-04-04", False, False),
        ("2025-04-03T12:00:00Z", None, False, False),
        ("2025-04-03T12:00:00Z", "yesterday", False, False),
    ],
)
def test_dates_are_compared_as_instants_and_as_days(
    expected: str, found: str | None, minute: bool, day: bool
) -> None:
    """The minute is of the instant; the day is UTC's or the written one."""
    assert score.same_minute(expected, found) is minute
    assert score.same_day(expected, found) is day


def test_authors_are_a_set_of_folded_names() -> None:
    """Order and case do not count; an agency counts only where it is expected."""
    assert score.authors_f1(["Isla Penrod", "Ann Lee"], ["ANN LEE", "Isla Penrod"], None) == 1.0
    assert score.authors_f1(["Isla Penrod"], ["Isla Penrod", "Desk"], None) == pytest.approx(2 / 3)
    assert score.authors_f1(["dpa"], [], "DPA") == 1.0
    assert score.authors_f1(["Isla Penrod"], ["Isla Penrod"], "DPA") == 1.0


def test_unknown_fields_and_fields_without_a_call_are_not_scored() -> None:
    """Neither counts as a failure."""
    page = KnownPage("p", "https://a.example/", b"", "a", "uk", title="Fish", published_at="2025-04-03")
    assert scored(page, Found(SAID), 1.0).authors is None
    assert scored(page, Found(SAID), 1.0).day is False
    assert scored(page, Found(SAID), 1.0, frozenset({"minute", "day"})).day is None
    assert scored(page, Found(SAID), 1.0).f1 is None


def test_groups_and_folds_keep_publishers_whole() -> None:
    """Leaving a group out leaves the mean of all other pages; no publisher is in two folds."""
    scores = [page_score("uk_A", 1.0), page_score("uk_A", 0.8), page_score("de_B", 0.6)]
    groups = report.grouped(scores, "publisher")
    assert report.leave_one_out(groups) == pytest.approx([0.6, 0.9])
    assert report.publisher_folds(scores) == pytest.approx([0.6, 0.9])


def test_calibration_counts_pages_by_band() -> None:
    """A page of confidence 0.9 is in the highest band; an empty band has no shares."""
    scores = [page_score("uk_A", 0.95, 0.9), page_score("uk_A", 0.5, 1.0), page_score("uk_A", 0.5, 0.89)]
    _, lowest, _, middle, highest = [line.split() for line in report.calibration(scores)]
    assert (lowest[-3:], middle[-3:]) == (["0", "-", "-"], ["1", "0.000", "0.500"])
    assert highest[-3:] == ["2", "0.500", "0.725"]


def test_percentile_is_a_value_that_occurred() -> None:
    """Nearest rank: of a hundred values the 99th, of one value that one."""
    assert report.percentile(range(1, 101), 0.99) == 99
    assert report.percentile([7.0], 0.99) == 7.0


def test_picture_is_well_formed_and_within_its_frame() -> None:
    """Names are escaped, each contestant has a dot in each panel, and no dot leaves the picture."""
    marks = [
        Mark("ingest", 0.97, 0.98, 0.976, 8.0),
        Mark("a <b> & c", 0.0, 0.0, 0.0, 2_000.0),
        Mark("perfect", 1.0, 1.0, 1.0, 0.02),
    ]
    for shown in (marks, marks[:1], marks[::2]):
        root = ElementTree.fromstring(draw(shown, "3 pages & more"))  # noqa: S314 - our own
        width, height = (float(side) for side in root.attrib["viewBox"].split()[2:])
        dots = [node for node in root if node.tag.endswith("circle")]
        assert len(dots) == 2 * len(shown)
        assert all(
            0 < float(dot.attrib["cx"]) < width and 0 < float(dot.attrib["cy"]) < height for dot in dots
        )


def test_sample_pages_are_read_as_the_site_says() -> None:
    """Ours reads each as its catalogue has it, and every one that is HTML has both costs."""
    read, pages = reader(OURS), sample_pages()
    scores = [scored(page, read(page), 1.0) for page in pages]
    assert all(each.judged for each in scores)
    assert report.mean(scores, "kept") == 1.0
    assert sum(page.is_article for page in pages) == len(pages) - 3
    costs = measure(pages[:5])
    assert len(costs) == 5 - sum("plain" in (page.content_type or "") for page in pages[:5])
    assert list(report.ours(scores, costs, 1))


@pytest.mark.parametrize("name", [name for name in NAMES if name != OURS])
def test_other_contestants_read_a_page(name: str) -> None:
    """Each of the libraries answers as it is called here."""
    if release(name) is None:
        pytest.skip(f"{name} is not installed")
    page = next(page for page in sample_pages() if page.name == "courier/night-ferry.html")
    assert scored(page, reader(name)(page), 1.0).kept


def test_real_pages_are_read_from_a_folder(tmp_path: Path) -> None:
    """The publisher is the file's country and second part; what a row leaves empty is not known."""
    name = "uk_Tidewire_2025_04_03.html.gz"
    (tmp_path / name).write_bytes(gzip.compress(b"<p>Fish</p>"))
    row = {"file": name, "url": "https://a.example/", "title": "Fish", "authors": None, "published_at": ""}
    (tmp_path / "expected.jsonl").write_text(json.dumps({**row, "paragraphs": ["Fish", "Salt"]}))
    (page,) = real_pages(tmp_path)
    assert (page.publisher, page.country, page.body) == ("uk_Tidewire", "uk", b"<p>Fish</p>")
    assert (page.text, page.authors, page.published_at) == ("Fish\nSalt", None, None)
