"""An event as its readers see it: the envelope's attributes, typed, and where it stands in its stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

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
    """An entry that is no event, or breaks the contract of its type."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event:
    """One event, as it was delivered once.

    `id` is the same whenever it comes again: write under it, or keep the ids that you have handled.
    `deliveries` says how often it was handed to a consumer of the group, this time included; 0 in a replay.
    `payload` is None for a type that came with a newer version: `data` and `attributes` have all of it.
    """

    id: str
    type: str
    time: datetime
    url: str | None
    payload: Payload | None
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
    """The event in an entry, of whatever type. Raises UnreadableEventError for what is none.

    Workers may be newer than their readers: a value that its Literal does not have is read as it stands.
    """
    try:
        attributes = {name.decode(): value.decode() for name, value in fields.items() if name != b"data"}
        data = fields[b"data"]
        return Event(
            id=attributes["id"],
            type=attributes["type"],
            time=datetime.fromisoformat(attributes["time"]),
            url=attributes.get("subject"),
            payload=_payload(attributes["type"], data),
            data=data,
            attributes=attributes,
            stream=stream,
            partition=partition_in(stream),
            entry=entry,
            deliveries=deliveries,
        )
    except KeyError as error:
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


def _payload(kind: str, data: bytes) -> Payload | None:
    if kind in _PAYLOADS:
        payload: Payload = _reader(kind).validate_json(data)
        return payload
    if not isinstance(orjson.loads(data), dict):
        raise ValueError("its data is no JSON object")
    return None


@cache
def _reader(kind: str) -> SchemaValidator:
    return SchemaValidator(_widened(TypeAdapter(_PAYLOADS[kind]).core_schema))


def _widened(schema: Any) -> Any:
    """A schema that takes any string for a Literal of strings: new values come without a new version."""
    if isinstance(schema, dict):
        if schema.get("type") == "literal" and all(isinstance(each, str) for each in schema["expected"]):
            return {"type": "str"}
        return {name: _widened(part) for name, part in schema.items()}
    return [_widened(part) for part in schema] if isinstance(schema, list) else schema


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"data.{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
