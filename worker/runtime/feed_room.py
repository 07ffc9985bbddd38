"""Whether there is room for what feeds list: in Redis' memory, and in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.store.connection import Connection
    from worker.store.headroom import Headroom
    from worker.store.keys import Keys

#: Of the limit: feeds are looked at again only once the queue is as short, not with each item that is taken.
_RESUMES_AT = 0.95


class NoRoom(Exception):
    """What a feed lists cannot be pushed now: look at it later."""


class Room:
    """Stops the feeders before Redis refuses writes: at its share of memory, and at `limit` items queued.

    What is pushed beyond these only lies in the inbox, for admission stands still or is far behind.
    """

    def __init__(
        self, connection: Connection, keys: Keys, *, headroom: Headroom, limit: int, clock: Clock
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._headroom = headroom
        self._limit = limit
        self._clock = clock
        self._is_long = False
        self._paused_at: float | None = None

    async def is_full(self) -> bool:
        """Whether nothing should be pushed now; the log tells when that begins and ends."""
        why: Literal["memory", "queue"] | None = None
        if await self._headroom.is_short():
            why = "memory"
        elif await self._is_queue_long():
            why = "queue"
        self._tell(why)
        return why is not None

    async def _is_queue_long(self) -> bool:
        length = int(await self._connection.command("LLEN", self._keys.queue))
        self._is_long = length >= self._limit * (_RESUMES_AT if self._is_long else 1)
        return self._is_long

    def _tell(self, why: Literal["memory", "queue"] | None) -> None:
        if why and self._paused_at is None:
            self._paused_at = self._clock.monotonic()
            limit = {"limit": self._limit} if why == "queue" else {}
            get_logger().warning("feeds_paused", why=why, **limit)
        elif not why and self._paused_at is not None:
            paused_s = round(self._clock.monotonic() - self._paused_at, 3)
            self._paused_at = None
            get_logger().info("feeds_resumed", paused_s=paused_s)
