"""From a consumer group into a sink, batch by batch: written for good, then acknowledged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_when_event_set,
    wait_random_exponential,
)

from worker.clock import Clock, SystemClock
from worker.errors import SinkUnavailable
from worker.runtime.pause import pause
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    import threading
    from collections.abc import Awaitable, Callable, Sequence

    from worker.events import ArticleConsumer, Event
    from worker.sinks.sink import Sink, Written

_T = TypeVar("_T")
#: Between two tries while a sink is away.
_BACKOFF_S = (0.2, 30.0)
#: How often to count what is behind, from often to seldom: before Redis 7 a count reads all of it, so it may
#: take a twentieth of the time and no more.
_LOOK_EVERY_S = (5.0, 60.0)
_LOOK_SHARE = 20
_TICK_S = 0.2
_QUIET_S = 0.3
_FEW = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch ends with `batch` events, or `wait_s` after its first one."""

    name: str
    group: str
    batch: int
    wait_s: float
    until_empty: bool = False


@dataclass(slots=True)
class Totals:
    """What became of the events so far. `behind` is None until it was counted."""

    written: int = 0
    repeats: int = 0
    rejected: int = 0
    owed: int = 0
    behind: int | None = None


class Display(Protocol):
    """Progress, for whoever watches."""

    def show(self, totals: Totals) -> None:
        """The figures at this moment."""


class Pump:
    """One sink at work until it is told to stop."""

    def __init__(
        self, consumer: ArticleConsumer, sink: Sink, plan: Plan, display: Display, clock: Clock | None = None
    ) -> None:
        self.totals = Totals()
        self._consumer = consumer
        self._sink = sink
        self._plan = plan
        self._display = display
        self._clock = clock or SystemClock()
        self._stopping = asyncio.Event()
        self._reason = "stopped"
        self._wrote_at = self._clock.monotonic()
        self._away_since: float | None = None
        self._watching: asyncio.Task[None] | None = None

    def stop(self, reason: str) -> None:
        """End after the batch at hand, which is acknowledged if it can be written. For signal handlers."""
        if not self._stopping.is_set():
            self._reason = reason
            self._stopping.set()
            self._consumer.stop()
            if self._watching is not None:
                self._watching.cancel()  # it shares the consumer's connection, which closes next

    async def open(self) -> bool:
        """Open the sink, and wait for it; False if we were told to stop meanwhile. Raises SinkUnusable."""
        try:
            await self._until_available(self._sink.open)
        except SinkUnavailable:
            return False
        return True

    async def run(self) -> None:
        """Write until told to stop, or all is written. Raises SinkUnusable, and what the consumer does."""
        beside: list[asyncio.Task[None]] = []
        try:
            if await self._join():
                self._watching = asyncio.create_task(self._watch())
                beside = [asyncio.create_task(self._attend()), self._watching]
                async for events in self._consumer.batches(self._plan.batch, self._plan.wait_s):
                    if not await self._write(events):
                        break
        finally:
            await _cancelled(beside)
            await self._sink.close()
            self.totals.owed = self._sink.owed
            self._display.show(self.totals)
        for task in beside:
            if not task.cancelled():
                task.result()  # raises what ended it
        figures = {name: getattr(self.totals, name) for name in ("written", "repeats", "rejected", "owed")}
        get_logger().info("sink_stopped", sink=self._plan.name, reason=self._reason, **figures)

    async def _join(self) -> bool:
        """Join the group, and count; False if we were told to stop before Redis answered."""
        # Before the loop, and not beside its first step: both would join.
        looking = asyncio.create_task(self._look())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not looking.done():
                return False
            await looking
        finally:
            await _cancelled([looking, stopping])
        get_logger().info(
            "sink_started",
            sink=self._plan.name,
            where=self._sink.where,
            group=self._plan.group,
            consumer=self._consumer.name,
        )
        return True

    async def _write(self, events: list[Event]) -> bool:
        """Write a batch; False if the sink was away until we were told to stop: then it comes again."""
        try:
            written = await self._until_available(self._sink.write, events)
        except SinkUnavailable:
            return False
        for event in events:
            if why := written.rejected.get(event.id):
                await self._consumer.reject(event, why)
        self._wrote_at = self._clock.monotonic()
        self._count(written)
        return True

    def _count(self, written: Written) -> None:
        self.totals.written += written.new
        self.totals.repeats += written.repeats
        self.totals.rejected += len(written.rejected)
        if self.totals.behind:
            self.totals.behind = max(0, self.totals.behind - written.new - written.repeats)
        self.totals.owed = self._sink.owed
        self._display.show(self.totals)

    async def _until_available(self, call: Callable[..., Awaitable[_T]], *args: object) -> _T:
        """What the call returns. Raises SinkUnavailable when we are told to stop while it fails by that."""
        first_s, longest_s = _BACKOFF_S
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(SinkUnavailable),
            wait=wait_random_exponential(multiplier=first_s, max=longest_s),
            # It asks the event for nothing but whether it is set.
            stop=stop_when_event_set(cast("threading.Event", self._stopping)),
            sleep=lambda seconds: pause(self._stopping, seconds),
            before_sleep=self._note_away,
            reraise=True,
        )
        result: _T = await attempts(call, *args)
        if self._away_since is not None:
            down_s = self._clock.monotonic() - self._away_since
            get_logger().info("sink_resumed", sink=self._plan.name, down_s=round(down_s, 3))
            self._away_since = None
        return result

    def _note_away(self, state: RetryCallState) -> None:
        if self._away_since is None and state.outcome is not None:
            self._away_since = self._clock.monotonic()
            error = str(state.outcome.exception())
            get_logger().warning("sink_waiting", sink=self._plan.name, error=error)

    async def _attend(self) -> None:
        try:
            await self._sink.attend()
        except Exception:
            self.stop("failed")  # `run` raises it, once the batch at hand is written
            raise

    async def _watch(self) -> None:
        look_at = 0.0
        while True:
            await self._clock.sleep(_TICK_S)
            began = self._clock.monotonic()
            if began < look_at and not self._may_be_empty(began):
                continue
            await self._look()
            if self._plan.until_empty and self.totals.behind == 0 and self._sink.owed == 0:
                self.stop("empty")
            now = self._clock.monotonic()
            look_at = now + min(max(_LOOK_EVERY_S[0], _LOOK_SHARE * (now - began)), _LOOK_EVERY_S[1])

    def _may_be_empty(self, now: float) -> bool:
        """Whether nothing came for a while, and little was left: counting is cheap then, and urgent."""
        is_quiet = now - self._wrote_at >= _QUIET_S and self._away_since is None
        return self._plan.until_empty and is_quiet and (self.totals.behind or 0) <= _FEW

    async def _look(self) -> None:
        self.totals.behind = await self._consumer.lag()
        self.totals.owed = self._sink.owed
        self._display.show(self.totals)


async def _cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel them, and return once all have ended; what they ended by stays in them."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
