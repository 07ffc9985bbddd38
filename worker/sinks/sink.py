"""What every sink is, and how events look in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.events.event import Event


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch: so many were new, so many known already, and these can never be written."""

    new: int
    repeats: int = 0
    rejected: Mapping[str, str] = field(default_factory=dict)  # event id → why


class Sink(Protocol):
    """Something that keeps events."""

    where: str  # for people; without passwords

    @property
    def owed(self) -> int:
        """Events that it has taken and still has to bring to where they belong."""

    async def open(self) -> None:
        """Make ready to write. Raises SinkUnusable, SinkUnavailable."""

    async def write(self, events: Sequence[Event]) -> Written:
        """Keep these for good, those that are not there already. Raises SinkUnavailable, SinkUnusable."""

    async def attend(self) -> None:
        """Do what is to be done beside writing, until cancelled. Raises SinkUnusable."""

    async def close(self) -> None:
        """Let go of everything."""


def entry_of(event: Event) -> str:
    """Where the event stands in its stream, after `P/` in partition P above 0, as `ingest tail` has it."""
    return f"{event.partition}/{event.entry}" if event.partition else event.entry


def key_of(event: Event) -> str:
    """By what a sink knows the event: its source, a space, and its id, which is unique for that source only.

    So CloudEvents 1.0 has it ("source + id"), and two namespaces do give one URL the same id.
    """
    return key(event.attributes["source"], event.id)


def key(source: str, event_id: str) -> str:
    """`key_of` an event with these. A source is a URI reference, which holds no space."""
    return f"{source} {event_id}"


def json_of(event: Event) -> bytes:
    """The event in CloudEvents' JSON form, `id` and `source` first, with `entry` as one more attribute."""
    first = {"id": event.id, "source": event.attributes["source"]}
    data = orjson.Fragment(event.data)
    return orjson.dumps(first | {**event.attributes, "entry": entry_of(event), "data": data})
