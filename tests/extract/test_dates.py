"""Written dates to instants, and the weighing of a page's dates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.extract.pages import JSONLD, PARAGRAPHS, URL, encoded, news_page
from worker.extract import extract_article
from worker.extract.date_forms import parse_instant

FORMS = [
    ("2024-03-11T08:15:30+01:00", "2024-03-11T08:15:30+01:00", "second"),
    ("2024-03-11T08:15:30.123Z", "2024-03-11T08:15:30+00:00", "second"),
    ("2024-03-11 08:15", "2024-03-11T08:15:00-00:00", "local_unknown"),
    ("2024-03-11 | 13:39", "2024-03-11T13:39:00-00:00", "local_unknown"),
    ("2024-03-11", "2024-03-11T00:00:00-00:00", "day"),
    ("20240311T081530", "2024-03-11T08:15:30-00:00", "local_unknown"),
    ("Mon, 11 Mar 2024 08:15:30 GMT", "2024-03-11T08:15:30+00:00", "second"),
    ("1710144930", "2024-03-11T08:15:30+00:00", "second"),
    ("March 11, 2024 8:15 p.m. EDT", "2024-03-11T20:15:00-04:00", "minute"),
    ("11.03.2024, 8:15 Uhr", "2024-03-11T08:15:00-00:00", "local_unknown"),
    ("Mo 11.03.24 | 08:15 Uhr", "2024-03-11T08:15:00-00:00", "local_unknown"),
    ("11. März 2024", "2024-03-11T00:00:00-00:00", "day"),
    ("11 août 2024 à 8h15", "2024-08-11T08:15:00-00:00", "local_unknown"),
    ("11 de marzo de 2024", "2024-03-11T00:00:00-00:00", "day"),
    ("11 marzo 2024", "2024-03-11T00:00:00-00:00", "day"),
    ("11 de março de 2024", "2024-03-11T00:00:00-00:00", "day"),
    ("11 maart 2024", "2024-03-11T00:00:00-00:00", "day"),
    ("11 Ağustos 2024 - 16:49", "2024-08-11T16:49:00-00:00", "local_unknown"),
    ("2024年3月11日 13時39分", "2024-03-11T13:39:00-00:00", "local_unknown"),
    ("2024년 3월 11일 오후 1:39", "2024-03-11T13:39:00-00:00", "local_unknown"),
    ("٢٠٢٤-٠٣-١١", "2024-03-11T00:00:00-00:00", "day"),
    ("11 مارس 2024", "2024-03-11T00:00:00-00:00", "day"),
    ("11 марта 2024, 08:15", "2024-03-11T08:15:00-00:00", "local_unknown"),
    ("2024-03-11T08:15:00-00:00", "2024-03-11T08:15:00-00:00", "local_unknown"),
    ("Mon Mar 11 2024 08:15:30 GMT+0100 (CET)", "2024-03-11T08:15:30+01:00", "second"),
    ("2024-03-11 08:15 GMT+05:30", "2024-03-11T08:15:00+05:30", "minute"),
    ("Mon Mar 11 08:15:30 UTC 2024", "2024-03-11T08:15:30+00:00", "second"),
    ("Mon Mar 11 08:15:30 +0100 2024", "2024-03-11T08:15:30+01:00", "second"),
    ("2024-12-31T24:00:00Z", "2025-01-01T00:00:00+00:00", "second"),
    ("11.03.2024 1.234 Aufrufe", "2024-03-11T00:00:00-00:00", "day"),
    ("11.03.2024 | 45.30 Euro", "2024-03-11T00:00:00-00:00", "day"),
    ("11.03.2024 | 12.30 €", "2024-03-11T00:00:00-00:00", "day"),
    ("11.03.2024, 8.15 Uhr", "2024-03-11T08:15:00-00:00", "local_unknown"),
]


@pytest.mark.parametrize(("raw", "expected", "precision"), FORMS)
def test_written_forms_are_read_with_their_precision(raw: str, expected: str, precision: str) -> None:
    """Each form gives its instant, and no more precision than was written."""
    instant = parse_instant(raw)
    assert instant is not None
    assert (instant.rfc3339(), instant.precision) == (expected, precision)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "yesterday",
        "2024-13-40",
        "99/99/2024",
        "31.02.2024",
        "chapter 12 of 4000",
        "04/05/2024",
        "9999999999",
    ],
)
def test_what_is_no_date_or_ambiguous_is_refused(raw: str) -> None:
    """Neither nonsense nor a date that could be in two months is guessed at."""
    assert parse_instant(raw) is None


@pytest.mark.parametrize(
    ("language", "day"), [("en-US", "2024-04-05"), ("en-GB", "2024-05-04"), ("fr", "2024-05-04")]
)
def test_language_settles_the_order_of_day_and_month(language: str, day: str) -> None:
    """04/05 is in April for Americans, and in May for the others."""
    instant = parse_instant("04/05/2024", language=language)
    assert instant is not None
    assert instant.rfc3339().startswith(day)


@given(st.text(max_size=150))
def test_any_text_parses_or_does_not(raw: str) -> None:
    """Parsing is total."""
    assert parse_instant(raw) is None or parse_instant(raw, language="en-US") is not None


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1990 <= moment.year < 2100))
def test_iso_8601_is_read_back(moment: datetime) -> None:
    """What isoformat writes is what is read, to the second."""
    moment = moment.replace(microsecond=0)
    instant = parse_instant(moment.isoformat())
    assert instant is not None
    assert instant.when == moment


def test_json_ld_comes_before_meta_and_they_are_reported_when_days_apart() -> None:
    """The better source wins, and the reader is told."""
    head = '<meta property="article:published_time" content="2024-02-01T08:00:00Z">'
    article = extract_article(encoded(news_page(head=head)), url=URL)
    assert article.published_at == "2024-03-11T08:15:00+01:00"
    assert article.published_at_evidence is not None
    assert article.published_at_evidence.source == "jsonld:datePublished"
    assert any("article:published_time" in line for line in article.extraction.disagreements)


def test_more_precise_source_of_the_same_day_is_taken() -> None:
    """A day in JSON-LD yields to the minute that meta knows."""
    head = '<meta property="article:published_time" content="2024-03-11T08:15:00+01:00">'
    page = news_page(head=head, jsonld=JSONLD | {"datePublished": "2024-03-11"})
    article = extract_article(encoded(page), url=URL)
    assert article.published_at == "2024-03-11T08:15:00+01:00"


def test_modification_date_never_fills_the_publication_date() -> None:
    """Missing stays missing."""
    jsonld = {key: value for key, value in JSONLD.items() if key != "datePublished"}
    article = extract_article(encoded(news_page(jsonld=jsonld)), url="https://news.example.com/bridge")
    assert article.published_at is None
    assert article.modified_at == "2024-03-11T10:40:00+01:00"


def test_digits_of_the_url_are_the_last_resort_and_say_so() -> None:
    """A date found in the URL is a day, from `url`."""
    article = extract_article(encoded(news_page(jsonld=None)), url=URL)
    assert article.published_at == "2024-03-11T00:00:00-00:00"
    assert article.published_at_evidence is not None
    assert (article.published_at_evidence.source, article.published_at_evidence.precision) == ("url", "day")


def test_visible_date_is_read_where_no_machine_readable_one_is() -> None:
    """What readers see counts more than the URL."""
    page = news_page(jsonld=None, before='<div class="meta-date">Published 12 March 2024, 09:30 CET</div>')
    article = extract_article(encoded(page), url=URL)
    assert article.published_at == "2024-03-12T09:30:00+01:00"


def test_date_of_the_future_is_refused() -> None:
    """More than a day after the fetch, a publication date is a mistake."""
    page = encoded(news_page())
    before = datetime(2024, 3, 9, tzinfo=UTC)
    assert extract_article(page, url="https://news.example.com/a", fetched_at=before).published_at is None
    after = datetime(2024, 3, 11, 5, tzinfo=UTC)
    assert extract_article(page, url="https://news.example.com/a", fetched_at=after).published_at is not None


def test_hint_counts_only_where_the_page_is_silent() -> None:
    """A feed's date is one more source, named so."""
    hints = {"published_at": "2024-03-10T07:00:00Z"}
    silent = extract_article(encoded(news_page(jsonld=None)), url="https://news.example.com/a", hints=hints)
    assert silent.published_at == "2024-03-10T07:00:00+00:00"
    assert silent.extraction.provenance["published_at"] == "hint:published_at"
    assert (
        extract_article(encoded(news_page()), url=URL, hints=hints).published_at
        == "2024-03-11T08:15:00+01:00"
    )


