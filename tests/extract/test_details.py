"""Section, pictures, access and canonical URL: each by evidence on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.extract.pages import JSONLD, PARAGRAPHS, TITLE, URL, encoded, news_page
from worker.extract import extract_article

if TYPE_CHECKING:
    from worker.model import Article

TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)


def without(*keys: str, **more: Any) -> dict[str, Any]:
    return {key: value for key, value in JSONLD.items() if key not in keys} | more


def extract(page: str, url: str = URL) -> Article:
    return extract_article(encoded(page), url=url)


def trail(*steps: tuple[str, str | None]) -> dict[str, Any]:
    items = [{"@type": "ListItem", "name": name} | ({"item": item} if item else {}) for name, item in steps]
    return {"@type": "BreadcrumbList", "itemListElement": items}


@pytest.mark.parametrize(
    ("steps", "section"),
    [
        ([("Home", "/"), ("World", "/world"), ("Bridge rebuilt", URL)], "World"),
        ([("Home", "/"), ("World", "/world"), ("Bridge rebuilt", None)], "World"),
        ([("Accueil", None), (TITLE, None)], None),
        ([("The Example Courier", "/"), ("World", "/world")], "World"),
        ([("Courier", "/en-us/"), ("Bridge rebuilt", URL)], None),
    ],
)
def test_a_declared_trail_ends_before_the_page(
    steps: list[tuple[str, str | None]], section: str | None
) -> None:
    """Neither the page nor the front is a section, whatever they are called."""
    assert extract(news_page(jsonld=[without("articleSection"), trail(*steps)])).section == section


MICRODATA = """<ol itemscope itemtype="https://schema.org/BreadcrumbList">
<li itemprop="itemListElement"><a itemprop="item" href="/"><span itemprop="name">Courier</span></a></li>
<li itemprop="itemListElement"><a itemprop="item" href="/world"><span itemprop="name">World</span></a></li>
<li itemprop="itemListElement"><span itemprop="name">Bridge rebuilt</span></li></ol>"""


@pytest.mark.parametrize(
    ("markup", "source"),
    [
        (
            '<div class="breadcrumbs"><a href="/">Home</a> › <a href="/world">World</a> › Bridge</div>',
            "markup:breadcrumbs",
        ),
        (MICRODATA, "itemprop:itemListElement"),
        ('<nav class="Breadcrumb"><a href="/">Courier</a></nav>', None),
        (f'<div class="breadcrumbs">{"<a href=/s>Some section</a> " * 9}</div>', None),
    ],
)
def test_a_shown_trail_counts_where_nothing_is_declared(markup: str, source: str | None) -> None:
    """By its links; of more than eight it is a menu."""
    page = news_page(jsonld=without("articleSection")).replace("<main>", f"{markup}<main>")
    article = extract(page)
    assert article.section == ("World" if source else None)
    assert article.extraction.provenance.get("section") == source
    assert extract(news_page().replace("<main>", f"{markup}<main>")).section == "City"


FIGURE = '<figure><img src="{}" width="800"><figcaption>The crane at work</figcaption></figure>'


def test_figures_are_the_pictures_where_nothing_is_declared() -> None:
    """Those of the article, with their captions and absolute URLs."""
    body = (
        FIGURE.format("/img/crane.jpg") + '<figure><img data-src="/lazy.jpg" src="data:image/gif;base64,R0">'
    )
    page = news_page(jsonld=without("image"), body=f"{body}</figure>{TEXT}")
    page = page.replace("<aside>", f"<aside>{FIGURE.format('/other.jpg')}")
    crane, lazy = extract(page).images
    assert (crane.url, crane.caption) == ("https://news.example.com/img/crane.jpg", "The crane at work")
    assert (crane.width, crane.height) == (800, None)
    assert (lazy.url, lazy.caption) == ("https://news.example.com/lazy.jpg", None)
    declared = extract(page.replace("</head>", '<meta property="og:image" content="/og.jpg"></head>'))
    assert [image.url for image in declared.images] == ["https://news.example.com/og.jpg"]


@pytest.mark.parametrize(
    "figure",
    [
        FIGURE.format("data:image/png;base64,R0"),
        '<figure><img src="/count.gif" width="1" height="1"></figure>',
        '<figure><img src="/icon.png" width="48"></figure>',
        "<figure><figcaption>Nothing to see</figcaption></figure>",
    ],
)
def test_icons_counters_and_inline_data_are_no_pictures(figure: str) -> None:
    """They belong to the page and not to the article."""
    assert extract(news_page(jsonld=without("image"), body=figure + TEXT)).images == ()


def test_pictures_are_twenty_at_most() -> None:
    """A gallery may have hundreds."""
    figures = "".join(FIGURE.format(f"/{number}.jpg") for number in range(30))
    assert len(extract(news_page(jsonld=without("image"), body=figures + TEXT)).images) == 20


PART = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".paywall"}


@pytest.mark.parametrize(
    ("jsonld", "head", "status", "evidence"),
    [
        ({"hasPart": PART}, "", "paid", "jsonld:hasPart.isAccessibleForFree false"),
        (
            {"isAccessibleForFree": True, "hasPart": [PART]},
            "",
            "unknown",
            "jsonld:isAccessibleForFree true, jsonld:hasPart.isAccessibleForFree false",
        ),
        ({"isAccessibleForFree": "http://schema.org/False", "hasPart": PART}, "", "paid", None),
        ({}, '<meta itemprop="isAccessibleForFree" content="false">', "paid", None),
        ({}, '<meta property="article:content_tier" content="metered">', "unknown", None),
        (
            {"isAccessibleForFree": True},
            '<meta property="article:content_tier" content="locked">',
            "unknown",
            "jsonld:isAccessibleForFree true, meta:article:content_tier locked",
        ),
    ],
)
def test_access_weighs_all_that_is_declared(
    jsonld: dict[str, Any], head: str, status: str, evidence: str | None
) -> None:
    """Free only where nothing says that a part is paid."""
    found = extract(news_page(head=head, jsonld=without("isAccessibleForFree", **jsonld))).access
    assert found.status == status
    assert found.evidence
    assert evidence is None or found.evidence == evidence


@pytest.mark.parametrize(
    ("url", "canonical", "kept"),
    [
        (URL, "https://news.example.com/?utm=x", False),
        (URL, "https://news.example.com/en-us/", False),
        (URL, "https://news.example.com/home", False),
        (URL, "https://news.example.com/default.aspx", False),
        (URL, "https://news.example.com/en/index.html", False),
        (URL, "https://news.example.com/city/bridge", True),
        ("https://news.example.com/?p=7", "https://news.example.com/", False),
        ("https://news.example.com/?p=7&x=1", "https://news.example.com/?p=7", True),
        ("https://good.github.io/a/bridge", "https://evil.github.io/a/bridge", False),
        ("https://good.blogspot.co.uk/a", "https://evil.blogspot.co.uk/a", False),
        ("https://www.example.co.uk/a", "https://example.co.uk/b", True),
    ],
)
def test_a_canonical_url_leads_neither_to_a_front_nor_to_a_neighbour(
    url: str, canonical: str, kept: bool
) -> None:
    """A front stays one with a query; hosts under a shared domain are different sites."""
    found = extract(news_page(head=f'<link rel="canonical" href="{canonical}">'), url).canonical_url
    assert found == (canonical if kept else url)


@pytest.mark.parametrize("url", ["http://[", "http://ex℀mple.com/a", "", "not a URL"])
def test_any_string_may_be_the_url(url: str) -> None:
    """Extraction is total in it too."""
    assert extract(news_page(), url).title == TITLE


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_bom_is_read_by_its_header(codec: str) -> None:
    """Its zero bytes are no sign of a binary then; also where it does not begin with a tag."""
    page = f"\n{news_page()}".encode(codec)
    label = codec.replace("-le", "le").replace("-be", "be")
    assert extract_article(page, url=URL, content_type=f"text/html; charset={label}").charset == label
