"""Events as they go into the streams."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from tests.events.samples import ARTICLE, BARE_ARTICLE, NOT_MODIFIED, NOW, PAGE, PLAIN_TASK, TASK, URL
from worker.events.envelope import article_event, dead_event, malformed_event, rfc3339, unchanged_event
from worker.events.payload import ArticleEvent
from worker.model import Article
from worker.urls import article_id

ATTRIBUTES = {
    "specversion",
    "id",
    "type",
    "source",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "data",
}


def published(task: Any = TASK, article: Article = ARTICLE, partition: int = 0) -> dict[str, str | bytes]:
    return article_event(
        task,
        article,
        PAGE,
        partition=partition,
        namespace="news",
        fetched_at=NOW,
        now=NOW + timedelta(seconds=1),
    )


def data(event: dict[str, str | bytes]) -> Any:
    return orjson.loads(event["data"])


def test_an_article_event_is_a_cloud_event() -> None:
    """The fields are CloudEvents' attributes, all text, with the JSON in `data`."""
    event = published()
    assert event.keys() == ATTRIBUTES
    assert {name: value for name, value in event.items() if name != "data"} == {
        "specversion": "1.0",
        "id": f"{article_id(URL)}.17",
        "type": "article.published.v1",
        "source": "/ingest/news",
        "subject": URL,
        "time": "2026-01-02T03:04:06.678Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:ingest:schema:article:1.0",
    }


def test_an_article_event_holds_the_article_its_fetch_and_its_task() -> None:
    """The data tells what was read, how it was fetched, and who had asked for it."""
    payload = data(published())
    assert payload["title"] == "The night ferry"
    assert payload["authors"] == [
        {"name": "Ada Example", "url": "https://example.com/ada"},
        {"name": "Bo Example", "url": None},
    ]
    assert payload["paragraphs"][0] == {"kind": "lead", "text": "It sails."}
    assert payload["published_at_evidence"]["precision"] == "minute"
    assert (payload["schema_version"], payload["revision"], payload["change"]) == ("1.0", 2, "new")
    assert payload["requested_url"] == "HTTPS://example.com/news/ferry?utm_source=x"
    assert payload["fetch"] == {
        "status": 200,
        "final_url": "https://www.example.com/news/ferry",
        "redirects": ["https://www.example.com/news/ferry"],
        "fetched_at": "2026-01-02T03:04:05.678Z",
        "bytes": 4711,
        "duration_ms": 120,
        "etag": '"abc"',
        "last_modified": "Thu, 01 Jan 2026 00:00:00 GMT",
        "content_type": "text/html; charset=utf-8",
        "charset": "utf-8",
    }
    assert payload["task"] == {
        "task_id": "17",
        "id": "n-17",
        "attempt": 1,
        "revision": 2,
        "priority": "high",
        "accepted_at": "2026-01-01T00:00:00.250Z",
        "meta": {"feed": ["x", 1, None]},
    }


def test_the_contract_has_every_field_of_an_article() -> None:
    """A field added to Article reaches consumers, or this test says that it does not."""
    own = {field.name for field in fields(Article)}
    assert own - {field.name for field in fields(ArticleEvent)} == {"charset"}  # it is in `fetch`


def test_what_is_missing_is_null() -> None:
    """A bare article has every key, and no guess in it."""
    payload = data(published(PLAIN_TASK, BARE_ARTICLE))
    assert payload.keys() == {field.name for field in fields(ArticleEvent)}
    assert payload["published_at"] is None
    assert payload["publisher"] == {"name": None, "domain": None}
    assert payload["access"] == {"status": "unknown", "evidence": None}
    assert payload["task"]["meta"] is None


def test_an_id_names_the_partition_unless_it_is_the_first() -> None:
    """Tasks of two partitions may share a number, and their events still differ."""
    assert published(partition=3)["id"] == f"{article_id(URL)}.3-17"
    assert data(published(partition=3))["task"]["task_id"] == "3-17"


