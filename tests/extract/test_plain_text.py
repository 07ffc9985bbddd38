"""Articles out of plain text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.extract.pages import PARAGRAPHS, TITLE
from worker.errors import NotAnArticle
from worker.extract import extract_article
from worker.extract.plain_text import read_plain

SHARED = Path(os.environ.get("INGEST_SHARED", Path(__file__).parents[3] / "shared"))
URL = "https://dump.example.com/1"

DUMP = f""" date 2024-03-11 {TITLE}

City
2024-03-11 | 07:45
Some views
Share
Courier TV
Share
{TITLE}
Copy link
print
3min
{TITLE}

{(chr(10) * 2).join(PARAGRAPHS)}


AFP


City

Bridges

Harbour

Courier Next
Ferry captain retires after forty years
Storm expected on the coast tonight
Courier Previous

Related Articles

d-none hideMe
Courier TV
City
2024-03-10

Council votes on a new tram line to the airport

Courier TV
City
11:02

Divers wanted: why nobody wants the best paid job in town

Get the app
To see the latest pictures and the latest shows from the coast
App Store
"""


def test_dump_yields_exactly_its_body_and_facts() -> None:
    """Of a soup of lines, the prose and what the lines around it say; never a line of boilerplate."""
    article = extract_article(DUMP.encode(), url=URL, content_type="text/plain; charset=utf-8")
    assert [paragraph.text for paragraph in article.paragraphs] == list(PARAGRAPHS)
    assert article.title == TITLE
    assert article.published_at == "2024-03-11T07:45:00-00:00"
    assert article.published_at_evidence is not None
    assert article.published_at_evidence.precision == "local_unknown"
    assert (article.section, article.agency) == ("City", "AFP")
    assert article.keywords == ("City", "Bridges", "Harbour")
    assert article.extraction.method == "plain_text"


def test_simple_text_with_title_byline_date_and_subheading() -> None:
    """Prose between blank lines, the first line its title."""
    text = "\n\n".join(
        [TITLE, "By Mara Tidewell", "11 March 2024", *PARAGRAPHS[:2], "Rents and ferries", *PARAGRAPHS[2:]]
    )
    article = extract_article(text.encode(), url=URL)
    assert article.title == TITLE
    assert [person.name for person in article.authors] == ["Mara Tidewell"]
    assert article.published_at == "2024-03-11T00:00:00-00:00"
    assert [paragraph.kind for paragraph in article.paragraphs] == ["paragraph"] * 2 + ["heading"] + [
        "paragraph"
    ] * 3


@pytest.mark.parametrize(("text", "why"), [("Menu\nHome\nSport\n", "no_body"), (PARAGRAPHS[0], "no_title")])
def test_text_without_title_or_prose_is_refused(text: str, why: str) -> None:
    """A menu is no article, nor is a paragraph without a title."""
    with pytest.raises(NotAnArticle) as refused:
        extract_article(text.encode(), url=URL, content_type="text/plain")
    assert refused.value.why == why


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        (
            "شہر پرانے پل کو دوبارہ تعمیر کرے گا",
            "کونسل نے منگل کے روز پرانے پل کو دوبارہ تعمیر کرنے پر اتفاق کیا {}۔",
        ),
        (
            "เมืองจะสร้างสะพานเก่าขึ้นใหม่หลังน้ำท่วม",
            "สภาเมืองทางเหนือตกลงเมื่อวันอังคารที่จะสร้างสะพานเก่าขึ้นใหม่หลังจากที่น้ำท่วมพัดพาไป {}",
        ),
        ("Քաղաքը վերակառուցում է հին կամուրջը", "Խորհուրդը երեքշաբթի օրը համաձայնել է վերակառուցել {}։"),
    ],
    ids=["Urdu", "Thai", "Armenian"],
)
def test_prose_of_any_script_is_told_from_its_title(title: str, sentence: str) -> None:
    """A full stop need not be a dot, and Thai has none."""
    lines = [sentence.format(number) for number in ("1", "2", "3", "4", "5")]
    article = extract_article("\n\n".join((title, *lines)).encode(), url=URL, content_type="text/plain")
    assert (article.title, [paragraph.text for paragraph in article.paragraphs]) == (title, lines)


def test_html_served_as_text_is_read_as_html() -> None:
    """A wrong header does not put tags into paragraphs."""
    page = f"<!doctype html><title>{TITLE}</title><h1>{TITLE}</h1>" + "".join(
        f"<p>{text}</p>" for text in PARAGRAPHS
    )
    article = extract_article(page.encode(), url=URL, content_type="text/plain")
    assert article.extraction.method == "html"
    assert "<p>" not in article.text


@given(st.text(max_size=600))
def test_any_text_is_read(text: str) -> None:
    """Reading is total, and every paragraph is a line of the text."""
    lines = {" ".join(line.split()) for line in text.splitlines()}
    assert len(read_plain(text).paragraphs) <= max(1, len(lines))


def test_seed_document() -> None:
    """The document the project began with: its prose, its facts, no boilerplate."""
    seeds = sorted((SHARED / "seeds").glob("*.txt")) if SHARED.is_dir() else []
    if not seeds:
        pytest.skip("the shared seeds are not at hand; set INGEST_SHARED")
    article = extract_article(seeds[0].read_bytes(), url=URL, content_type="text/plain")
    assert len(article.paragraphs) == 8
    assert all(paragraph.text.endswith((".", '."')) for paragraph in article.paragraphs)
    assert (article.section, article.agency) == ("World", "Reuters")
    assert article.published_at == "2023-05-09T13:39:00-00:00"
    assert len(article.keywords) == 8
    assert article.title in seeds[0].read_text().splitlines()
