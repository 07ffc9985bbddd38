"""A page becomes an article: every field from its best source, and no article where there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.extract import pages
from tests.extract.pages import JSONLD, PARAGRAPHS, TITLE, URL, encoded, news_page
from worker.errors import NotAnArticle
from worker.extract import extract_article
from worker.extract.judgement import WHYS

if TYPE_CHECKING:
    from worker.model import Article


def extract(page: str, url: str = URL, **arguments: Any) -> Article:
    return extract_article(encoded(page), url=url, **arguments)


def test_news_page_yields_body_and_facts() -> None:
    """Title, exactly the paragraphs, and what structured data says, each with its source."""
    article = extract(news_page())
    assert article.title == TITLE
    assert [paragraph.text for paragraph in article.paragraphs] == list(PARAGRAPHS)
    assert article.text == "\n\n".join(PARAGRAPHS)
    assert (article.section, article.keywords) == ("City", ("bridges", "harbour", "ferries"))
    assert (article.publisher.name, article.publisher.domain) == ("The Example Courier", "news.example.com")
    assert (article.language, article.direction, article.type, article.charset) == (
        "en-GB",
        "ltr",
        "news",
        "utf-8",
    )
    assert (article.access.status, article.access.evidence) == ("free", "jsonld:isAccessibleForFree true")
    image = article.images[0]
    assert (image.url, image.width, image.height, image.caption) == (
        "https://news.example.com/img/bridge.jpg",
        1200,
        800,
        "The bridge",
    )
    assert article.extraction.provenance["authors"] == "jsonld:author"
    assert 0.8 < article.extraction.confidence <= 1
    assert (article.subtitle, article.videos) == (None, ())


def test_extraction_is_deterministic() -> None:
    """The same bytes give the same article."""
    assert extract(news_page()) == extract(news_page())


@pytest.mark.parametrize("content_type", ["text/html", "text/plain"])
def test_url_and_article_id_are_the_subjects(content_type: str) -> None:
    """They name the task's URL, so a redirect changes neither; what the page calls itself is of its own."""
    page = news_page() if content_type == "text/html" else "\n\n".join((TITLE, *PARAGRAPHS))
    first = extract(page, subject="https://example.com/a", content_type=content_type)
    second = extract(
        page,
        url="https://other.example.com/b",
        subject="https://example.com/a",
        content_type=content_type,
    )
    assert first.article_id == second.article_id
    assert (first.url, second.url) == ("https://example.com/a",) * 2
    if content_type == "text/plain":
        assert second.canonical_url == "https://other.example.com/b"
    assert len(first.article_id) == 32
    assert first.article_id != extract(news_page()).article_id


@pytest.mark.parametrize(
    ("canonical", "expected"),
    [
        ("/city/bridge", "https://news.example.com/city/bridge"),
        ("https://www.example.com/city/bridge#top", "https://www.example.com/city/bridge"),
        ("https://elsewhere.test/city/bridge", URL),
        ("https://news.example.com/", URL),
        ("javascript:alert(1)", URL),
        ("http://[broken", URL),
    ],
)
def test_canonical_url_is_believed_within_the_site_only(canonical: str, expected: str) -> None:
    """Another site or the front page is no canonical URL of an article."""
    assert extract(news_page(head=f'<link rel="canonical" href="{canonical}">')).canonical_url == expected


@pytest.mark.parametrize(
    "written",
    [
        json.dumps([{"@type": "WebSite", "name": "x"}, JSONLD]),
        json.dumps({"@graph": [{"@type": "BreadcrumbList"}, JSONLD]}),
        json.dumps({"@type": "WebPage", "mainEntity": JSONLD}),
        f"<!-- {json.dumps(JSONLD)} -->",
        f"//<![CDATA[\n{json.dumps(JSONLD)}\n//]]>",
        json.dumps(JSONLD).replace("Tidewell", "Tide\nwell").replace("Tide\nwell", "Tidewell\t"),
        json.dumps(JSONLD)[:-1] + ",}",
        json.dumps(JSONLD) + ";",
    ],
)
def test_json_ld_is_read_in_every_wrapping(written: str) -> None:
    """Graphs, lists, nesting, comments, raw control characters, trailing commas."""
    article = extract(news_page(jsonld=written))
    assert [author.name for author in article.authors] == ["Mara Tidewell"]
    assert article.extraction.warnings == ()


