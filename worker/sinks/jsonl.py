"""Events as lines of JSON in files that are rotated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from worker.clock import Clock, SystemClock
from worker.errors import SinkUnavailable
from worker.sinks.files import available, in_thread
from worker.sinks.recent import RecentIds
from worker.sinks.segments import Segments
from worker.sinks.sink import Written, json_of, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from worker.events.event import Event

_LOOK_EVERY_S = 1.0
#: What came in the last seconds may not be acknowledged yet, and is to be found in the file that grows.
_QUIET_S = 5.0


class JsonlSink:
    """Appends each event once: its source and id are looked up among those of the last lines."""

    owed = 0

    def __init__(
        self, path: Path, *, rotate_bytes: int = 0, rotate_s: float = 0, clock: Clock | None = None
    ) -> None:
        self.where = str(path)
        self._clock = clock or SystemClock()
        self._segments = Segments(path, limit_bytes=rotate_bytes, every_s=rotate_s, clock=self._clock)
        self._recent = RecentIds()
        self._writing = asyncio.Lock()
        self._wrote_at = self._clock.monotonic()

    async def open(self) -> None:
        """Take the file, cut off a half line, and learn which events it has."""
        await asyncio.to_thread(self._segments.open)
        await self._learn()

    async def write(self, events: Sequence[Event]) -> Written:
        """Append the lines that are not there, and sync them to the disk."""
        new = {key_of(event): event for event in events if key_of(event) not in self._recent}
        if new:
            lines = [json_of(event) + b"\n" for event in new.values()]
            async with self._writing:
                try:
                    await in_thread(self._segments.append, lines)
                finally:
                    self._wrote_at = self._clock.monotonic()
            self._recent.add(new)
        return Written(len(new), len(events) - len(new))

    async def attend(self) -> None:
        """Rename a file whose time is up, also when nothing comes."""
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            async with self._writing:
                if self._clock.monotonic() - self._wrote_at >= _QUIET_S:
                    try:
                        with available(self._segments.path):
                            self._segments.rotate_if_due()
                    except SinkUnavailable:
                        continue  # the next batch meets the same trouble, and tells of it

    async def close(self) -> None:
        """Let go of the file."""
        async with self._writing:
            self._segments.close()

    async def _learn(self) -> None:
        self._recent.add(await asyncio.to_thread(self._segments.recent_keys, self._recent.capacity))
