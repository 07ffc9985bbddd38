"""The library for consumers, for programs without an event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Self, TypedDict, TypeVar

from worker.events.consumer import ArticleConsumer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from datetime import datetime
    from typing import Any, Unpack

    from worker.events.event import Event
    from worker.events.subscription import Stream

_T = TypeVar("_T")


class Options(TypedDict, total=False):
    """What `ArticleConsumer` takes beside the URL and the group."""

    prefix: str
    consumer: str | None
    streams: tuple[Stream, ...]
    partitions: int | None
    start: str | datetime
    batch: int
    idle_ms: int
    max_deliveries: int
    end_when_quiet_s: float | None
    one_per_cluster: bool
    timeout_s: float


class SyncArticleConsumer:
    """As `ArticleConsumer`, which runs on a thread of its own: its signs of life do not wait for the body.

        with SyncArticleConsumer("redis://127.0.0.1:6379/0", group="search") as consumer:
            for event in consumer:
                index(event.id, event.article)

    For one thread at a time; `stop` may be called from any, and from signal handlers.
    """

    def __init__(self, redis_url: str, *, group: str, **options: Unpack[Options]) -> None:
        self._consumer = ArticleConsumer(redis_url, group=group, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ingest-consumer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        """The events one by one; coming back for the next acknowledges the one before."""
        self._wait(_called(self._consumer.__aiter__))
        while (event := self._wait(_or_none(self._consumer.__anext__()))) is not None:
            yield event

    def batches(self, max_events: int = 100, max_wait_s: float = 1.0) -> Iterator[list[Event]]:
        """As `ArticleConsumer.batches`."""
        lists = self._wait(_called(self._consumer.batches, max_events, max_wait_s))
        while (events := self._wait(_or_none(lists.__anext__()))) is not None:
            yield events

    def stop(self) -> None:
        """End the loop after what is in hand, which is acknowledged. For signal handlers, too."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._consumer.stop)

    def acknowledge(self, *events: Event) -> None:
        """As `ArticleConsumer.acknowledge`."""
        self._wait(self._consumer.acknowledge(*events))

    def reject(self, event: Event, reason: str) -> None:
        """As `ArticleConsumer.reject`."""
        self._wait(self._consumer.reject(event, reason))

    def leave(self, *events: Event) -> None:
        """As `ArticleConsumer.leave`."""
        self._wait(_called(self._consumer.leave, *events))

    def lag(self) -> int:
        """As `ArticleConsumer.lag`."""
        return self._wait(self._consumer.lag())

    def close(self) -> None:
        """Give back what was read ahead, disconnect, and end the thread."""
        if self._loop.is_closed():
            return
        self._wait(self._consumer.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C: no call goes on that nobody waits for
            raise


async def _called(function: Callable[..., _T], *args: object) -> _T:
    return function(*args)  # by the thread that all else of the consumer runs on


async def _or_none(step: Any) -> Any:
    # A StopAsyncIteration cannot be the result of a future.
    try:
        return await step
    except StopAsyncIteration:
        return None
