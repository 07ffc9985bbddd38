"""What counts as a change of an article, and what does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.events.samples import ARTICLE, BARE_ARTICLE
from worker.changes import COMPARED, changed_fields, prints_of
from worker.model import Author, Image

_TEXT = st.text() | st.sampled_from(["half \ud83d a pair", ""])
#: How each compared field is made to differ: the article's own field, and values for it.
_EDITS: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "title": ("title", _TEXT),
    "text": ("content_hash", st.text("0123456789abcdef", min_size=64, max_size=64)),
    "authors": ("authors", st.lists(st.builds(Author, _TEXT)).map(tuple)),
    "published_at": ("published_at", st.none() | _TEXT),
    "modified_at": ("modified_at", st.none() | _TEXT),
    "subtitle": ("subtitle", st.none() | _TEXT),
    "description": ("description", st.none() | _TEXT),
    "section": ("section", st.none() | _TEXT),
    "keywords": ("keywords", st.lists(_TEXT).map(tuple)),
    "language": ("language", st.none() | _TEXT),
    "agency": ("agency", st.none() | _TEXT),
    "type": ("type", st.sampled_from(["news", "live", "opinion", "video", "review", "interview", "unknown"])),
}


@given(st.fixed_dictionaries({}, optional={name: values for name, (_, values) in _EDITS.items()}))
def test_changed_fields_are_exactly_those_that_differ(edits: dict[str, Any]) -> None:
    """Whatever is edited, the fields named are those whose values are others now, in a fixed order."""
    own = {_EDITS[name][0]: value for name, value in edits.items()}
    edited = replace(ARTICLE, **own)
    differing = tuple(
        name for name in COMPARED if name in edits and getattr(ARTICLE, _EDITS[name][0]) != edits[name]
    )
    assert changed_fields(prints_of(ARTICLE), prints_of(edited)) == differing


def test_every_compared_field_has_an_edit() -> None:
    """A field that joins the comparison joins these tests."""
    assert tuple(_EDITS) == COMPARED


@pytest.mark.parametrize("article", [ARTICLE, BARE_ARTICLE])
def test_the_machinery_of_a_site_is_no_change(article: Any) -> None:
    """Pictures, addresses of profiles and other spaces in the text differ, and the article is as it was."""
    again = replace(
        article,
        images=(Image("https://cdn.example/9.jpg?v=2"),),
        authors=tuple(Author(author.name, "https://example.com/?s=2") for author in article.authors),
        text=article.text + " ",
        simhash="1" * 16,
    )
    assert changed_fields(prints_of(article), prints_of(again)) == ()


def test_a_missing_field_differs_from_an_empty_one() -> None:
    """A subtitle that appears is a change, even an empty one."""
    assert changed_fields(prints_of(BARE_ARTICLE), prints_of(replace(BARE_ARTICLE, subtitle=""))) == (
        "subtitle",
    )


def test_prints_of_an_older_release_are_compared_as_far_as_they_go() -> None:
    """A field that was not compared at the last visit is not said to have changed."""
    edited = replace(ARTICLE, title="Another", type="live")
    assert changed_fields(prints_of(ARTICLE)[:-8], prints_of(edited)) == ("title",)
