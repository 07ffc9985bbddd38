"""A process of `make chaos-consumers`: reads events by the library, and keeps which ones it has handled."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from typing import TYPE_CHECKING, Literal

from worker.events import ArticleConsumer
from worker.lifeline import die_with_parent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from worker.events import Event

Kind = Literal["loop", "lists", "hoard"]
GROUP = "chaos"
IDLE_MS = 2000
#: More than an event that does no harm can come to by being in hand when its process is killed.
MAX_DELIVERIES = 50
HOARDED = 150
_SLOWEST_S = 0.01


def read(number: int, url: str, folder: Path, kind: Kind) -> None:
    """Read until SIGTERM. What was handled stands in `folder`, in a file of this process's own."""
    die_with_parent(os.getppid())
    # Of the driver's own terminal: a Ctrl-C there ends us by the end of our parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with (folder / f"{number}.log").open("ab", buffering=0) as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    asyncio.run(_read(number, url, folder, kind))


async def _read(number: int, url: str, folder: Path, kind: Kind) -> None:
    rng = random.Random(number)
    consumer = ArticleConsumer(
        url,
        group=GROUP,
        idle_ms=IDLE_MS,
        max_deliveries=MAX_DELIVERIES,
        batch=HOARDED if kind == "hoard" else rng.choice((1, 20, 50)),
        timeout_s=1,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, consumer.stop)
    with (folder / f"{number}.handled").open("ab", buffering=0) as handled:
        async with consumer:
            async for events in _lists(consumer, kind):
                while kind == "hoard" and not (folder / "release").exists():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                await asyncio.sleep(rng.random() * _SLOWEST_S)
                for event in events:
                    handled.write(f"{event.id} {event.stream}/{event.entry} {event.deliveries}\n".encode())
                if rng.random() < 0.5:  # a death here is one between handling and acknowledging
                    await asyncio.sleep(rng.random() * _SLOWEST_S)


async def _lists(consumer: ArticleConsumer, kind: Kind) -> AsyncIterator[Sequence[Event]]:
    if kind == "loop":
        async for event in consumer:
            yield [event]
        return
    size, wait_s = (HOARDED, 30.0) if kind == "hoard" else (8, 0.02)
    async for events in consumer.batches(size, wait_s):
        yield events


def read_until_poison(number: int, url: str, folder: Path, poison: str) -> None:
    """Read as `read` does, until there is nothing left for a while; the event `poison` kills this process."""
    die_with_parent(os.getppid())
    asyncio.run(_read_until_poison(number, url, folder, poison))


async def _read_until_poison(number: int, url: str, folder: Path, poison: str) -> None:
    consumer = ArticleConsumer(
        url, group=GROUP, idle_ms=300, max_deliveries=4, batch=20, end_when_quiet_s=1.5
    )
    with (folder / f"{number}.handled").open("ab", buffering=0) as handled:
        async with consumer:
            async for event in consumer:
                if event.id == poison:
                    os.kill(os.getpid(), signal.SIGKILL)
                handled.write(f"{event.id} {event.stream}/{event.entry} {event.deliveries}\n".encode())
