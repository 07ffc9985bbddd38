"""What every sink is, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class SinkEvent:
    """An event on its way into a sink. `entry` is its id in the stream, after `P/` in partition P above 0."""

    entry: str
    attributes: Mapping[str, str]  # the CloudEvent's, `id` and `type` among them
    data: bytes  # JSON

    @property
    def id(self) -> str:
        """The event's id, by which it is known again."""
        return self.attributes["id"]

    @property
    def type(self) -> str:
        """Such as `article.published.v1`."""
        return self.attributes["type"]

    @property
    def time(self) -> datetime:
        """When the event was written; aware."""
        return datetime.fromisoformat(self.attributes["time"])

    @property
    def payload(self) -> dict[str, Any]:
        """The data, parsed."""
        parsed: dict[str, Any] = orjson.loads(self.data)
        return parsed

    @property
    def json(self) -> bytes:
        """The event in CloudEvents' JSON form, `id` first, with `entry` as one more attribute."""
        whole = {"id": self.id, **self.attributes, "entry": self.entry, "data": orjson.Fragment(self.data)}
        return orjson.dumps(whole)


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

    async def write(self, records: Sequence[SinkEvent]) -> Written:
        """Keep these for good, those that are not there already. Raises SinkUnavailable, SinkUnusable."""

    async def attend(self) -> None:
        """Do what is to be done beside writing, until cancelled. Raises SinkUnusable."""

    async def close(self) -> None:
        """Let go of everything."""
