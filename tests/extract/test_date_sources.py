"""Where on the page a date stands, and what is reported when the places disagree."""

from __future__ import annotations

import pytest

from tests.extract.pages import JSONLD, PARAGRAPHS, encoded, news_page
from worker.extract import extract_article

URL = "https://news.example.com/city/harrow-quay-bridge"
TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
TIME = '<time datetime="2019-01-02T03:04:05Z">Wednesday</time>'


@pytest.mark.parametrize(
    "elsewhere",
    [
        f"<aside><article><h2>Another</h2>{TIME}</article></aside>",
        f"<article><h2>Another</h2>{TIME}</article>",
        f"<nav>{TIME}</nav>",
        f"<div>{TIME}</div>",
    ],
)
def test_another_articles_time_is_not_this_ones(elsewhere: str) -> None:
    """A teaser's <time> neither beats the date above the text nor stands in for it."""
    dated = news_page(jsonld=None, before='<div class="date">10 March 2024</div>')
    for page, expected in ((dated, "2024-03-10T00:00:00-00:00"), (news_page(jsonld=None), None)):
        crowded = page.replace("<aside>", f"{elsewhere}<aside>")
        assert extract_article(encoded(crowded), url=URL).published_at == expected


def test_a_teaser_inside_main_is_another_article() -> None:
    """Only an <article> that holds the title or the text is this one."""
    page = news_page(jsonld=None).replace("<main>", f"<main><article><h2>Other</h2>{TIME}</article>")
    assert extract_article(encoded(page), url=URL).published_at is None


@pytest.mark.parametrize("body", [f"{TIME}{TEXT}", f"</article><article>{TIME}{TEXT}"])
def test_the_articles_own_time_counts(body: str) -> None:
    """Above its text, also where the title has an <article> of its own."""
    article = extract_article(encoded(news_page(jsonld=None, body=body)), url=URL)
    assert article.published_at == "2019-01-02T03:04:05+00:00"
    assert article.extraction.provenance["published_at"] == "time"


@pytest.mark.parametrize("number", [1710144930, 1710144930000, 1710144930.5])
def test_json_ld_may_count_seconds(number: float) -> None:
    """A number is seconds or milliseconds since 1970."""
    article = extract_article(encoded(news_page(jsonld=JSONLD | {"datePublished": number})), url=URL)
    assert article.published_at == "2024-03-11T08:15:30+00:00"


def reported(page: str, url: str = URL) -> list[str]:
    lines = extract_article(encoded(page), url=url).extraction.disagreements
    return [line for line in lines if line.startswith(("published_at", "modified_at"))]


def test_a_change_before_the_publication_is_reported() -> None:
    """One of the two is wrong."""
    page = news_page(jsonld=JSONLD | {"dateModified": "2024-03-01T10:00:00+01:00"})
    assert reported(page) == [
        (
            "modified_at: jsonld:dateModified 2024-03-01T10:00:00+01:00, "
            "published jsonld:datePublished 2024-03-11T08:15:00+01:00"
        )
    ]


def test_the_urls_day_and_the_visible_one_are_compared_with_the_stated_one() -> None:
    """They never beat it, and the reader is told."""
    (line,) = reported(news_page(), "https://news.example.com/2019/01/02/bridge")
    assert line.endswith("url 2019-01-02")
    (line,) = reported(news_page(before="<p>2 January 2019</p>"))
    assert line.endswith("visible 2 January 2019")


@pytest.mark.parametrize(
    "line",
    [
        "11 March 2024",
        "Updated 2 January 2019",
        "12 March 2024, 09:30",
        "The flood of 2 January 2019 was worse than this",
    ],
)
def test_what_agrees_or_says_something_else_is_not_reported(line: str) -> None:
    """The same day or the next, an update, a longer line about another day."""
    assert reported(news_page(before=f"<p>{line}</p>"), "https://news.example.com/2024/03/11/bridge") == []
