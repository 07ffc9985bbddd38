"""Whatever comes in, an Article or NotAnArticle comes out, in bounded time."""

from __future__ import annotations

import random
import time
from dataclasses import asdict

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.extract.pages import PARAGRAPHS, TITLE, URL, encoded, news_page
from worker.errors import NotAnArticle
from worker.extract import extract_article
from worker.extract.judgement import WHYS
from worker.model import Article

HEAD = f"<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1>"
TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
PAGE = news_page()
CHUNKS = st.sampled_from(
    [
        "<",
        ">",
        "</p>",
        "<p>",
        "<div>",
        "</article>",
        '"',
        "\0",
        "<!--",
        "<script>",
        "{",
        "\\ud800",
        "&#xD800;",
        "]]>",
        "<table>",
        '<a href="http://[x">',
        '<meta property="og:url" content="http://[">',
        "<svg>",
        "<template>",
        "\u202e",
        "\ud7ff",
        "9" * 400,
    ]
)
HOSTILE = {
    "divs": HEAD + "<div>" * 100_000 + TEXT,
    "divs closed": HEAD + "<div>" * 100_000 + TEXT + "</div>" * 100_000,
    "spans": HEAD + "<span>" * 100_000 + TEXT,
    "lists": HEAD + "<ul><li>" * 50_000 + TEXT,
    "tables": HEAD + "<table><tr><td>" * 35_000 + TEXT,
    "attributes": HEAD + TEXT + "<div " + " ".join(f"a{n}=1" for n in range(50_000)) + ">",
    "NULs": HEAD + TEXT.replace(" ", " \0"),
    "20 MB": HEAD + "<p>" + "word " * 4_000_000,
    "links": HEAD + '<a href="/x">some words to click on</a> ' * 200_000,
    "JSON": HEAD + '<script type="application/ld+json">' + "[" * 500_000 + "</script>" + TEXT,
    "number": HEAD
    + '<script type="application/ld+json">{"@type":"Article","wordCount":'
    + "9" * 5_000
    + "}</script>"
    + TEXT,
    "title": f"<title>{'a - ' * 300_000}</title>" + TEXT,
    "headings": "<h1>a - b - c | d</h1>" * 50_000 + TEXT,
    "less-than": "<" * 2_000_000,
    "lines": "Some words of a line\n" * 200_000,
}


def total(page: bytes, url: str = URL, content_type: str | None = None) -> Article | NotAnArticle:
    """The article, or the refusal, which must be a documented one."""
    try:
        article = extract_article(page, url=url, content_type=content_type)
    except NotAnArticle as caught:
        refusal = caught
    else:
        return fit_for_the_wire(article)
    assert refusal.why in WHYS
    return refusal


def fit_for_the_wire(article: Article) -> Article:
    """The article, once it is seen to be whole and to encode as JSON."""
    orjson.dumps(asdict(article))
    assert article.title
    assert article.text
    assert 0 <= article.extraction.confidence <= 1
    return article


@given(
    st.binary(max_size=3_000), st.sampled_from([None, "text/html", "text/plain", "text/html; charset=utf-16"])
)
def test_any_bytes(page: bytes, content_type: str | None) -> None:
    """Random bytes."""
    total(page, content_type=content_type)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, len(PAGE)), st.integers(0, 60), CHUNKS), max_size=12),
    st.text(max_size=30),
)
def test_mutated_pages(edits: list[tuple[int, int, str]], url: str) -> None:
    """A real page with pieces cut out and hostile ones put in, under any URL."""
    page = PAGE
    for position, cut, chunk in edits:
        page = page[:position] + chunk + page[position + cut :]
    total(page.encode("utf-8", "replace"), url=url)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_takes_bounded_time(name: str) -> None:
    """What makes parsers quadratic is cut before it reaches them: seconds, not minutes."""
    started = time.process_time()
    total(encoded(HOSTILE[name]))
    assert time.process_time() - started < 8


@pytest.mark.parametrize(
    "name", ["divs", "divs closed", "spans", "lists", "tables", "attributes", "JSON", "number"]
)
def test_text_survives_hostile_markup_around_it(name: str) -> None:
    """The paragraphs are still found below 100,000 open elements."""
    article = total(encoded(HOSTILE[name]))
    assert isinstance(article, Article)
    assert all(paragraph in article.text for paragraph in PARAGRAPHS)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("content_type", [None, "text/plain", "text/html"])
def test_random_bytes_are_no_text(seed: int, content_type: str | None) -> None:
    """Compressed or encrypted bytes are refused, whatever they are declared to be."""
    page = random.Random(seed).randbytes(20_000)
    with pytest.raises(NotAnArticle):
        extract_article(page, url="http://a.example/story", content_type=content_type)
