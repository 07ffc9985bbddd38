"""The fleet's figures, from Redis, over a connection that does not wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from worker.clock import Clock, SystemClock
from worker.errors import StoreUnavailable, StoreUnusable
from worker.ops.shared_answer import SharedAnswer
from worker.store.connection import Connection
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.ledger import Depths, Ledger, overdue_s, read_depths, read_ledger

if TYPE_CHECKING:
    from worker.settings import Settings

#: How old figures may be: Redis is asked no more often, however many ask us.
LOOK_EVERY_S = 2.0
_PING_EVERY_S = 1.0
#: Probes give up after some seconds, and want to hear why before.
_LONGEST_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Look:
    """One look at Redis."""

    ledger: Ledger
    depths: Depths
    workers: tuple[str, ...]
    overdue_s: float


@dataclass(frozen=True, slots=True)
class Nothing:
    """Redis did not answer, or refused."""

    why: str


class Fleet:
    """Answers that all who look share."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self.keys = Keys(settings.namespace, settings.partitions)
        self.connection = Connection(
            settings.ops_redis_url or settings.redis_url,
            timeout_s=min(settings.redis_timeout_s, _LONGEST_WAIT_S),
            patience_s=0,
        )
        self._inbox = Inbox(self.connection, self.keys, worker="ops", seen_days=settings.seen_days)
        self._look = SharedAnswer(self._looked, max_age_s=LOOK_EVERY_S, clock=clock)
        self._ping = SharedAnswer(self._pinged, max_age_s=_PING_EVERY_S, clock=clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    async def look(self) -> Look | Nothing:
        """All figures, at most some seconds old."""
        return await self._look.get()

    async def unanswered(self) -> str:
        """Why Redis is of no use now; empty if it answers."""
        return await self._ping.get()

    async def _looked(self) -> Look | Nothing:
        try:
            workers = await self._inbox.workers()
            return Look(
                ledger=await read_ledger(self.connection, self.keys),
                depths=await read_depths(self.connection, self.keys, taken=await self._inbox.taken()),
                workers=tuple(workers),
                overdue_s=await overdue_s(self.connection, self.keys),
            )
        except (StoreUnavailable, StoreUnusable) as error:
            return Nothing(str(error))

    async def _pinged(self) -> str:
        try:
            await self.connection.of_primaries("PING")
        except (StoreUnavailable, StoreUnusable) as error:
            return str(error)
        return ""
