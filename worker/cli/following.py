"""Entries of the output streams, as they come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.store.connection import Connection

FROM_START = "0-0"
_BATCH = 200
_LOOK_AGAIN_S = 0.25


@dataclass(frozen=True, slots=True)
class Entry:
    """A CloudEvent in a stream. `id` is the entry's, after the partition's number if that is not 0."""

    id: str
    attributes: dict[str, str]
    data: dict[str, Any]

    @property
    def whole(self) -> dict[str, Any]:
        """The event in CloudEvents' JSON form, with the entry's id as one more attribute."""
        return {**self.attributes, "entry": self.id, "data": self.data}


class Follower:
    """Reads streams from where it stands; it belongs to no consumer group and acknowledges nothing."""

    def __init__(self, connection: Connection, start: Mapping[str, int], *, after: str | None) -> None:
        """`start` is stream → partition; `after` an entry id, or None for what comes from now on."""
        self._connection = connection
        self._partitions = dict(start)
        self._after = after
        self._positions: dict[str, str] = {}

    async def read(self, *, wait_s: float = 0) -> list[Entry]:
        """What is new, at most some hundreds; waits up to `wait_s` seconds for something to come."""
        if not self._positions:
            self._positions = {stream: self._after or await self._end(stream) for stream in self._partitions}
        if len(self._positions) == 1:
            return await self._read(*self._positions, wait_s=wait_s)
        # One by one: in a cluster they are in different slots, and none may keep us from the others.
        entries = [entry for stream in self._positions for entry in await self._read(stream)]
        if not entries:
            await asyncio.sleep(min(wait_s, _LOOK_AGAIN_S))
        return entries

    async def _read(self, stream: str, *, wait_s: float = 0) -> list[Entry]:
        waiting = ("BLOCK", int(wait_s * 1000)) if wait_s else ()
        reply = await self._connection.command(
            "XREAD", "COUNT", _BATCH, *waiting, "STREAMS", stream, self._positions[stream]
        )
        return [
            self._entry(stream, entry.decode(), fields) for _, entries in reply for entry, fields in entries
        ]

    async def _end(self, stream: str) -> str:
        # Not "$": what came between two reads would be passed over.
        last = await self._connection.command("XREVRANGE", stream, "+", "-", "COUNT", 1)
        return str(last[0][0].decode()) if last else FROM_START

    def _entry(self, stream: str, entry: str, fields: dict[bytes, bytes]) -> Entry:
        self._positions[stream] = entry
        partition = self._partitions[stream]
        return Entry(
            id=f"{partition}/{entry}" if partition else entry,
            attributes={name.decode(): value.decode() for name, value in fields.items() if name != b"data"},
            data=orjson.loads(fields[b"data"]),
        )