def test_all_terminal_events_of_a_task_share_their_id() -> None:
    """A repeat can be told by its id, whenever it is made and however the task ended."""
    dead = dead_event(TASK, "dns", None, partition=0, namespace="news", now=NOW)
    assert published()["id"] == dead["id"]


def test_a_dead_letter_says_why_and_what_to_do() -> None:
    """The reason comes with its sentence, the last error, the tries made, and the way back."""
    event = dead_event(TASK, "http_404", "HTTP 404", partition=0, namespace="news", now=NOW)
    assert (event["type"], event["subject"]) == ("url.dead.v1", URL)
    assert data(event) == {
        "schema_version": "1.0",
        "reason": "http_404",
        "says": "HTTP 404, Not Found",
        "error": "HTTP 404",
        "url": URL,
        "requested_url": "HTTPS://example.com/news/ferry?utm_source=x",
        "item": None,
        "redirects": ["https://www.example.com/news/ferry"],
        "attempts": 2,
        "accepted_at": "2026-01-01T00:00:00.250Z",
        "died_at": "2026-01-02T03:04:05.678Z",
        "task": data(published())["task"],
        "how_to_retry": "ingest dead retry ID, where ID is the id of this entry in the stream",
    }


def test_a_long_error_is_cut() -> None:
    """A dead letter stays small, whatever a server put into its headers."""
    event = dead_event(TASK, "bad_response", "x" * 10**6, partition=0, namespace="news", now=NOW)
    assert len(data(event)["error"]) == 2000


def test_a_reason_outside_the_set_makes_no_dead_letter() -> None:
    """Reasons are a closed set."""
    with pytest.raises(KeyError):
        dead_event(TASK, "bad_luck", None, partition=0, namespace="news", now=NOW)


def test_a_malformed_item_is_quoted() -> None:
    """An item without a URL has no subject and no task; the letter quotes it and says what to mend."""
    event = malformed_event(item="ftp://h/", why="only http", number=5, namespace="news", now=NOW)
    assert event.keys() == ATTRIBUTES - {"subject"}
    assert event["id"] == "malformed.5"
    payload = data(event)
    assert (payload["reason"], payload["error"], payload["item"]) == ("malformed", "only http", "ftp://h/")
    assert (payload["url"], payload["task"]) == (None, None)


def test_half_a_surrogate_pair_does_not_stop_an_event() -> None:
    """A page's JSON can hold text that UTF-8 cannot; its article is published all the same."""
    payload = data(published(article=replace(ARTICLE, title="half \ud83d a pair ä")))
    assert payload["title"] == "half ? a pair ä"
    assert payload | {"title": None} == data(published()) | {"title": None}


def test_a_namespace_of_any_letters_makes_a_source() -> None:
    """CloudEvents wants a URI reference as source."""
    event = malformed_event(item="", why="", number=1, namespace="häuser/1", now=NOW)
    assert event["source"] == "/ingest/h%C3%A4user%2F1"


def test_instants_are_written_in_utc() -> None:
    """Whatever its offset, an instant reads in UTC with milliseconds."""
    moment = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert rfc3339(moment) == "2026-01-01T00:00:00.000Z"


def test_unchanged_event() -> None:
    """A visit that found nothing new names the article, the revision that still holds, and the response."""
    event = unchanged_event(TASK, NOT_MODIFIED, partition=0, namespace="n", fetched_at=NOW, now=NOW)
    assert (event["type"], event["subject"], event["id"]) == (
        "article.unchanged.v1",
        URL,
        published()["id"],
    )
    payload, article = data(event), data(published())
    same = ("schema_version", "article_id", "revision", "url", "requested_url", "task")
    assert {name: payload[name] for name in same} == {name: article[name] for name in same}
    told = {"status": 304, "bytes": 0, "duration_ms": 12, "etag": '"abc"', "last_modified": None}
    told |= {"content_type": None, "charset": None}
    assert payload["fetch"] == article["fetch"] | told
