"""How much room Redis has left under its own `maxmemory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.clock import Clock
    from worker.store.connection import Connection

_LOOK_EVERY_S = 0.5
#: Of the share: work goes on only once this much of it is left again, not with each event that is dropped.
_RESUMES_AT = 0.95


class Headroom:
    """Tells before Redis refuses writes: at `share` of its maxmemory, 1 being never.

    A refused write costs more than a pause: no lease can be ended nor kept, and producers are refused too.
    """

    def __init__(self, connection: Connection, *, share: float, clock: Clock) -> None:
        self._connection = connection
        self._share = share
        self._clock = clock
        self._is_short = False
        self._next_look = 0.0

    async def is_short(self) -> bool:
        """Whether a primary holds more than it should; at most half a second old."""
        if self._share < 1 and self._clock.monotonic() >= self._next_look:
            # Before the wait for the reply: who asks meanwhile need not ask again.
            self._next_look = self._clock.monotonic() + _LOOK_EVERY_S
            limit = self._share * (_RESUMES_AT if self._is_short else 1)
            infos = await self._connection.of_primaries("INFO", "memory")
            self._is_short = any(_used_share(info) >= limit for info in infos)
        return self._is_short


def _used_share(info: Mapping[str, Any]) -> float:
    """Of maxmemory, as Redis itself counts before it refuses a write; 0 where there is none."""
    maximum = int(info.get("maxmemory", 0))
    counted = int(info["used_memory"]) - int(info.get("mem_not_counted_for_evict", 0))
    return counted / maximum if maximum else 0.0
