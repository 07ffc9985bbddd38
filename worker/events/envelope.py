"""Events as CloudEvents 1.0 in binary mode: a stream entry's fields are the attributes, and `data` is JSON.

Every event of a task has the id `<article id>.<task id>`, which a repeat would share: a consumer that keeps
the ids it has seen can drop repeats.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from worker.events.payload import Change, DeadEvent, Fetch, TaskRef, UnchangedEvent
from worker.model import SCHEMA_VERSION, Article, Page, Task, task_id
from worker.outcomes import outcome
from worker.reading import Reading, members, written
from worker.urls import article_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import NotModified

ARTICLE_PUBLISHED = "article.published.v1"
ARTICLE_UNCHANGED = "article.unchanged.v1"
URL_DEAD = "url.dead.v1"
#: What the task's name begins with in events of articles that were read anew from an archive.
REPROCESSED = "warc-"
ARTICLE_SCHEMA = f"urn:ingest:schema:article:{SCHEMA_VERSION}"
UNCHANGED_SCHEMA = f"urn:ingest:schema:unchanged:{SCHEMA_VERSION}"
DEAD_SCHEMA = f"urn:ingest:schema:dead-letter:{SCHEMA_VERSION}"

_RETRY = "ingest dead retry ID, where ID is the id of this entry in the stream"
_PUSH_AGAIN = "mend the item and push it to the queue again"
_ERROR_CHARS = 2000
_Payload = UnchangedEvent | DeadEvent
_PUBLISHED = (ARTICLE_PUBLISHED, ARTICLE_SCHEMA)
_KINDS: dict[type[_Payload], tuple[str, str]] = {
    UnchangedEvent: (ARTICLE_UNCHANGED, UNCHANGED_SCHEMA),
    DeadEvent: (URL_DEAD, DEAD_SCHEMA),
}


def event_id(task: Task, partition: int) -> str:
    """The id of the one terminal event of a task."""
    return f"{article_id(task.url)}.{task_id(task.seq, partition)}"


def article_event(
    task: Task,
    article: Article | Reading,
    page: Page,
    *,
    partition: int,
    namespace: str,
    fetched_at: datetime,
    now: datetime,
    change: Change = "new",
    changed_fields: tuple[str, ...] = (),
    cluster_id: str | None = None,
) -> dict[str, str | bytes]:
    """The event of an article, as fields for XADD. Both instants are aware."""
    payload = _article(
        article.parts if isinstance(article, Reading) else written(article),
        {"revision": task.revision, "change": change, "changed_fields": changed_fields},
        {"requested_url": task.requested_url},
        {"cluster_id": cluster_id},
        {
            "fetch": _fetch(task, page, fetched_at, article.charset),
            "task": _task_ref(task, partition),
        },
    )
    event = event_id(task, partition)
    return _enveloped(payload, _PUBLISHED, id=event, namespace=namespace, subject=task.url, now=now)


def reprocessed_event(
    article: Article,
    page: Page,
    *,
    revision: int,
    namespace: str,
    fetched_at: datetime,
    now: datetime,
    change: Change = "new",
    changed_fields: tuple[str, ...] = (),
    cluster_id: str | None = None,
) -> dict[str, str | bytes]:
    """The event of an article that was read anew from `page.record` of an archive. Both instants are aware.

    No task had it: its name in place of a task's is made of the record, the rules and the revision.
    """
    name = reprocessed_name(page.record or page.url, article.extraction.version, revision)
    hops = (page.url,) if page.url != article.url else ()
    task = Task(
        seq=0,
        url=article.url,
        host="",
        attempt=0,
        crashes=0,
        accepted_ms=int(fetched_at.timestamp() * 1000),
        revision=revision,
        requested_url=article.url,
        redirects=hops,
    )
    payload = _article(
        written(article),
        {"revision": revision, "change": change, "changed_fields": changed_fields},
        {"requested_url": article.url},
        {"cluster_id": cluster_id},
        {
            "fetch": _fetch(task, page, fetched_at, article.charset),
            "task": replace(_task_ref(task, 0), task_id=name),
        },
    )
    event = f"{article.article_id}.{name}"
    return _enveloped(payload, _PUBLISHED, id=event, namespace=namespace, subject=article.url, now=now)


def reprocessed_name(record: str, version: str, revision: int) -> str:
    """What stands for the task of an article that was read anew from an archive."""
    return f"{REPROCESSED}{sha256(f'{record} {version} {revision}'.encode()).hexdigest()[:16]}"


def unchanged_event(
    task: Task,
    response: Page | NotModified,
    *,
    partition: int,
    namespace: str,
    fetched_at: datetime,
    now: datetime,
    charset: str | None = None,
) -> dict[str, str | bytes]:
    """The event of an article that is as it was, as fields for XADD; `task.revision` is its last event's."""
    payload = UnchangedEvent(
        schema_version=SCHEMA_VERSION,
        article_id=article_id(task.url),
        revision=task.revision,
        url=task.url,
        requested_url=task.requested_url,
        fetch=_fetch(task, response, fetched_at, charset),
        task=_task_ref(task, partition),
    )
    event = event_id(task, partition)
    kind = _KINDS[type(payload)]
    return _enveloped(_json(payload), kind, id=event, namespace=namespace, subject=task.url, now=now)


