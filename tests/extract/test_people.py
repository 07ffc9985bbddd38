"""Bylines to people and agencies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.extract.pages import JSONLD, PARAGRAPHS, URL, encoded, news_page
from worker.extract import extract_article
from worker.extract.agencies import agency_of
from worker.extract.bylines import split_names

BYLINES = [
    ("By Ann Bell", ["Ann Bell"]),
    ("By Ann Bell and Carl Dahl", ["Ann Bell", "Carl Dahl"]),
    ("Von Ann Bell, Carl Dahl und Eva Funk", ["Ann Bell", "Carl Dahl", "Eva Funk"]),
    ("Por Ana Gil y Luis Prado", ["Ana Gil", "Luis Prado"]),
    ("Par Anne Blanc et Luc Noir", ["Anne Blanc", "Luc Noir"]),
    ("Bell, Ann", ["Ann Bell"]),
    ("ANN BELL", ["Ann Bell"]),
    ("Ann Bell (in Bonn)", ["Ann Bell"]),
    ("ann@example.com", []),
    ("https://example.com/ann", []),
    ("example.com, Springfield, USA", []),
    ("", []),
]


@pytest.mark.parametrize(("byline", "names"), BYLINES)
def test_bylines_are_split_into_names(byline: str, names: list[str]) -> None:
    """The words around names go, and addresses are none."""
    assert split_names(byline) == names


@pytest.mark.parametrize(
    ("name", "names"),
    [
        *((name, [name]) for name in ("Ng Eng Hen", "Na Young Kim", "Di Wu", "Da Lin", "Von Miller")),
        *((name, [name]) for name in ("José Ortega y Gasset", "Mary Jane A Smith", "Santiago Ramón y Cajal")),
        ("By Ann Bell", ["Ann Bell"]),
        ("Von Ann Bell (in Bonn)", ["Ann Bell"]),
        ("Ana Gil y Luis Prado", ["Ana Gil", "Luis Prado"]),
    ],
)
def test_a_stated_name_stays_whole(name: str, names: list[str]) -> None:
    """What may be a name is taken for `By` or `and` only where full names stand around it."""
    assert split_names(name, stated=True) == names
    page = news_page(jsonld=JSONLD | {"author": {"@type": "Person", "name": name}})
    assert [author.name for author in extract_article(encoded(page), url=URL).authors] == names


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Di Wu", ["Di Wu"]),
        ("Di Mario Rossi", ["Mario Rossi"]),
        ("di Redazione", ["Redazione"]),
        ("By Ann Bell and Na Young Kim", ["Ann Bell", "Na Young Kim"]),
        ("POR ANA GIL Y LUIS PRADO", ["Ana Gil", "Luis Prado"]),
        ("Ana Gil y EFE", ["Ana Gil", "EFE"]),
        ("Von Redaktion", ["Redaktion"]),
    ],
)
def test_a_byline_says_by_once(byline: str, names: list[str]) -> None:
    """What follows is of the name."""
    assert split_names(byline) == names


@given(st.text(max_size=200))
def test_any_byline_splits(byline: str) -> None:
    """Splitting is total, and yields no empty name."""
    assert all(name.strip() for name in split_names(byline))


@pytest.mark.parametrize(
    "author",
    [
        {"@type": "Person", "name": "Mara Tidewell"},
        [{"@type": "Person", "name": "Mara Tidewell"}, {"@type": "Person", "name": "MARA TIDEWELL"}],
        "By Mara Tidewell",
        ["Mara Tidewell", "The Example Courier", "mara@example.com"],
        {"@type": "Person", "name": ["Mara Tidewell"]},
    ],
)
def test_json_ld_authors_in_every_shape(author: object) -> None:
    """Objects, lists and strings; the site's name, addresses and repeats are dropped."""
    article = extract_article(encoded(news_page(jsonld=JSONLD | {"author": author})), url=URL)
    assert [person.name for person in article.authors] == ["Mara Tidewell"]


def test_author_by_reference_into_the_graph() -> None:
    """`{"@id": …}` is looked up among the other nodes."""
    graph = {
        "@graph": [
            JSONLD | {"author": {"@id": "#m"}},
            {"@id": "#m", "@type": "Person", "name": "Mara Tidewell"},
        ]
    }
    article = extract_article(encoded(news_page(jsonld=graph)), url=URL)
    assert [person.name for person in article.authors] == ["Mara Tidewell"]


def test_agency_is_no_author() -> None:
    """A wire service among the authors goes to `agency`."""
    page = news_page(jsonld=JSONLD | {"author": ["Mara Tidewell", "Reuters"]})
    article = extract_article(encoded(page), url=URL)
    assert [person.name for person in article.authors] == ["Mara Tidewell"]
    assert article.agency == "Reuters"


@pytest.mark.parametrize(
    "markup",
    [
        '<a rel="author" href="/authors/mara">Mara Tidewell</a>',
        '<span itemprop="author">Mara Tidewell</span>',
        '<div class="byline">By Mara Tidewell</div>',
        '<p class="author">Von Mara Tidewell</p>',
    ],
)
def test_byline_markup_names_the_author(markup: str) -> None:
    """Without structured data the byline is read."""
    article = extract_article(encoded(news_page(jsonld=None, before=markup)), url=URL)
    assert [person.name for person in article.authors] == ["Mara Tidewell"]


