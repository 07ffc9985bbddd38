"""What this process holds leases for at this moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.clock import Clock
    from worker.model import Lease


@dataclass(frozen=True, slots=True)
class Held:
    """A lease and the asyncio task that works on it."""

    lease: Lease
    worker: asyncio.Task[None]
    ended: bool = False  # the lease is; what is left to do needs none


class InWork:
    """Leases by their key, with a signal for each change."""

    def __init__(self, clock: Clock) -> None:
        self._held: dict[tuple[int, int], Held] = {}
        self._clock = clock
        self._progressed_at = 0.0
        self.changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        return iter(tuple(self._held.values()))

    @property
    def stalled_s(self) -> float:
        """Seconds in which no work ended though there was some; 0 with nothing in work."""
        return self._clock.monotonic() - self._progressed_at if self._held else 0.0

    def add(self, lease: Lease, worker: asyncio.Task[None]) -> None:
        """Hold a lease until its worker is done."""
        if not self._held:
            self._progressed_at = self._clock.monotonic()
        self._held[lease.key] = Held(lease, worker)
        worker.add_done_callback(lambda _: self._drop(lease.key))

    def _drop(self, key: tuple[int, int]) -> None:
        self._held.pop(key, None)
        self._progressed_at = self._clock.monotonic()
        self.changed.set()

    def ended(self, lease: Lease) -> None:
        """Note that the lease has ended, and its worker has something left to do."""
        if held := self._held.get(lease.key):
            self._held[lease.key] = replace(held, ended=True)

    def extended(self, lease: Lease, expires_monotonic: float) -> None:
        """Note that a lease runs longer now."""
        if held := self._held.get(lease.key):
            self._held[lease.key] = replace(
                held, lease=replace(held.lease, expires_monotonic=expires_monotonic)
            )

    def expires_monotonic(self, lease: Lease) -> float:
        """When the lease ends, extensions counted."""
        held = self._held.get(lease.key)
        return (held.lease if held else lease).expires_monotonic
