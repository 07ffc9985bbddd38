"""Choosing the title."""

from __future__ import annotations

import pytest

from tests.extract.pages import JSONLD, TITLE, URL, encoded, news_page
from worker.extract import extract_article
from worker.extract.titles import strip_site

NAMES = {"theexamplecourier", "example", "newsexamplecom"}


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Bridge closed - The Example Courier", "Bridge closed"),
        ("Bridge closed | Example", "Bridge closed"),
        ("Bridge closed – Example – 11.03.2024", "Bridge closed"),
        ("Bridge at Harrow Quay stays closed - City | Example", "Bridge at Harrow Quay stays closed"),
        ("Example: Bridge closed", "Example: Bridge closed"),
        ("The Example Courier | Bridge closed", "Bridge closed"),
        ("Fire - and no end", "Fire - and no end"),
        ("Stop-and-go", "Stop-and-go"),
    ],
)
def test_site_names_are_stripped_and_nothing_else(written: str, title: str) -> None:
    """Only a segment that is the site's name, or stands before it, goes."""
    assert strip_site(written, NAMES) == title


def test_majority_of_sources_wins() -> None:
    """One odd headline does not outvote og:title and h1."""
    page = news_page(
        head=f'<meta property="og:title" content="{TITLE}">',
        jsonld=JSONLD | {"headline": "Bridge shut: what we know"},
    )
    article = extract_article(encoded(page), url="https://news.example.com/1")
    assert article.title == TITLE
    assert any("Bridge shut" in line for line in article.extraction.disagreements)


def test_suffix_that_another_source_lacks_is_cut() -> None:
    """`Headline - whatever` counts for `Headline` when h1 says so."""
    page = news_page(jsonld=JSONLD | {"headline": f"{TITLE} - Courier Online News"}, title="x")
    assert extract_article(encoded(page), url="https://news.example.com/1").title == TITLE


def test_double_escaped_headline_is_unescaped() -> None:
    """A CMS escapes once too often; readers see the characters."""
    page = news_page(jsonld=JSONLD | {"headline": "Caf&eacute; owner&#039;s bridge"}, h1="", title="")
    assert extract_article(encoded(page), url=URL).title == "Café owner's bridge"


def test_h1_made_of_parts_takes_its_spaces_from_a_better_source() -> None:
    """`<h1><b>Kicker:</b>Title</h1>` has no space to read."""
    page = news_page(
        h1="<b>Harbour:</b>Bridge closed until the spring",
        jsonld=None,
        head='<meta property="og:title" content="Harbour: Bridge closed until the spring">',
    )
    assert extract_article(encoded(page), url=URL).title == "Harbour: Bridge closed until the spring"


def test_a_tail_that_structured_data_writes_out_is_of_the_headline() -> None:
    """An h1 that leaves it out does not shorten what three other sources say."""
    longer = f"{TITLE} - all we know"
    head = f'<meta property="og:title" content="{longer}"><meta name="twitter:title" content="{longer}">'
    page = news_page(jsonld=JSONLD | {"headline": longer}, head=head)
    assert extract_article(encoded(page), url="https://news.example.com/1").title == longer