@pytest.mark.parametrize("line", ["11 March 2024, 08:15", "By Ann Bell, City · 11 March 2024, 08:15"])
def test_a_line_above_the_body_dates_a_page_that_says_nothing_else(line: str) -> None:
    """Readers see the date there, whatever its element is called."""
    page = news_page(jsonld=None, before=f"<p>{line}</p>")
    article = extract_article(encoded(page), url="https://news.example.com/city/harrow-quay-bridge")
    assert article.published_at == "2024-03-11T08:15:00-00:00"


def test_a_date_below_the_body_is_not_the_article_s() -> None:
    """It is that of the next story."""
    text = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    page = news_page(jsonld=None, body=f"{text}<div><p>11 March 2020, 08:15</p></div>")
    article = extract_article(encoded(page), url="https://news.example.com/city/harrow-quay-bridge")
    assert article.published_at is None


SILENT_URL = "https://news.example.com/city/harrow-quay-bridge"


@pytest.mark.parametrize("own", ["h1", "og:title"])
def test_a_date_in_the_headline_is_of_its_subject(own: str) -> None:
    """The article is about that day, and appeared on another."""
    title = "What the flood of 11 March 2001 did to Harrow Quay"
    head = f'<meta property="og:title" content="{title}">' if own == "og:title" else ""
    page = news_page(jsonld=None, head=head, h1=title, title=title)
    assert extract_article(encoded(page), url=SILENT_URL).published_at is None
    page = news_page(jsonld=None, head=head, h1=title, title=title, before="<p>12 March 2024</p>")
    assert extract_article(encoded(page), url=SILENT_URL).published_at == "2024-03-12T00:00:00-00:00"


