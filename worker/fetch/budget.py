"""How much all bodies in work may hold together, from their first byte until their pages have been read."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class BodyBudget:
    """Lets bodies grow while they hold `limit_bytes` at most together.

    Beyond that they wait, all but the largest: it goes on, or is read by now, so that they never wait for
    each other in a ring, nor for a server that drips. The most that is held is the limit and one body.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held: dict[_Share, int] = {}
        self._held_bytes = 0
        #: First come, first served. Whoever makes room wakes those it is enough for, and no others: each
        #: page that ends would wake all that wait otherwise, which cost 0.8 ms a page with 50 of them.
        self._waiting: deque[tuple[_Share, int, asyncio.Future[None]]] = deque()

    @contextmanager
    def share(self) -> Iterator[None]:
        """Count what `take` takes within, in this task and those it starts, until the block ends."""
        share = _Share(self)
        self._held[share] = 0
        token = _SHARE.set(share)
        try:
            yield
        finally:
            _SHARE.reset(token)
            self._held_bytes -= self._held.pop(share)
            self._wake()

    async def grow(self, share: _Share, size_bytes: int) -> None:
        """Wait until `share` may hold so many bytes more."""
        if (not self._waiting and self._has_room_for(size_bytes)) or self._is_largest(share):
            self._give(share, size_bytes)
            return
        woken = asyncio.get_running_loop().create_future()
        place = (share, size_bytes, woken)
        self._waiting.append(place)
        try:
            await woken
        except asyncio.CancelledError:
            if place in self._waiting:
                self._waiting.remove(place)
                self._wake()  # who stood behind may need less
            raise

    def _has_room_for(self, size_bytes: int) -> bool:
        return self._held_bytes + size_bytes <= self._limit_bytes

    def _give(self, share: _Share, size_bytes: int) -> None:
        self._held[share] += size_bytes
        self._held_bytes += size_bytes

    def _wake(self) -> None:
        while self._waiting and self._has_room_for(self._waiting[0][1]):
            self._grant(self._waiting.popleft())
        if not self._waiting:
            return
        # Who was the largest may have gone: whoever is it now must not wait.
        most = max(self._held.values())
        for place in tuple(self._waiting):
            if self._held[place[0]] == most:
                self._waiting.remove(place)
                self._grant(place)
                return

    def _grant(self, place: tuple[_Share, int, asyncio.Future[None]]) -> None:
        share, size_bytes, woken = place
        # Given here and not by who is woken, which gets to run only later: the room is another one's by then.
        if not woken.done():
            self._give(share, size_bytes)
            woken.set_result(None)

    def _is_largest(self, share: _Share) -> bool:
        return self._held[share] == max(self._held.values())


class _Share:
    """What one body holds."""

    def __init__(self, budget: BodyBudget) -> None:
        self.budget = budget


_SHARE: ContextVar[_Share | None] = ContextVar("share", default=None)


async def take(size_bytes: int) -> None:
    """Wait until the body that is being read may grow by so much; at once where nobody counts."""
    if share := _SHARE.get():
        await share.budget.grow(share, size_bytes)
