"""What the fleet has learnt of sources, as bytes: what they mean is `worker.habits`' business.

Time is that of the fleet's watch: it stands still while no worker looks, so that an outage of ours is
nobody's silence. Each partition has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Change:
    """What was made of a source. `before` is empty for a new one; `due_ms` None: nothing will be due.

    `ttl_ms` None lets the habit live as long as before. `silent_since_s` (Unix time) is None unless the
    source's silence was told, and lasts.
    """

    source: str
    before: bytes
    after: bytes
    due_ms: int | None
    ttl_ms: int | None
    silent_since_s: int | None = None


class Sources:
    """The habits of all sources."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    async def watch(
        self, partition: int, sources: Sequence[str], *, step_ms: int, due: int
    ) -> tuple[int, dict[str, bytes]]:
        """The watch's time in ms, and habits: of these sources, and of up to `due` whose silence is due.

        At most `step_ms` count as watched since the last look. A habit that is not known is empty.
        """
        args: list[Word] = [step_ms, due, *sources]
        now, *rest = await self._connection.run("watch", [self._keys.tag(partition)], args)
        return int(now), {source.decode(): habit for source, habit in zip(rest[::2], rest[1::2], strict=True)}

    async def learn(self, partition: int, changes: Sequence[Change]) -> list[bool]:
        """Keep each change, unless another worker has changed that source meanwhile; whether it is kept."""
        args: list[Word] = []
        for each in changes:
            numbers = (each.due_ms, each.ttl_ms, each.silent_since_s)
            args += [each.source, each.before, each.after, *("" if n is None else n for n in numbers)]
        return [kept == 1 for kept in await self._connection.run("learn", [self._keys.tag(partition)], args)]

    async def silent(self, partition: int, limit: int) -> list[tuple[str, int, bytes]]:
        """Sources whose silence was told and lasts, the latest first: since when (Unix time), and habit."""
        words = ("ZRANGE", self._keys.part(partition, "silent"), 0, limit - 1, "REV", "WITHSCORES")
        reply = await self._connection.command(*words)
        found = []
        for source, since in zip(reply[::2], reply[1::2], strict=True):
            key = self._keys.part(partition, f"habit:{source.decode()}")
            if habit := await self._connection.command("GET", key):  # else it is forgotten
                found.append((source.decode(), int(float(since)), habit))
        return found
