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
    """What was made of a source. `before` is empty for a new one; `due_ms` None: nothing will be due."""

    source: str
    before: bytes
    after: bytes
    due_ms: int | None
    ttl_ms: int


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
            due: Word = "" if each.due_ms is None else each.due_ms
            args += [each.source, each.before, each.after, due, each.ttl_ms]
        return [kept == 1 for kept in await self._connection.run("learn", [self._keys.tag(partition)], args)]
