"""Events as Parquet files, by type and day."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

import pyarrow as pa

from worker.sinks.columns import COLUMNS
from worker.sinks.parts import Parts, span_of
from worker.sinks.recent import RecentIds
from worker.sinks.sink import Written, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from worker.events.event import Event
    from worker.sinks.columns import Columns

#: What a value raises that has no place in its column.
_NO_PLACE = (pa.ArrowException, KeyError, TypeError, ValueError, OverflowError)


class ParquetSink:
    """Writes a file for each type and day (UTC, of the event's `time`) of a batch."""

    owed = 0

    def __init__(self, root: Path) -> None:
        self.where = str(root)
        self._parts = Parts(root)
        self._recent = RecentIds()

    async def open(self) -> None:
        """Take the folder, and learn which events the newest files have."""
        await asyncio.to_thread(self._parts.open)
        # By id and not only by time: after a failover of Redis, an event that was lost there is
        # published again, under the same id and in another entry.
        self._recent.add(await asyncio.to_thread(self._parts.newest_keys, self._recent.capacity))

    async def write(self, events: Sequence[Event]) -> Written:
        """Write the events that no file has; on return they are on the disk under their last name."""
        rejected: dict[str, str] = {}
        groups: dict[Path, dict[str, Event]] = defaultdict(dict)
        for event in events:
            if key_of(event) in self._recent:
                continue
            if columns := COLUMNS.get(event.type):
                groups[self._folder(columns, event)][key_of(event)] = event
            else:
                rejected[event.id] = f"its type {event.type!r} is not known here"
        new = 0
        for folder, group in groups.items():
            written = await asyncio.to_thread(self._write, folder, list(group.values()), rejected)
            self._recent.add(written)
            new += len(written)
        return Written(new, len(events) - new - len(rejected), rejected)

    async def attend(self) -> None:
        """There is nothing to do beside writing."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Let go of the folder."""
        self._parts.close()

    def _folder(self, columns: Columns, event: Event) -> Path:
        return self._parts.root / columns.folder / f"day={event.attributes['time'][:10]}"

    def _write(self, folder: Path, events: list[Event], rejected: dict[str, str]) -> list[str]:
        known = self._parts.known(folder, span_of([event.entry for event in events]))
        new = [event for event in events if key_of(event) not in known]
        if not new:
            return []
        columns = COLUMNS[new[0].type]
        try:
            table = columns.table(new)
        except _NO_PLACE:
            new = [event for event in new if _fits(columns, event, rejected)]
            table = columns.table(new)
        if new:
            self._parts.write(folder, table)
        return [key_of(event) for event in new]


def _fits(columns: Columns, event: Event, rejected: dict[str, str]) -> bool:
    try:
        columns.table([event])
    except _NO_PLACE as error:
        rejected[event.id] = f"{type(error).__name__}: {error}"
        return False
    return True
