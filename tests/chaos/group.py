"""A consumer group read from within the driver, which counts what it was given."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.store.connection import Connection


_AT_ONCE = 100


class Group:
    """One consumer group: reads, keeps which URL each event is of, and acknowledges."""

    def __init__(self, connection: Connection, stream: str, name: str) -> None:
        self._connection = connection
        self._stream = stream
        self._name = name
        self.subjects: Counter[str] = Counter()

    async def join(self) -> None:
        """Create the group from the stream's beginning."""
        await self._connection.command("XGROUP", "CREATE", self._stream, self._name, "0", "MKSTREAM")

    async def read(self) -> int:
        """Take one batch and acknowledge it; returns how many events that were."""
        reply = await self._connection.command(
            *("XREADGROUP", "GROUP", self._name, "one", "COUNT", _AT_ONCE, "STREAMS", self._stream, ">")
        )
        entries = reply[0][1] if reply else []
        if entries:
            self.subjects.update(fields[b"subject"].decode() for _, fields in entries)
            await self._connection.command("XACK", self._stream, self._name, *(key for key, _ in entries))
        return len(entries)
