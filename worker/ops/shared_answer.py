"""One answer for all who ask: however many look at a worker, Redis is asked at a bounded rate."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from worker.clock import Clock

T = TypeVar("T")

#: An answer that took long is kept for so many times as long: looking takes a third of the time at most.
_REST = 2


class SharedAnswer(Generic[T]):
    """What `ask` says, at most `max_age_s` old unless asking itself takes long. `ask` must not raise."""

    def __init__(self, ask: Callable[[], Awaitable[T]], *, max_age_s: float, clock: Clock) -> None:
        self._ask = ask
        self._max_age_s = max_age_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._answer: T | None = None
        self._good_until = 0.0

    async def get(self) -> T:
        """The answer that is there, or a new one; who asks meanwhile waits for the same."""
        async with self._lock:
            began = self._clock.monotonic()
            if self._answer is None or began >= self._good_until:
                self._answer = await self._ask()
                ended = self._clock.monotonic()
                self._good_until = ended + max(self._max_age_s, _REST * (ended - began))
            return self._answer
