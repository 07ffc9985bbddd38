"""The library for consumers: the events of a group, each at least once, whatever is killed meanwhile.

    async with ArticleConsumer("redis://127.0.0.1:6379/0", group="search") as consumer:
        async for event in consumer:
            await index(event.id, event.article)

Coming back for the next event acknowledges the one before. An exception out of the body does not: the event
comes again after `idle_ms`, here or at another consumer of the group, `max_deliveries` times in all. Who is
killed between handling and acknowledging lets the event be handled twice: `event.id` is then the same.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Self

from worker.clock import SystemClock
from worker.errors import IngestError
from worker.events.copies import Copies
from worker.events.deliveries import Deliveries
from worker.events.notices import notice
from worker.events.subscription import Stream, Subscription, Terms
from worker.store.choices import Choices
from worker.store.connection import Connection
from worker.store.consumer_group import ConsumerGroup
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from worker.events.event import Event

#: How long the end waits for a Redis that does not answer.
_GRACE_S = 5.0
#: Renewals within the idle limit.
_RENEWALS = 3


class ArticleConsumer:
    """A consumer of one group; any number of them, in any number of processes, share the group's events.

    One loop at a time reads from it, and waits for Redis for as long as that is away. Raises Misconfigured
    for arguments that cannot be, and StoreUnusable when Redis refuses us for good (a wrong password, a right
    that the user lacks).
    """

    def __init__(
        self,
        redis_url: str,
        *,
        group: str,
        prefix: str = "ingest",
        consumer: str | None = None,
        streams: tuple[Stream, ...] = ("articles",),
        partitions: int | None = None,
        start: str | datetime = "0",
        batch: int = 20,
        idle_ms: int = 60_000,
        max_deliveries: int = 5,
        end_when_quiet_s: float | None = None,
        one_per_cluster: bool = False,
        timeout_s: float = 5.0,
    ) -> None:
        """`redis_url` and `prefix` are the workers' INGEST_REDIS_URL and INGEST_NAMESPACE.

        - `consumer`: a name of its own for each process; one is made up.
        - `partitions`: INGEST_PARTITIONS; if it is not given, as many as the workers said in Redis. While
          they said nothing, those that hold an event, looked for every 30 s.
        - `start`: where a group begins that is made now: `0` (all there is), `now`, behind an entry's id, or
          at an aware datetime. A group that is there goes on where it was.
        - `batch`: how many events are read ahead of the loop.
        - `idle_ms`: after so long without a sign of its consumer, an event goes to another one. The signs are
          given in the background while the body awaits; if it blocks the event loop for longer, they go too.
        - `max_deliveries`: an event that was delivered so often and never acknowledged is rejected.
        - `end_when_quiet_s`: the loop ends when nothing came for so long; if not given, never.
        - `one_per_cluster`: of articles with one `cluster_id`, only the first that comes to the group, and
          its later revisions; the others are acknowledged unseen.
        - `timeout_s`: what a reply of Redis may take.
        """
        name = consumer or f"{socket.gethostname()[:100]}-{os.getpid()}-{secrets.token_hex(4)}"
        terms = Terms(
            group=group,
            consumer=name,
            prefix=prefix,
            streams=tuple(streams),
            partitions=partitions,
            start=start,
            batch=batch,
            idle_ms=idle_ms,
            max_deliveries=max_deliveries,
        )
        clock = SystemClock()
        self._connection = Connection(
            redis_url, timeout_s=timeout_s, patience_s=None, watch=self, clock=clock
        )
        members = ConsumerGroup(self._connection, group, name)
        self._subscription = Subscription(self._connection, members, terms, clock)
        choices = Choices(self._connection, Keys(prefix), group)
        self._deliveries = Deliveries(
            members,
            terms,
            self._subscription,
            clock,
            one_by_one=self._connection.clustered,
            copies=Copies(choices, clock) if one_per_cluster else None,
        )
        self.name = name
        self._renew_every_s = idle_ms / 1000 / _RENEWALS
        self._wait_s = min(1.0, timeout_s / 2)  # as long as the timeout, it would look like a silent Redis
        self._quiet_s = end_when_quiet_s
        self._in_hand: list[Event] = []
        self._stopping = asyncio.Event()
        self._is_closed = False
        self._step: asyncio.Timeout | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        """A new loop: what an earlier one left in hand was not handled, and comes again.

        Raises RuntimeError once the consumer is closed, as it is by the loop that `stop` ended.
        """
        self._begin()
        return self

    async def __anext__(self) -> Event:
        (event,) = await self._next(1, 0)
        return event

    def batches(self, max_events: int = 100, max_wait_s: float = 1.0) -> AsyncIterator[list[Event]]:
        """As the loop, in lists of which each is acknowledged as one.

        A list ends with `max_events`, or `max_wait_s` after its first event. An event that came twice before
        has a list for itself, so that it cannot bring down others. Raises RuntimeError as a loop does.
        """
        self._begin()
        return _Batches(partial(self._next, max_events, max_wait_s))

    def stop(self) -> None:
        """End the loop after what is in hand, which is acknowledged. For signal handlers of the event loop.

        `break` ends it at once, and does not acknowledge.
        """
        self._stopping.set()
        if self._step is not None and not self._step.expired():
            self._step.reschedule(asyncio.get_running_loop().time() + _GRACE_S)

    async def acknowledge(self, *events: Event) -> None:
        """Acknowledge events now, before the loop comes back: they will not come again."""
        self._in_hand = [each for each in self._in_hand if each not in events]
        await self._deliveries.acknowledge(events)

    async def reject(self, event: Event, reason: str) -> None:
        """Give the event up for this group: `{ingest:P}:rejected:<group>` keeps it, it never comes again."""
        self._in_hand = [each for each in self._in_hand if each != event]
        await self._deliveries.reject(event, reason)

    def leave(self, *events: Event) -> None:
        """Do not acknowledge these when the loop comes back: they come again after `idle_ms`."""
        self._in_hand = [each for each in self._in_hand if each not in events]
        self._deliveries.let_go(events)

    async def lag(self) -> int:
        """Events that the group was not given yet, and those that are pending, over all partitions.

        Before Redis 7 it has to count: it reads up to twice what was not given yet.
        """
        await self._subscription.look()
        return await self._deliveries.lag()

    async def close(self) -> None:
        """Give back what was read ahead, and disconnect. What is in hand comes again."""
        self._is_closed = True
        self._stopping.set()
        self._drop_in_hand()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
            self._renewing = None
        with suppress(TimeoutError, IngestError):
            async with asyncio.timeout(_GRACE_S):
                await self._deliveries.give_back()
        await self._connection.close()

    def unavailable(self, why: str) -> None:
        """Redis went away (`worker.store.connection.Watch`)."""
        notice("warning", "consumer_waiting", error=why)

    def restored(self, after_s: float) -> None:
        """Redis came back: whoever lives renews first, before anything is taken over."""
        self._deliveries.hold_off()
        notice("info", "consumer_resumed", down_s=round(after_s, 3))

    async def _next(self, max_events: int, max_wait_s: float) -> list[Event]:
        try:
            async with asyncio.timeout(_GRACE_S if self._stopping.is_set() else None) as self._step:
                await self._deliveries.acknowledge(self._in_hand)
                self._in_hand = []
                began = time.monotonic()
                while not self._stopping.is_set() and not self._is_quiet(began):
                    self._renew_in_background()
                    events = await self._gather(max_events, max_wait_s)
                    if self._stopping.is_set():
                        self._deliveries.untake(events)
                    elif events:
                        self._in_hand = list(events)
                        return events
        except TimeoutError:  # Redis is away, and we were told to end
            pass
        finally:
            self._step = None
        if self._stopping.is_set():  # else it is only quiet, and another loop may follow
            await self.close()
        raise StopAsyncIteration

    def _is_quiet(self, since: float) -> bool:
        return self._quiet_s is not None and time.monotonic() - since >= self._quiet_s

    async def _gather(self, max_events: int, max_wait_s: float) -> list[Event]:
        patience_s = self._wait_s if self._quiet_s is None else min(self._wait_s, self._quiet_s)
        events = await self._deliveries.take(max_events, wait_s=patience_s)
        if not events or self._deliveries.is_suspect(events[0]):
            return events
        until = time.monotonic() + max_wait_s
        try:
            while (
                len(events) < max_events
                and not self._stopping.is_set()
                and (left_s := until - time.monotonic()) > 0
            ):
                wait_s = min(left_s, self._wait_s)
                events += await self._deliveries.take(max_events - len(events), wait_s=wait_s, alone=False)
        except BaseException:  # by wait_for, for instance: they are the next call's
            self._deliveries.untake(events)
            raise
        return events

    def _begin(self) -> None:
        if self._is_closed:
            raise RuntimeError(f"the consumer {self.name} was stopped or closed: make a new one")
        self._drop_in_hand()

    def _drop_in_hand(self) -> None:
        self._deliveries.let_go(self._in_hand)
        self._in_hand = []

    def _renew_in_background(self) -> None:
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew_for_good())
        elif self._renewing.done():
            self._renewing.result()  # raises what ended it

    async def _renew_for_good(self) -> None:
        while True:
            await asyncio.sleep(self._renew_every_s)
            await self._deliveries.renew()


class _Batches:
    def __init__(self, following: Callable[[], Awaitable[list[Event]]]) -> None:
        self._following = following

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Event]:
        return await self._following()