def test_broken_json_ld_is_reported_and_its_plain_facts_are_saved() -> None:
    """Unescaped quotes in one string do not cost the date."""
    written = json.dumps(JSONLD | {"description": "@"}).replace('"@"', '"the "old" bridge"')
    article = extract(news_page(jsonld=written))
    assert article.published_at == "2024-03-11T08:15:00+01:00"
    assert "jsonld_broken" in article.extraction.warnings


def test_list_of_other_articles_is_not_the_article() -> None:
    """What an ItemList or a live blog holds does not speak for the page."""
    other = JSONLD | {"headline": "Another story altogether", "author": "Some Body", "articleBody": "x"}
    listing = {"@type": "ItemList", "itemListElement": [other, other]}
    article = extract(news_page(jsonld=[listing, JSONLD]))
    assert article.title == TITLE
    assert [author.name for author in article.authors] == ["Mara Tidewell"]


def test_section_falls_back_to_the_breadcrumb_trail() -> None:
    """Its last step before the article itself."""
    steps = [
        {"@type": "ListItem", "position": n, "name": name}
        for n, name in enumerate(("Home", "Region", "Harbour", TITLE))
    ]
    plain = {key: value for key, value in JSONLD.items() if key != "articleSection"}
    article = extract(news_page(jsonld=[plain, {"@type": "BreadcrumbList", "itemListElement": steps}]))
    assert (article.section, article.extraction.provenance["section"]) == ("Harbour", "jsonld:BreadcrumbList")


def test_paid_page_with_a_teaser_is_partial() -> None:
    """Declared as paid, and much shorter than its declared length."""
    jsonld = JSONLD | {"isAccessibleForFree": "False", "wordCount": 900}
    article = extract(news_page(jsonld=jsonld, body=f"<p>{PARAGRAPHS[0]}</p>"))
    assert (article.access.status, article.completeness) == ("paid", "partial")


def test_body_of_the_declared_length_is_full() -> None:
    """Only with evidence; without any it is unknown."""
    assert extract(news_page(jsonld=JSONLD | {"articleBody": " ".join(PARAGRAPHS)})).completeness == "full"
    assert extract(news_page()).completeness == "unknown"


def test_access_is_never_free_without_evidence() -> None:
    """Silence is unknown."""
    article = extract(news_page(jsonld=None))
    assert (article.access.status, article.access.evidence) == ("unknown", None)


def test_body_in_the_data_of_a_script_is_found() -> None:
    """A page that the browser renders carries its text for that."""
    markup = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    state = json.dumps({"story": {"html": markup}}).replace("<", "\\u003c")
    article = extract(
        news_page(body=f"</article></main><script>window.state = {state};</script><main><article>")
    )
    assert [paragraph.text for paragraph in article.paragraphs] == list(PARAGRAPHS)
    assert article.extraction.provenance["text"] == "embedded"


def test_right_to_left_page() -> None:
    """Arabic text runs right to left, and is not English whatever the template says."""
    text = (
        "أعلنت هيئة الميناء يوم الاثنين أن الجسر القديم سيبقى مغلقا حتى الربيع بعد أن عثر الغواصون على شقوق."
    )
    body = "".join(f"<p>{text} {place}</p>" for place in ("شمالا.", "جنوبا.", "شرقا.", "غربا."))
    page = news_page(jsonld=None, lang="en", h1="إغلاق الجسر القديم حتى الربيع", title="", body=body)
    article = extract(page, url="https://news.example.com/1", hints={"language": "ar"})
    assert (article.direction, article.language) == ("rtl", "ar")


@pytest.mark.parametrize(
    ("page", "url", "whys"),
    [
        (pages.SECTION_FRONT, "https://news.example.com/city", {"listing"}),
        (pages.LOGIN_PAGE, "https://news.example.com/login", {"login_wall"}),
        (pages.SCRIPT_SHELL, "https://news.example.com/app", {"javascript_shell"}),
        (
            news_page(jsonld=None, head='<meta property="og:type" content="website">'),
            "https://news.example.com/",
            {"listing"},
        ),
        ("", URL, {"empty"}),
        (" \n\t", URL, {"empty"}),
        ("%PDF-1.7 and so on", URL, {"not_text"}),
        (f"<p>{PARAGRAPHS[0]}</p>", URL, {"no_title"}),
        ("<title>Hello there</title><p>hello</p>", URL, {"too_short"}),
    ],
)
def test_what_is_no_article_is_refused_by_name(page: str, url: str, whys: set[str]) -> None:
    """Fronts, forms, shells and binaries: `why` is a row of the documented set."""
    with pytest.raises(NotAnArticle) as refused:
        extract(page, url=url)
    assert refused.value.why in whys
    assert whys <= WHYS.keys()
