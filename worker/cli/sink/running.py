"""A sink of the command line: its consumer group, its signals, its end."""

from __future__ import annotations

import asyncio
import importlib
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.cli.failures import WrongSettings
from worker.cli.sink.place import settle_place
from worker.cli.sink.show import display
from worker.errors import SinkUnusable
from worker.events import ArticleConsumer
from worker.sinks.pump import Plan, Pump
from worker.telemetry.log import configure_logging

if TYPE_CHECKING:
    from datetime import datetime

    from worker.events.subscription import Stream
    from worker.settings import Settings
    from worker.sinks.sink import Sink

#: A sink rejects by itself what it cannot keep: an event that was there at many kills is none of these.
_MAX_DELIVERIES = 100
#: While there is an end to come to, a batch is not waited for longer.
_WAIT_AT_THE_END_S = 1.0
_NEEDS = {
    "parquet": ("worker.sinks.parquet:ParquetSink", "pyarrow"),
    "postgres": ("worker.sinks.postgres:PostgresSink", "asyncpg"),
    "jsonl": ("worker.sinks.jsonl:JsonlSink", ""),
    "webhook": ("worker.sinks.webhook:WebhookSink", ""),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What all sinks are told on the command line."""

    group: str
    streams: tuple[Stream, ...]
    start: str | datetime | None  # None: not said
    batch: int
    wait_s: float
    idle_s: float
    until_empty: bool
    moved: bool


def sink_of(name: str) -> Any:
    """The class of a sink, imported now. Raises WrongSettings for one whose library is not installed."""
    where, library = _NEEDS[name]
    module, _, kind = where.partition(":")
    try:
        return getattr(importlib.import_module(module), kind)
    except ModuleNotFoundError as error:
        if not library or (error.name or "").partition(".")[0] != library:
            raise
        raise WrongSettings(
            f"`ingest sink {name}` needs {library}, which is not installed: "
            f"pip install 'ingest-worker[{name}]'"
        ) from error


async def run_sink(settings: Settings, name: str, sink: Sink, wishes: Wishes, place: str) -> None:
    """Run it until a signal, or until all is written if that is wished. Redis keeps `place`, in the open.

    Raises WrongSettings for a place that cannot be written to, or another one than the group's, and
    SinkUnusable when it becomes so.
    """
    await settle_place(settings, wishes, place)
    consumer = ArticleConsumer(
        settings.redis_url,
        group=wishes.group,
        prefix=settings.namespace,
        streams=wishes.streams,
        partitions=settings.partitions,
        start=wishes.start or "0",
        batch=wishes.batch,
        idle_ms=int(wishes.idle_s * 1000),
        max_deliveries=_MAX_DELIVERIES,
        timeout_s=settings.redis_timeout_s,
    )
    wait_s = min(wishes.wait_s, _WAIT_AT_THE_END_S) if wishes.until_empty else wishes.wait_s
    plan = Plan(name, wishes.group, wishes.batch, wait_s, until_empty=wishes.until_empty)
    async with consumer:
        with display(sink.where) as (shown, stream):
            configure_logging(settings.log_format, settings.log_level, settings.mask_query, stream)
            pump = Pump(consumer, sink, plan, shown)
            _on_signals(pump)
            try:
                is_open = await pump.open()
            except SinkUnusable as error:
                raise WrongSettings(str(error)) from error
            if is_open:
                await pump.run()


def _on_signals(pump: Pump) -> None:
    """The first one ends it after the batch at hand, the second one at once."""
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    asked: list[int] = []

    def ask(signum: int) -> None:
        asked.append(signum)
        pump.stop(signal.Signals(signum).name)
        if len(asked) > 1 and main is not None:
            main.cancel()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, ask, signum)
