"""The sources that are silent now, for eyes: what `source_silent` told, for as long as it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.habits.habit import decoded
from worker.store.sources import Sources

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys


@dataclass(frozen=True, slots=True)
class SilentSource:
    """One of them. `since` is its last article (RFC 3339), `per_hour` what was usual before."""

    source: str
    since: str
    why: str  # `failing` or `quiet`
    per_hour: float
    ended: dict[str, int]  # dead letters since, by reason


async def silent_sources(connection: Connection, keys: Keys, limit: int) -> list[SilentSource]:
    """Up to `limit`, those with the latest articles first. Raises StoreUnavailable and StoreUnusable."""
    found: list[SilentSource] = []
    for partition in range(keys.partitions):
        for source, since_s, kept in await Sources(connection, keys).silent(partition, limit):
            if habit := decoded(kept):
                found.append(
                    SilentSource(
                        source=source,
                        since=datetime.fromtimestamp(since_s, UTC).isoformat(),
                        why="failing" if habit.rhythm.is_failing() else "quiet",
                        per_hour=round(habit.rhythm.per_hour, 3),
                        ended=habit.ended,
                    )
                )
    return sorted(found, key=lambda each: each.since, reverse=True)[:limit]
