"""From events to rows of PostgreSQL. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from worker.events.envelope import ARTICLE_PUBLISHED, ARTICLE_UNCHANGED
from worker.sinks.sink import entry_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.events.event import Event

_NUL = rb"\u0000"


def storable(event: Event) -> Event:
    """The event with U+FFFD for each U+0000, which neither text nor jsonb can hold."""
    if _NUL not in event.data:
        return event
    # Parsed, and not replaced in the bytes: `\\u0000` there is a backslash and five letters.
    return replace(event, data=orjson.dumps(_without_nul(orjson.loads(event.data))))


def event_row(event: Event) -> tuple[Any, ...]:
    """Values for `worker.sinks.tables.EVENT_COLUMNS`. Raises ValueError for data that is no object."""
    data = orjson.loads(event.data)
    return (
        event.id,
        event.type,
        event.time,
        data.get("article_id"),
        event.url,
        event.attributes["source"],
        entry_of(event),
        event.data.decode(),
    )


def article_rows(events: Iterable[Event]) -> list[tuple[Any, ...]]:
    """Values for `ARTICLE_COLUMNS`: the newest revision of each article, in the order of their ids.

    `meta` is that of the newest revision that has one: who reads an archive anew knows of none.
    Rows are locked in that order: two processes with articles in common never wait for each other.
    """
    newest: dict[str, tuple[int, Event, dict[str, Any]]] = {}
    metas: dict[str, tuple[int, Any]] = {}
    for event in events:
        if event.type == ARTICLE_PUBLISHED:
            data = orjson.loads(event.data)
            before = newest.get(data["article_id"])
            if before is None or before[0] < data["revision"]:
                newest[data["article_id"]] = (data["revision"], event, data)
            meta = data["task"]["meta"]
            if meta is not None and data["revision"] > metas.get(data["article_id"], (0, None))[0]:
                metas[data["article_id"]] = (data["revision"], meta)
    return [
        _article_row(event, data, metas.get(article, (0, None))[1])
        for article, (_, event, data) in sorted(newest.items())
    ]


def touch_rows(events: Iterable[Event]) -> list[tuple[str, datetime]]:
    """When articles were last found as they were, in the order of their ids."""
    latest: dict[str, datetime] = {}
    for event in events:
        if event.type == ARTICLE_UNCHANGED:
            article = orjson.loads(event.data)["article_id"]
            latest[article] = max(event.time, latest.get(article, event.time))
    return sorted(latest.items())


def _article_row(event: Event, data: dict[str, Any], meta: Any) -> tuple[Any, ...]:
    evidence = data["published_at_evidence"]
    return (
        data["article_id"],
        data["revision"],
        event.id,
        event.time,
        event.time,
        data["url"],
        data["canonical_url"],
        data["title"],
        data["subtitle"],
        data["description"],
        _json(data["authors"]),
        data["agency"],
        data["publisher"]["name"],
        data["publisher"]["domain"],
        data["section"],
        data["keywords"],
        data["language"],
        _instant(data["published_at"]),
        evidence and evidence["precision"],
        _instant(data["modified_at"]),
        data["text"],
        data["word_count"],
        _json(data["images"]),
        data["access"]["status"],
        data["completeness"],
        data["type"],
        data["content_hash"],
        data["simhash"],
        data.get("cluster_id"),  # events of earlier versions have none
        None if meta is None else _json(meta),
    )


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "\ufffd")
        case list():
            return [_without_nul(item) for item in value]
        case dict():
            return {_without_nul(key): _without_nul(item) for key, item in value.items()}
        case _:
            return value


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
