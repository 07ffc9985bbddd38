"""`Ingest`: the whole pipeline in an asyncio program of one's own, with hooks."""

from __future__ import annotations

import asyncio
import inspect
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self, TypeVar

import orjson

from worker.fetch.gate import Unshared
from worker.hooks import AfterExtract, BeforeFetch, Hooks, OnEvent
from worker.library.alone import Alone, opened
from worker.runtime.emptiness import stop_when_empty
from worker.runtime.parts import archive_of, connection_of
from worker.runtime.supervisor import Stop, run_worker
from worker.settings import load_settings
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.telemetry.log import log_to_standard_library
from worker.urls import parse_item

if TYPE_CHECKING:
    from types import TracebackType

    from worker.model import Article
    from worker.settings import Settings

_BeforeFetch = TypeVar("_BeforeFetch", bound=BeforeFetch)
_AfterExtract = TypeVar("_AfterExtract", bound=AfterExtract)
_OnEvent = TypeVar("_OnEvent", bound=OnEvent)

#: How long `add` waits for Redis. `run` waits without end, as a worker does.
_PATIENCE_S = 3.0


class Ingest:
    """A worker inside of a program, as an async context manager.

        async with Ingest(redis_url="redis://127.0.0.1:6379/0") as ingest:
            await ingest.add("https://example.com/news/1")
            await ingest.run(until_empty=True)

    Settings are given by their names without `INGEST_`, in lower case, and win over the environment's. The
    log goes to the standard library's logger `ingest`; no signal is handled. Run it in the main thread: the
    processes that read pages end with the thread that started them.
    """

    def __init__(self, *, hook_timeout_s: float = 60.0, **settings: object) -> None:
        """Raises Misconfigured with a sentence for each setting that cannot be."""
        self.settings: Settings = load_settings(os.environ, **settings)
        self._hooks = Hooks(timeout_s=hook_timeout_s)
        self._closing: AsyncExitStack | None = None
        self._opening = asyncio.Lock()
        self._inbox: Inbox | None = None
        self._alone: Alone | None = None
        self._stop: Stop | None = None

    async def __aenter__(self) -> Self:
        log_to_standard_library(self.settings.log_level, self.settings.mask_query)
        self._closing = await AsyncExitStack().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        closing, self._closing = self._opened(), None
        await closing.aclose()
        self._inbox = self._alone = None

    def before_fetch(self, hook: _BeforeFetch) -> _BeforeFetch:
        """Ask `hook` before each request for a page; usable as a decorator."""
        self._hooks.before_fetch.append(_checked(hook))
        return hook

    def after_extract(self, hook: _AfterExtract) -> _AfterExtract:
        """Ask `hook` once a page has been read; usable as a decorator."""
        self._hooks.after_extract.append(_checked(hook))
        return hook

    def on_event(self, hook: _OnEvent) -> _OnEvent:
        """Tell `hook` of what was published; usable as a decorator."""
        self._hooks.on_event.append(_checked(hook))
        return hook

    async def add(self, url: str, **wishes: Any) -> None:
        """Push a URL to the queue; `wishes` are an item's other fields (`meta`, `priority`, `force`, …).

        Raises Malformed for what no worker would accept, and StoreUnavailable when Redis stays away. Whether
        the URL is a duplicate is found out when a worker takes it.
        """
        item = orjson.dumps({"url": url, **wishes})
        parse_item(item, self.settings.host_grouping)
        await (await self._queue()).push([item])

    async def run(self, *, until_empty: bool = False) -> None:
        """Be a worker until `stop`, or until nothing is queued, waiting or in work.

        Cancelled, it gives back at once what it holds, uncounted, and then ends. Raises StoreUnusable when
        Redis refuses it for good, WorkerFailed for a fault of ours, RuntimeError while it runs already.
        """
        self._opened()
        if self._stop is not None:
            raise RuntimeError("it runs already: one run at a time")
        stop = self._stop = Stop()
        worker = asyncio.create_task(self._work(stop, until_empty=until_empty))
        try:
            await asyncio.shield(worker)
        except asyncio.CancelledError:
            stop.ask("cancelled")
            stop.ask("cancelled")
            await asyncio.wait({worker})
            raise
        finally:
            self._stop = None

    def stop(self) -> None:
        """Let `run` end what is in work, for at most `drain_s`; asked again, give that back at once."""
        if self._stop is not None:
            self._stop.ask("stopped by the program")

    async def article(self, url: str) -> Article:
        """The article at `url`, without Redis: fetched as a worker would, once, redirects followed.

        robots.txt, the host's spacing between such calls and all limits hold; `before_fetch` and
        `after_extract` are asked, and nothing is published. Raises NoArticle, and Malformed for what is no
        URL.
        """
        return await (await self._pipeline()).article(url)

    async def _work(self, stop: Stop, *, until_empty: bool) -> None:
        watch = asyncio.create_task(stop_when_empty(self.settings, stop)) if until_empty else None
        try:
            await run_worker(self.settings, stop, hooks=self._hooks)
        finally:
            if watch is not None:
                watch.cancel()
                await asyncio.wait({watch})

    def _opened(self) -> AsyncExitStack:
        if self._closing is None:
            raise RuntimeError("open it first: async with Ingest(…) as ingest")
        return self._closing

    async def _queue(self) -> Inbox:
        async with self._opening:
            if self._inbox is None:
                settings, connecting = self.settings, connection_of(self.settings, patience_s=_PATIENCE_S)
                connection = await self._opened().enter_async_context(connecting)
                keys = Keys(settings.namespace, settings.partitions)
                self._inbox = Inbox(connection, keys, worker="library", seen_days=settings.seen_days)
            return self._inbox

    async def _pipeline(self) -> Alone:
        async with self._opening:
            if self._alone is None:
                closing = self._opened()
                recorder = await closing.enter_async_context(archive_of(self.settings))
                opening = opened(
                    self.settings, Unshared(), hooks=self._hooks, processes=None, recorder=recorder
                )
                self._alone = await closing.enter_async_context(opening)
            return self._alone


def _checked(hook: Any) -> Any:
    # A plain function would be found out in each URL's dead letter.
    if not (inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(type(hook).__call__)):
        raise TypeError(f"{hook!r} is no coroutine function: a hook is an `async def`")
    return hook
