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
    """One look at Redis, at a moment of the monotonic clock (seconds)."""

    at_s: float
    ledger: Ledger
    depths: Depths
    workers: tuple[str, ...]
    overdue_s: float


@dataclass(frozen=True, slots=True)
class Nothing:
    """Redis did not answer, or refused."""

    why: str


async def looked(connection: Connection, keys: Keys, inbox: Inbox, clock: Clock) -> Look:
    """All figures, now. Raises StoreUnavailable and StoreUnusable."""
    return Look(
        at_s=clock.monotonic(),
        ledger=await read_ledger(connection, keys),
        depths=await read_depths(connection, keys, taken=await inbox.taken()),
        workers=tuple(await inbox.workers()),
        overdue_s=await overdue_s(connection, keys),
    )


class Fleet:
    """Answers that all who look share; Redis is asked for figures once in `look_every_s` at most."""

    def __init__(
        self,
        settings: Settings,
        redis_url: str,
        *,
        look_every_s: float = LOOK_EVERY_S,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self.keys = Keys(settings.namespace, settings.partitions)
        self.connection = Connection(
            redis_url,
            timeout_s=min(settings.redis_timeout_s, _LONGEST_WAIT_S),
            patience_s=0,
        )
        self._inbox = Inbox(self.connection, self.keys, worker="ops", seen_days=settings.seen_days)
        self._look = SharedAnswer(self._looked, max_age_s=look_every_s, clock=self._clock)
        self._ping = SharedAnswer(self._pinged, max_age_s=_PING_EVERY_S, clock=self._clock)

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
            return await looked(self.connection, self.keys, self._inbox, self._clock)
        except (StoreUnavailable, StoreUnusable) as error:
            return Nothing(str(error))

    async def _pinged(self) -> str:
        try:
            await self.connection.of_primaries("PING")
        except (StoreUnavailable, StoreUnusable) as error:
            return str(error)
        return ""
