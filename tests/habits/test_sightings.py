"""What a worker notes of sources between two looks."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.events.samples import ARTICLE, BARE_ARTICLE, TASK
from worker.habits.sightings import FIELDS, Seen, Sightings, found_in


def noted(ends: list[str]) -> Seen:
    """Ends of URLs, in this order."""
    seen = Seen()
    for number, end in enumerate(ends):
        match end:
            case "article":
                seen.article(1, str(number))
            case "unchanged":
                seen.same()
            case _:
                seen.death(end)
    return seen


_ENDS = st.lists(st.sampled_from(["article", "unchanged", "http_404", "timeout"]))


@given(_ENDS, _ENDS)
def test_two_parts_are_as_good_as_one(first: list[str], second: list[str]) -> None:
    """What was put back and what came after it tell what all of it at once would have told."""
    whole, parts = noted(first + second), noted(first).then(noted(second))
    assert len(parts.articles) == len(whole.articles)
    assert replace(parts, articles=[]) == replace(whole, articles=[])


def test_found_fields_are_those_with_a_value() -> None:
    """A bare article has none but what it always has; a long text counts as `text`."""
    full = replace(ARTICLE, word_count=100)
    assert found_in(replace(BARE_ARTICLE, word_count=99)) & 1 == 0
    assert found_in(full) & 1 == 1
    for bit, name in enumerate(FIELDS[1:], 1):
        assert bool(found_in(full) >> bit & 1) is bool(getattr(full, name)), name


def test_the_source_is_where_the_url_came_from() -> None:
    """A URL that was redirected counts for the host that was pushed, not for the one that answered."""
    sightings = Sightings(10)
    moved = replace(TASK, url="http://a.example/1", host="b.example", redirects=("http://b.example/1",))
    sightings.buried(moved, "http_404")
    assert sightings.taken().keys() == {"a.example"}
    assert sightings.taken() == {}


def test_sources_are_bounded() -> None:
    """More sources than the limit go unseen; 0 sees none."""
    for limit in (0, 2):
        sightings = Sightings(limit)
        for number in range(5):
            sightings.unchanged(replace(TASK, host=f"{number}.example", redirects=()))
        assert len(sightings.taken()) == limit
