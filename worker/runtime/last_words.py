"""Last words of whatever writes a worker's log: without them, what it told of itself seems to last."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.clock import Clock
    from worker.runtime.supervisor import Stop
    from worker.telemetry.stats import Stats


@dataclass(slots=True)
class LastWords:
    """What `worker_stopped` is to tell."""

    stats: Stats | None = None  # None: it has not begun to work
    released: int = 0


@contextmanager
def last_words(stop: Stop, clock: Clock) -> Iterator[LastWords]:
    """Write `worker_stopped` however the block ends; `stop` says why."""
    words, began = LastWords(), clock.monotonic()
    try:
        yield words
    finally:
        counts = {
            name: words.stats.total(name) if words.stats else 0
            for name in ("published", "unchanged", "buried")
        }
        get_logger().info(
            "worker_stopped",
            reason=stop.reason,
            uptime_s=round(clock.monotonic() - began, 3),
            **counts,
            released=words.released,
        )
