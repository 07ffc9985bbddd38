"""What a worker shows to its ops port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from worker.extract.pool import ExtractionPool
    from worker.settings import Settings
    from worker.store.connection import Connection
    from worker.telemetry.pulse import Pulses
    from worker.telemetry.stats import Stats


class InWork(Protocol):
    """What this process holds leases for."""

    def __len__(self) -> int:
        """How many leases."""
        ...

    @property
    def stalled_s(self) -> float:
        """Seconds in which no work ended though there was some."""
        ...


class Working(Protocol):
    """The parts of a worker that has begun to work."""

    @property
    def stats(self) -> Stats:
        """Its counters."""
        ...

    @property
    def in_work(self) -> InWork:
        """Its leases."""
        ...

    @property
    def pool(self) -> ExtractionPool:
        """Its extraction processes."""
        ...


@dataclass(slots=True)
class Vitals:
    """A worker from its first moment; `parts` is None until Redis has let it in."""

    settings: Settings
    worker: str
    connection: Connection
    pulses: Pulses
    stopping: asyncio.Event
    parts: Working | None = None
