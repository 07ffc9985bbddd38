"""How much all bodies in work may hold together, from their first byte until their pages have been read."""

from __future__ import annotations

import asyncio
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
        self._released = asyncio.Event()

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
            del self._held[share]
            self._released.set()

    async def grow(self, share: _Share, size_bytes: int) -> None:
        """Wait until `share` may hold so many bytes more."""
        while sum(self._held.values()) + size_bytes > self._limit_bytes and not self._is_largest(share):
            self._released.clear()
            await self._released.wait()
        self._held[share] += size_bytes

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