@pytest.mark.parametrize(
    ("paragraphs", "agency"),
    [
        (["LONDON, March 11 (Reuters) - The bridge is closed.", "More."], "Reuters"),
        (["The bridge is closed.", "It opens in spring. (AFP)"], "AFP"),
        (["The bridge is closed.", "dpa"], "dpa"),
        (["The bridge is closed.", "It opens (we hope) in spring."], None),
        ([], None),
    ],
)
def test_agency_in_dateline_or_signature(paragraphs: list[str], agency: str | None) -> None:
    """Wire copy names its source in the text."""
    assert agency_of(paragraphs) == agency


SITE = {"@type": "Organization", "name": "The Example Courier"}
TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
BESIDE = [
    ("<p>By Ann Bell, in City, Harbour</p>", "", ["Ann Bell"]),
    ("<p>Von Ann Bell und Carl Dahl</p>", "", ["Ann Bell", "Carl Dahl"]),
    ("<p>Ann Bell</p>", "", ["Ann Bell"]),
    ("<p>Ann Bell/Carl Dahl</p>", "", ["Ann Bell", "Carl Dahl"]),
    ("", "<p>Ann Bell</p>", ["Ann Bell"]),
    ("", "<div><p>More of it</p></div><ul><li><b>Author:</b> Ann Bell</li></ul>", ["Ann Bell"]),
    ("", "", ["The Example Courier"]),
]


@pytest.mark.parametrize(("above", "below", "names"), BESIDE)
def test_names_stand_beside_the_body(above: str, below: str, names: list[str]) -> None:
    """A byline without markup is read; the site itself is the author only where nobody has signed."""
    page = news_page(jsonld=JSONLD | {"author": SITE}, before=above, body=TEXT + below)
    article = extract_article(encoded(page), url=URL)
    assert [author.name for author in article.authors] == names
    assert [paragraph.text for paragraph in article.paragraphs] == list(PARAGRAPHS)


def test_a_newsroom_declared_a_person_is_believed() -> None:
    """A capitalised line beside the text, such as a button, is no better source."""
    newsroom = {"@type": "Person", "name": "Courier24 Newsroom"}
    page = news_page(jsonld=JSONLD | {"author": newsroom}, before="<p>Log In</p>")
    assert [a.name for a in extract_article(encoded(page), url=URL).authors] == ["Courier24 Newsroom"]


@pytest.mark.parametrize("written", ["https://news.example.com/staff", "2024-03-11T08:00:00Z", "a@b.example"])
def test_an_address_or_a_date_is_no_author(written: str) -> None:
    """Some systems write such things in the place of the name."""
    page = news_page(jsonld=JSONLD | {"author": written})
    assert extract_article(encoded(page), url=URL).authors == ()


@pytest.mark.parametrize(
    "below", ["<h3>Top Stories</h3>", "<h3>Weitere Themen</h3>", "<p>Read More</p>", "<a>Log In</a>"]
)
def test_what_leads_on_below_the_body_is_no_signature(below: str) -> None:
    """Headings, links and buttons are capitalised too; a signature is a paragraph."""
    article = extract_article(encoded(news_page(jsonld=None, body=TEXT + below)), url=URL)
    assert article.authors == ()


@pytest.mark.parametrize("title", ["Harrow Quay Closed", "By Easter Sunday, Harrow Quay Opens"])
def test_a_headline_is_no_byline(title: str) -> None:
    """It stands above the text, short and capitalised, and may begin with `By`."""
    page = news_page(jsonld=None, h1=title, title=f"{title} - The Example Courier")
    assert extract_article(encoded(page), url=URL).authors == ()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ann Bell, News Reporter", ["Ann Bell"]),
        ("Von Ann Bell, Redakteurin für Häfen", ["Ann Bell"]),
        ("By Ann van der Bell and Carl O’Dahl-Funk", ["Ann van der Bell", "Carl O’Dahl-Funk"]),
        ("By ABC, in City, Harbour", ["ABC"]),
        ("بقلم: آن بل", ["آن بل"]),
        ("Ann Bell/Example Images", []),
        ("Na rzece trwa akcja", []),
    ],
)
def test_names_end_where_roles_and_rubrics_begin(line: str, names: list[str]) -> None:
    """What follows a name in its line is of the person, or of the page."""
    article = extract_article(encoded(news_page(jsonld=None, before=f"<p>{line}</p>")), url=URL)
    assert [author.name for author in article.authors] == names


@pytest.mark.parametrize(
    ("markup", "names"),
    [
        ('<div class="author-box"><b>Ann Bell</b></div>', ["Ann Bell"]),
        ('<div class="author-box"><i>Hello</i> <i>Log Out</i></div>', []),
        (
            '<div class="byline">By Ann Bell Columnist<div class="byline">By Ann Bell</div></div>',
            ["Ann Bell"],
        ),
        ('<a rel="author" href="/a">author</a><div class="byline">By Ann Bell</div>', ["Ann Bell"]),
    ],
)
def test_author_markup_holds_more_than_names(markup: str, names: list[str]) -> None:
    """A name without `By` counts in one piece; one with a role behind it yields to the name alone."""
    page = news_page(jsonld=None, before=f"<div>{markup}</div><p>11 March 2024</p>")
    assert [author.name for author in extract_article(encoded(page), url=URL).authors] == names


def test_an_account_is_nobody() -> None:
    """Who uploaded it says nothing of who wrote it."""
    page = news_page(jsonld=JSONLD | {"author": {"name": "admin"}}, before="<p>By Ann Bell</p>")
    assert [author.name for author in extract_article(encoded(page), url=URL).authors] == ["Ann Bell"]
    page = news_page(jsonld=JSONLD | {"author": {"name": "admin"}})
    assert extract_article(encoded(page), url=URL).authors == ()
