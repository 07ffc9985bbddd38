"""A page's process hands over what the event, the log and the next visit would make of the article."""

from __future__ import annotations

import pickle
from dataclasses import asdict, fields, replace
from typing import Any

import orjson
import pytest

from tests.events.samples import ARTICLE, BARE_ARTICLE, NOW, PAGE, TASK
from tests.extract.pages import URL, encoded, news_page
from worker.changes import prints_of
from worker.events.envelope import article_event
from worker.events.payload import ArticleEvent
from worker.extract import extract_article
from worker.extract.fingerprints import fingerprints
from worker.habits.sightings import found_in
from worker.model import Article
from worker.reading import PARTS, Reading, read_page, reading_of, written


def read(**more: Any) -> Reading:
    reading = read_page(encoded(news_page()), url=URL, **more)
    assert isinstance(reading, Reading)
    return reading


def data(article: Article | Reading) -> bytes:
    event = article_event(TASK, article, PAGE, partition=0, namespace="n", fetched_at=NOW, now=NOW)
    text = event["data"]
    assert isinstance(text, bytes)
    return text


@pytest.mark.parametrize("article", [ARTICLE, BARE_ARTICLE])
def test_the_event_is_the_same_whoever_writes_the_article_out(article: Article) -> None:
    """Byte by byte, and with the fields of the contract in its order."""
    handed_over: Reading = pickle.loads(pickle.dumps(reading_of(article)))  # noqa: S301 - our own
    assert data(handed_over) == data(article)
    payload = orjson.loads(data(handed_over))
    assert list(payload) == [field.name for field in fields(ArticleEvent)]
    own = asdict(article) | {"charset": None}
    assert {name: payload[name] for part in PARTS for name in part} == orjson.loads(
        orjson.dumps({name: own[name] for part in PARTS for name in part})
    )


def test_every_field_of_an_article_is_in_its_event_but_the_charset_of_its_bytes() -> None:
    """A field that is added to articles is not forgotten here. The charset is the response's."""
    names = [name for part in PARTS for name in part]
    assert sorted(names) == sorted(field.name for field in fields(Article) if field.name != "charset")


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    """No UTF-8 has it, and a page may."""
    parts = written(replace(ARTICLE, title="A ferry \ud83d sails"))
    assert orjson.loads(b"{" + parts[2] + b"}")["title"] == "A ferry ? sails"
    assert parts[0] == written(ARTICLE)[0]


def test_a_page_is_read_as_its_article_is() -> None:
    """All that is told of the article besides its event, taken of the article itself."""
    article = extract_article(encoded(news_page()), url=URL, hints={"author": "Mara Tidewell"})
    reading = read(hints={"author": "Mara Tidewell"})
    assert reading == reading_of(article)
    assert (reading.prints, reading.found) == (prints_of(article), found_in(article))
    assert reading.fingerprints == fingerprints(article.text) != ()
    assert (reading.title, reading.word_count) == (article.title, article.word_count)
    assert reading.paragraphs == len(article.paragraphs)


def test_fingerprints_are_made_where_they_are_wanted() -> None:
    """What has a cluster keeps it, whatever it says by now."""
    assert read(fingerprinted=False) == read()._replace(fingerprints=())


def test_what_the_response_says_of_indexing_is_heeded() -> None:
    """It is handed through to where the page is read."""
    assert "noindex" in read(robots_tag=("noindex",)).warnings
    assert "noindex" in read(robots_tag=("somebody: noindex",), robot="somebody").warnings
    past = "unavailable_after: 1 Jan 2026 00:00:00 GMT"
    assert "noindex" in read(robots_tag=(past,), fetched_s=1_800_000_000).warnings
    assert "noindex" not in read(robots_tag=(past,), fetched_s=1_700_000_000).warnings
    assert "noindex" not in read().warnings