def test_a_date_that_ends_the_title_dates_the_page() -> None:
    """Broadcasters sign their titles with name and day."""
    head = '<meta property="og:title" content="Harrow Quay closed | The Example Courier | 11.03.2024">'
    article = extract_article(encoded(news_page(jsonld=None, head=head)), url=SILENT_URL)
    assert article.published_at == "2024-03-11T00:00:00-00:00"


def test_a_date_stands_beside_the_author_s_name() -> None:
    """One line holds both, and nothing says so but the author's element."""
    line = '11.03.24 | 08:15 Uhr | Von <b class="authorname">Ann Bell</b>'
    buttons = "<p>Share</p>" * 20  # too far from the text to count as a line beside it
    page = news_page(jsonld=None).replace("<main>", f"<div>{line}</div>{buttons}<main>")
    article = extract_article(encoded(page), url=SILENT_URL)
    assert article.published_at == "2024-03-11T08:15:00-00:00"


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("A2024031108150001234", "2024-03-11T00:00:00-00:00"),
        ("20240311", "2024-03-11T00:00:00-00:00"),
        ("2024031199990001234", None),
        ("2024031", None),
    ],
)
def test_an_article_s_number_may_begin_with_its_date(path: str, day: str | None) -> None:
    """Date, clock time and a serial number, as one run of digits; other numbers are no dates."""
    url = f"https://news.example.com/article/{path}"
    assert extract_article(encoded(news_page(jsonld=None)), url=url).published_at == day