def dead_event(
    task: Task,
    reason: str,
    error: str | None,
    *,
    partition: int,
    namespace: str,
    now: datetime,
) -> dict[str, str | bytes]:
    """The dead letter of a task, as fields for XADD. `now` is aware.

    Raises KeyError for a reason outside `worker.outcomes`.
    """
    ref = _task_ref(task, partition)
    payload = DeadEvent(
        schema_version=SCHEMA_VERSION,
        reason=reason,
        says=outcome(reason).says,
        error=error[:_ERROR_CHARS] if error else None,
        url=task.url,
        requested_url=task.requested_url,
        item=None,
        redirects=task.redirects,
        attempts=task.attempt + 1,
        accepted_at=ref.accepted_at,
        died_at=rfc3339(now),
        task=ref,
        how_to_retry=_RETRY,
    )
    event = event_id(task, partition)
    kind = _KINDS[type(payload)]
    return _enveloped(_json(payload), kind, id=event, namespace=namespace, subject=task.url, now=now)


def malformed_event(
    *, item: str, why: str, number: int, namespace: str, now: datetime
) -> dict[str, str | bytes]:
    """The dead letter of a queue item that is no task; `item` is quoted, `number` its number in the inbox."""
    payload = DeadEvent(
        schema_version=SCHEMA_VERSION,
        reason="malformed",
        says=outcome("malformed").says,
        error=why,
        url=None,
        requested_url=None,
        item=item,
        redirects=(),
        attempts=0,
        accepted_at=rfc3339(now),
        died_at=rfc3339(now),
        task=None,
        how_to_retry=_PUSH_AGAIN,
    )
    event, kind = f"malformed.{number}", _KINDS[DeadEvent]
    return _enveloped(_json(payload), kind, id=event, namespace=namespace, subject=None, now=now)


def rfc3339(moment: datetime) -> str:
    """An aware instant in UTC with milliseconds, as all our events write it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _fetch(task: Task, response: Page | NotModified, fetched_at: datetime, charset: str | None) -> Fetch:
    page = response if isinstance(response, Page) else None
    return Fetch(
        status=response.status,
        final_url=response.url,
        redirects=task.redirects,
        fetched_at=rfc3339(fetched_at),
        bytes=page.wire_bytes if page else 0,
        duration_ms=response.duration_ms,
        etag=response.etag,
        last_modified=response.last_modified,
        content_type=page.content_type if page else None,
        charset=charset,
    )


def _task_ref(task: Task, partition: int) -> TaskRef:
    return TaskRef(
        task_id=task_id(task.seq, partition),
        id=task.id,
        attempt=task.attempt,
        revision=task.revision,
        priority=task.priority,
        accepted_at=rfc3339(datetime.fromtimestamp(task.accepted_ms / 1000, UTC)),
        meta=task.meta,
    )


def _article(parts: Sequence[bytes], *own: dict[str, Any]) -> bytes:
    """The JSON of `worker.events.payload.ArticleEvent`: the article's parts, each with what follows it."""
    texts = [text for part, fields in zip(parts, own, strict=True) for text in (part, members(fields))]
    return b"".join((b"{", _VERSION, b",", b",".join(texts), b"}"))


_VERSION = members({"schema_version": SCHEMA_VERSION})


@cache
def _source(namespace: str) -> str:
    return f"/ingest/{quote(namespace, safe='')}"


def _enveloped(
    payload: bytes,
    kind: tuple[str, str],
    *,
    id: str,  # noqa: A002 - the attribute's name
    namespace: str,
    subject: str | None,
    now: datetime,
) -> dict[str, str | bytes]:
    """The required and optional context attributes (CloudEvents 1.0.2, 3.1), and the data."""
    type_, schema = kind
    return {
        "specversion": "1.0",
        "id": id,
        "type": type_,
        "source": _source(namespace),
        **({"subject": subject} if subject else {}),
        "time": rfc3339(now),
        "datacontenttype": "application/json",
        "dataschema": schema,
        "data": payload,
    }


def _json(payload: _Payload) -> bytes:
    try:
        return orjson.dumps(payload)
    except orjson.JSONEncodeError:
        # A page's JSON-LD can hold half a surrogate pair (\ud83d), which no UTF-8 can: "?" stands for it.
        return json.dumps(asdict(payload), ensure_ascii=False).encode("utf-8", "replace")
