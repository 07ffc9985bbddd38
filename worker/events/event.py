"""An event as its readers see it: the envelope's attributes, typed, and where it stands in its stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter, ValidationError

from worker.events.envelope import ARTICLE_PUBLISHED, ARTICLE_UNCHANGED, URL_DEAD, rfc3339
from worker.events.payload import ArticleEvent, DeadEvent, UnchangedEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

Payload = ArticleEvent | UnchangedEvent | DeadEvent

_PAYLOADS: dict[str, type[Payload]] = {
    ARTICLE_PUBLISHED: ArticleEvent,
    ARTICLE_UNCHANGED: UnchangedEvent,
    URL_DEAD: DeadEvent,
}


class UnreadableEventError(Exception):
    """An entry that is no event that this version knows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event:
    """One event, as it was delivered once.

    `id` is the same whenever it comes again: write under it, or keep the ids that you have handled.
    `deliveries` says how often it was handed to a consumer of the group, this time included; 0 in a replay.
    """

    id: str
    type: str
    time: datetime
    url: str | None
    payload: Payload
    data: bytes
    attributes: Mapping[str, str]
    stream: str
    partition: int
    entry: str
    deliveries: int

    @property
    def article(self) -> ArticleEvent | None:
        """The article; None for an event of another type."""
        return self.payload if isinstance(self.payload, ArticleEvent) else None

    @property
    def dead(self) -> DeadEvent | None:
        """The dead letter; None for an event of another type."""
        return self.payload if isinstance(self.payload, DeadEvent) else None

    @property
    def key(self) -> tuple[str, str]:
        """Where it stands: its stream and the entry's id there."""
        return self.stream, self.entry

    def json(self) -> bytes:
        """The event in CloudEvents' JSON format, with its data as it came."""
        return orjson.dumps({**self.attributes, "data": orjson.Fragment(self.data)})


def event_of(stream: str, entry: str, fields: Mapping[bytes, bytes], deliveries: int = 0) -> Event:
    """The event in an entry. Raises UnreadableEventError for what is none, or of a type not known here."""
    try:
        attributes = {name.decode(): value.decode() for name, value in fields.items() if name != b"data"}
        data = fields[b"data"]
        return Event(
            id=attributes["id"],
            type=attributes["type"],
            time=datetime.fromisoformat(attributes["time"]),
            url=attributes.get("subject"),
            payload=_reader(attributes["type"]).validate_json(data),
            data=data,
            attributes=attributes,
            stream=stream,
            partition=partition_in(stream),
            entry=entry,
            deliveries=deliveries,
        )
    except KeyError as error:
        if error.args[0] == attributes.get("type"):
            raise UnreadableEventError(f"its type {attributes['type']!r} is not known here") from error
        raise UnreadableEventError(f"it has no field {error.args[0]!s}") from error
    except (ValidationError, ValueError) as error:
        raise UnreadableEventError(_first_line(error)) from error


def rejection(
    reason: str, entry: str, fields: Mapping[bytes, bytes], *, deliveries: int, now: datetime
) -> bytes:
    """What is kept of a rejected event: why, when (`now` is aware), and each of its fields as text."""
    return orjson.dumps(
        {
            "reason": reason,
            "deliveries": deliveries,
            "rejected_at": rfc3339(now),
            "entry": entry,
            "fields": {_text(name): _text(value) for name, value in fields.items()},
        }
    )


def partition_in(stream: str) -> int:
    """The partition that a stream's name tells."""
    return int(stream.partition("}")[0].rpartition(":")[2])


@cache
def _reader(kind: str) -> TypeAdapter[Payload]:
    return TypeAdapter(_PAYLOADS[kind])


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"data.{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
