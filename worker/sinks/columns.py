"""The columns of Parquet files: those of the envelope, and one for each field of an event's data.

They follow from the payload's types, so that a new field is a new column. What the types leave open (`meta`)
is JSON in a text.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

import orjson
import pyarrow as pa

from worker.events.envelope import ARTICLE_PUBLISHED, ARTICLE_UNCHANGED, URL_DEAD
from worker.events.payload import ArticleEvent, DeadEvent, UnchangedEvent
from worker.sinks.sink import entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.events.event import Event

_INSTANT = pa.timestamp("ms", tz="UTC")
_PLAIN: dict[object, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}
#: Columns of instants, beside the texts that they are read from: a text keeps the page's own offset.
_IN_UTC = {"published_utc": "published_at", "modified_utc": "modified_at"}

#: Fields that events of earlier versions do not have.
_CAME_LATER = {"cluster_id": None}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one type of event. `folder` is where its files are."""

    folder: str
    schema: pa.Schema
    converts: Mapping[str, Callable[[Any], Any]]  # field of the data → its value for Arrow

    def table(self, events: Sequence[Event]) -> pa.Table:
        """The events as rows. Raises what `row` raises, and what Arrow does for a value that fits nowhere."""
        return pa.Table.from_pylist([self.row(event) for event in events], schema=self.schema)

    def row(self, event: Event) -> dict[str, Any]:
        """One event. Raises KeyError, TypeError and ValueError for data that is not as its type says."""
        data = _CAME_LATER | orjson.loads(event.data)
        row = {name: convert(data[name]) for name, convert in self.converts.items()}
        for column, name in _IN_UTC.items():
            if column in self.schema.names:
                row[column] = _instant(data[name])
        return row | {
            "event_id": event.id,
            "event_source": event.attributes["source"],
            "event_type": event.type,
            "event_time": event.time,
            "entry": entry_of(event),
        }


def _columns(folder: str, payload: type) -> Columns:
    hints = get_type_hints(payload)
    shapes = {field.name: _shape(hints[field.name]) for field in fields(payload)}
    envelope = [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("event_source", pa.string(), nullable=False),
        pa.field("event_type", pa.string(), nullable=False),
        pa.field("event_time", _INSTANT, nullable=False),
        pa.field("entry", pa.string(), nullable=False),
    ]
    own = [pa.field(name, kind) for name, (kind, _) in shapes.items()]
    instants = [pa.field(column, _INSTANT) for column, name in _IN_UTC.items() if name in shapes]
    return Columns(
        folder,
        pa.schema([*envelope, *own, *instants]),
        {name: convert for name, (_, convert) in shapes.items()},
    )


def _shape(hint: Any) -> tuple[pa.DataType, Callable[[Any], Any]]:
    """The Arrow type of a hint, and what makes a value of JSON into one of it."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        (inner,) = [arg for arg in args if arg is not type(None)]
        kind, convert = _shape(inner)
        return kind, lambda value: None if value is None else convert(value)
    if origin is Literal:
        return pa.string(), _same
    if origin is tuple:
        kind, convert = _shape(args[0])
        return pa.list_(kind), lambda values: [convert(value) for value in values]
    if origin is dict:
        return pa.map_(pa.string(), pa.string()), lambda value: list(value.items())
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        inner = {field.name: _shape(hints[field.name]) for field in fields(hint)}
        struct = pa.struct([pa.field(name, kind) for name, (kind, _) in inner.items()])
        return struct, lambda value: {name: make(value[name]) for name, (_, make) in inner.items()}
    if hint in _PLAIN:
        return _PLAIN[hint], _same
    return pa.string(), _json  # Any


def _same(value: Any) -> Any:
    return value


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


#: By the event's type.
COLUMNS = {
    ARTICLE_PUBLISHED: _columns("articles", ArticleEvent),
    ARTICLE_UNCHANGED: _columns("unchanged", UnchangedEvent),
    URL_DEAD: _columns("dead", DeadEvent),
}
