"""Events for sinks, as workers write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.events.samples import ARTICLE, NOT_MODIFIED, NOW, PAGE, PLAIN_TASK
from worker.events.envelope import URL_DEAD, article_event, dead_event, unchanged_event
from worker.events.event import event_of
from worker.urls import article_id

if TYPE_CHECKING:
    from datetime import datetime

    from worker.events.event import Event

Fields = dict[str, str | bytes]


def published(
    number: int,
    *,
    article: int | None = None,
    revision: int = 1,
    now: datetime = NOW,
    cluster_id: str | None = None,
    **fields: Any,
) -> Fields:
    """The event of task `number`; of another task's `article`, if given, with other fields of it."""
    url = f"https://example.com/news/{number if article is None else article}"
    own = {
        "article_id": article_id(url),
        "url": url,
        "canonical_url": url,
        "title": f"Ferry {number}",
        **fields,
    }
    return article_event(
        replace(PLAIN_TASK, seq=number, url=url, requested_url=url, revision=revision),
        replace(ARTICLE, **own),
        PAGE,
        partition=0,
        namespace="ingest",
        fetched_at=now,
        now=now,
        change="new" if revision == 1 else "updated",
        changed_fields=() if revision == 1 else ("title",),
        cluster_id=cluster_id,
    )


def unchanged(number: int, *, article: int, revision: int = 1, now: datetime = NOW) -> Fields:
    """The event of a visit that found the article as it was."""
    url = f"https://example.com/news/{article}"
    task = replace(PLAIN_TASK, seq=number, url=url, requested_url=url, revision=revision)
    return unchanged_event(task, NOT_MODIFIED, partition=0, namespace="ingest", fetched_at=now, now=now)


def died(number: int, *, now: datetime = NOW) -> Fields:
    """The dead letter of task `number`."""
    url = f"https://example.com/news/{number}"
    task = replace(PLAIN_TASK, seq=number, url=url, requested_url=url)
    return dead_event(task, "http_404", None, partition=0, namespace="ingest", now=now)


def record(fields: Fields, entry: str | None = None) -> Event:
    """The event as sinks are given it; without an entry id, one that follows from its event id."""
    raw = {
        name.encode(): value.encode() if isinstance(value, str) else value for name, value in fields.items()
    }
    stream = "{ingest:0}:dead" if fields["type"] == URL_DEAD else "{ingest:0}:articles"
    return event_of(stream, entry or f"{1_767_225_600_000 + _number(str(fields['id']))}-0", raw, 1)


def records(first: int, last: int) -> list[Event]:
    """The events of tasks `first` to `last`, an hour apart."""
    return [record(published(number, now=NOW + timedelta(hours=number))) for number in range(first, last + 1)]


def elsewhere(event: Event) -> Event:
    """An event of another namespace that has the same id."""
    return replace(event, attributes={**event.attributes, "source": "/ingest/other"})


def _number(event_id: str) -> int:
    return int(event_id.rpartition(".")[2].rpartition("-")[2])
