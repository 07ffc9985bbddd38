"""How a demo tells what became of each URL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.site.expected import Expected
from worker.cli.demo.ends import ARTICLE, NO_END, REFUSED, End, Ends, differences, ledger_faults
from worker.cli.following import Entry
from worker.store.ledger import Ledger

URL = "http://a.example/1"
EXPECTED = Expected(
    "a.example",
    "/1",
    ARTICLE,
    "a test",
    title="Title",
    published_at="2025-03-14T13:39:00+01:00",
    language="en",
    authors=("Ann",),
    must_contain=("a sentence",),
    must_not_contain=("Advertisement",),
)
FIELDS: dict[str, Any] = {
    "title": "Title",
    "published_at": "2025-03-14T12:39:00Z",
    "language": "en-GB",
    "authors": [{"name": "Ann", "url": None}],
    "text": "Here is a\n\nsentence.",
}


def _entry(url: str | None, **data: Any) -> Entry:
    kind = "url.dead.v1" if "reason" in data else "article.published.v1"
    return Entry("1-0", {"type": kind}, {"requested_url": url, "item": None, **data})


def _ledger(**figures: int) -> Ledger:
    nothing = dict.fromkeys(("accepted", "articles", "unchanged", "dead", "waiting", "leased", "refused"), 0)
    return Ledger(**{**nothing, **figures}, reasons={}, traffic={})


def test_ends_come_in_the_order_of_pushing() -> None:
    """Each event finds its URL, however late it comes."""
    ends = Ends([URL, "nonsense"])
    assert ends.note(_entry(None, item="nonsense", reason="malformed")) is not None
    assert ends.note(_entry(URL)) is not None
    assert [end.outcome for end in ends.all()] == [ARTICLE, "dead:malformed"]


def test_an_unchanged_article_is_an_end() -> None:
    """A URL whose article was known already ends as unchanged, and the ledger counts it so."""
    ends = Ends([URL])
    ends.note(Entry("1-0", {"type": "article.unchanged.v1"}, {"requested_url": URL, "revision": 2}))
    (end,) = ends.all()
    assert (end.outcome, end.article) == ("unchanged", None)
    assert list(ledger_faults(_ledger(accepted=1, unchanged=1), [end])) == []


def test_what_has_no_event_but_a_double_was_refused() -> None:
    """A double by the canonical form has the end of a duplicate, and no other has."""
    ends = Ends([URL, f"{URL}#part", "http://b.example/"])
    ends.note(_entry(URL))
    assert [end.outcome for end in ends.all()] == [ARTICLE, REFUSED, NO_END]


def test_events_of_other_urls_are_left_alone() -> None:
    """What this demo did not push is none of its ends."""
    ends = Ends([URL])
    assert ends.note(_entry("http://b.example/")) is None
    assert ends.count == 0


def test_as_expected_is_no_difference() -> None:
    """The same instant in another offset, a region in the language and other white space are no faults."""
    assert differences(EXPECTED, End(URL, ARTICLE, FIELDS)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"title": "Other"}, "title is 'Other', not 'Title'"),
        ({"language": "de"}, "language is 'de'"),
        ({"authors": []}, "authors is ()"),
        ({"published_at": None}, "published_at is None"),
        ({"published_at": "2025-03-14T13:39:00Z"}, "published_at is 2025-03-14T13:39:00Z"),
        ({"published_at": "2025-03-14T12:39:00-00:00"}, "published_at is 2025-03-14T12:39:00-00:00"),
        ({"text": "Here is nothing"}, "the text lacks 'a sentence'"),
        ({"text": "a sentence. Advertisement"}, "the text holds 'Advertisement'"),
    ],
)
def test_every_difference_is_told(change: dict[str, Any], fault: str) -> None:
    """Each field of an expectation is held against the article, an unknown offset against a known one too."""
    (told,) = differences(EXPECTED, End(URL, ARTICLE, FIELDS | change))
    assert fault in told


def test_another_end_is_the_only_difference_told() -> None:
    """Without an article there are no fields to speak of."""
    assert differences(EXPECTED, End(URL, "dead:dns")) == ["ended as dead:dns, not article"]
    assert differences(replace(EXPECTED, outcome="dead:dns"), End(URL, "dead:dns")) == []


def test_a_ledger_that_agrees_has_no_faults() -> None:
    """One article, one dead letter, one refused."""
    ends = [End(URL, ARTICLE, FIELDS), End(URL, "dead:dns"), End(URL, REFUSED)]
    assert list(ledger_faults(_ledger(accepted=2, articles=1, dead=1, refused=1), ends)) == []


@pytest.mark.parametrize(
    ("figures", "fault"),
    [
        ({"accepted": 2, "articles": 1}, "does not balance"),
        ({"accepted": 2, "articles": 1, "waiting": 1}, "1 URLs are waiting"),
        ({"accepted": 1, "dead": 1}, "counts 0 articles, and 1 were seen"),
        ({"accepted": 1, "articles": 1, "refused": 1}, "counts 1 refused, and 0 were seen"),
    ],
)
def test_a_ledger_that_tells_another_story_is_faulty(figures: dict[str, int], fault: str) -> None:
    """The ledger must balance, be settled, and agree with what the streams showed."""
    assert fault in "; ".join(ledger_faults(_ledger(**figures), [End(URL, ARTICLE, FIELDS)]))
