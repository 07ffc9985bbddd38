"""Envelopes by the official SDK of CloudEvents: every kind, in binary mode and in the JSON format."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from cloudevents.core.exceptions import CloudEventValidationError

from tests.events.cloudevents_sdk import from_entry, from_json, whole
from tests.events.samples import ARTICLE, BARE_ARTICLE, NOT_MODIFIED, NOW, PAGE, PLAIN_TASK, TASK
from worker.cli.following import Entry
from worker.events.envelope import (
    article_event,
    dead_event,
    malformed_event,
    reprocessed_event,
    unchanged_event,
)
from worker.events.event import event_of
from worker.sinks.sink import json_of

ODD = replace(TASK, url="https://example.com/n%C3%BC%25%20?q=%E2%9C%93&a='\"%2F")
GIVEN: dict[str, Any] = {"namespace": "news ü/%", "now": NOW}
MADE: dict[str, dict[str, str | bytes]] = {
    "article": article_event(TASK, ARTICLE, PAGE, partition=0, fetched_at=NOW, **GIVEN),
    "bare article": article_event(PLAIN_TASK, BARE_ARTICLE, PAGE, partition=3, fetched_at=NOW, **GIVEN),
    "odd URL": article_event(ODD, ARTICLE, PAGE, partition=0, fetched_at=NOW, **GIVEN),
    "reprocessed": reprocessed_event(ARTICLE, PAGE, revision=2, fetched_at=NOW, **GIVEN),
    "unchanged": unchanged_event(TASK, NOT_MODIFIED, partition=0, fetched_at=NOW, **GIVEN),
    "dead letter": dead_event(TASK, "http_404", "gone", partition=0, **GIVEN),
    "malformed item": malformed_event(item="x", why="y", number=1, **GIVEN),
}


def entry(kind: str) -> dict[bytes, bytes]:
    """The fields as Redis hands them out."""
    return {
        name.encode(): value.encode() if isinstance(value, str) else value
        for name, value in MADE[kind].items()
    }


def meant(kind: str, **more: str) -> dict[str, Any]:
    return {**MADE[kind], **more, "data": orjson.loads(MADE[kind]["data"])}


@pytest.mark.parametrize("kind", MADE)
def test_entries_are_events_in_binary_mode(kind: str) -> None:
    """The SDK finds all attributes valid, and reads each of them and the data as they were written."""
    assert whole(from_entry(entry(kind))) == meant(kind)


@pytest.mark.parametrize("kind", MADE)
def test_lines_and_requests_are_events_in_the_json_format(kind: str) -> None:
    """What `ingest tail` prints, what sinks to files and webhooks write, and what the library gives out."""
    event = event_of("{ingest:0}:articles", "1-0", entry(kind))
    attributes = {name: str(value) for name, value in MADE[kind].items() if name != "data"}
    printed = orjson.dumps(Entry("1-0", attributes, orjson.loads(MADE[kind]["data"])).whole)
    assert whole(from_json(printed)) == meant(kind, entry="1-0")
    assert whole(from_json(json_of(event))) == meant(kind, entry="1-0")
    assert whole(from_json(event.json())) == meant(kind)


@pytest.mark.parametrize(
    "change", [{b"source": b""}, {b"specversion": b"0.9"}, {b"subject": b""}, {b"Entry-id": b"x"}]
)
def test_the_sdk_refuses_what_is_no_event(change: dict[bytes, bytes]) -> None:
    """The tests above can fail."""
    with pytest.raises((CloudEventValidationError, ValueError)):
        from_entry(entry("article") | change)
