"""The feeder: claims the feeds that are due and looks at them, some at once; any number may run."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from worker import __version__
from worker.errors import StoreUnusable
from worker.feeds.schedule import Bounds
from worker.fetch.budget import BodyBudget
from worker.fetch.gate import RobotsGate
from worker.runtime.feed_look import Looks
from worker.runtime.feed_reader import FeedReader
from worker.runtime.feed_room import Room
from worker.runtime.parts import fetcher_of
from worker.runtime.pause import pause
from worker.runtime.polite import Polite
from worker.store.feeds import FeedLease, Feeds, LeaseLost
from worker.store.headroom import Headroom
from worker.store.robots_cache import RobotsCache
from worker.store.turns import Turns
from worker.telemetry.log import get_logger, told
from worker.telemetry.pulse import unheard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worker.clock import Clock
    from worker.settings import Settings
    from worker.store.connection import Connection
    from worker.store.keys import Keys
    from worker.telemetry.pulse import Beat

#: How often to look for feeds that others have added.
_LOOK_EVERY_S = 1.0
#: For how long Redis may keep us from ending.
_GIVE_BACK_S = 2.0


class Feeder:
    """Looks at up to `concurrency` feeds at once. `once`: it ends when none is due, or there is no room."""

    def __init__(self, looks: Looks, *, concurrency: int, lease_s: float, once: bool = False) -> None:
        self._looks = looks
        self._concurrency = concurrency
        self._lease_s = lease_s
        self._once = once

    async def run(self, stopping: asyncio.Event, beat: Beat = unheard) -> None:
        """Look at feeds until `stopping`; looks under way are dropped then, and others take them up."""
        working: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            while not stopping.is_set():
                beat()
                wait_s: float | None = _LOOK_EVERY_S
                if len(working) < self._concurrency:
                    full = await self._looks.room.is_full()
                    claimed = None if full else await self._looks.feeds.claim()
                    if isinstance(claimed, FeedLease):
                        task = group.create_task(self._work(claimed))
                        working.add(task)
                        task.add_done_callback(working.discard)
                        continue
                    wait_s = claimed
                    if self._once and not working:
                        return
                await _first_of(working, stopping, min(wait_s or _LOOK_EVERY_S, _LOOK_EVERY_S))
            for task in working:
                task.cancel()

    async def _work(self, lease: FeedLease) -> None:
        log = get_logger(feed_id=lease.feed.id, feed=lease.feed.url)
        try:
            await self._looked(lease)
        except LeaseLost as lost:
            log.warning("feed_lease_lost", step=lost.step)
        except StoreUnusable:
            raise
        except asyncio.CancelledError:
            # Given back at once, and not as by one who has died.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._looks.feeds.finish(lease, due_s=0, fields={}), _GIVE_BACK_S)
            raise
        except Exception as error:
            # The lease stays ours until it runs out: the feed is looked at again, as after a crash.
            log.error("internal_error", where="feed", **told(error))

    async def _looked(self, lease: FeedLease) -> None:
        """Look at the feed, and keep the lease meanwhile. Raises LeaseLost, and what the look raises."""
        looking = asyncio.ensure_future(self._looks.look(lease))
        keeping = asyncio.ensure_future(self._keep(lease))
        try:
            await asyncio.wait({looking, keeping}, return_when=asyncio.FIRST_COMPLETED)
            await (looking if looking.done() else keeping)
        finally:
            for each in (looking, keeping):
                each.cancel()
            await asyncio.gather(looking, keeping, return_exceptions=True)

    async def _keep(self, lease: FeedLease) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            if not await self._looks.feeds.extend(lease):
                raise LeaseLost("keep")


async def _first_of(working: set[asyncio.Task[None]], stopping: asyncio.Event, seconds: float) -> None:
    """Return when a look has ended, a stop is asked for, or the time is over."""
    ended = asyncio.Event()

    def wake(_: object) -> None:
        ended.set()

    stop = asyncio.ensure_future(stopping.wait())
    for each in (stop, *working):
        each.add_done_callback(wake)
    try:
        await pause(ended, seconds)
    finally:
        stop.cancel()
        for each in working:
            each.remove_done_callback(wake)


@asynccontextmanager
async def feeder_of(
    settings: Settings, connection: Connection, keys: Keys, clock: Clock, *, once: bool = False
) -> AsyncIterator[Feeder]:
    """A feeder with its tools, and a word in the log when it starts and when it ends."""
    feeds = Feeds(connection, keys, lease_s=settings.lease_s, seen_days=settings.feed_seen_days)
    turns = Turns(connection, keys)
    cache = RobotsCache(connection, keys, ttl_s=settings.robots_ttl_s, grouping=settings.host_grouping)
    async with AsyncExitStack() as stack:
        fetcher = await stack.enter_async_context(
            fetcher_of(settings.model_copy(update={"body_limit_bytes": settings.feed_limit_bytes}))
        )
        if settings.address_slots:
            turns.hosts.address_of = fetcher.address_of
        gate = RobotsGate(
            cache,
            fetcher,
            user_agent=settings.user_agent,
            pause_s=settings.host_spacing_s,
            turn_s=settings.lease_s,
            clock=clock,
        )
        reader = FeedReader(settings)
        headroom = Headroom(connection, share=settings.redis_memory_share, clock=clock)
        await stack.enter_async_context(reader.pool)
        looks = Looks(
            feeds=feeds,
            polite=Polite(fetcher, gate, turns, settings, clock),
            reader=reader,
            room=Room(connection, keys, headroom=headroom, limit=settings.frontier_limit, clock=clock),
            bounds=Bounds(settings.feed_interval_min_s, settings.feed_interval_max_s),
            max_crashes=settings.max_crashes,
            clock=clock,
            hold=BodyBudget(settings.feed_limit_bytes).share,
        )
        get_logger().info(
            "feeder_started",
            version=__version__,
            pid=os.getpid(),
            redis=connection.where,
            namespace=settings.namespace,
            feeds=await feeds.count(),
            concurrency=settings.feed_concurrency,
        )
        yield Feeder(looks, concurrency=settings.feed_concurrency, lease_s=settings.lease_s, once=once)
        get_logger().info("feeder_stopped", looked=looks.tally.looked, pushed=looks.tally.pushed)


async def watch_feeds(
    settings: Settings,
    connection: Connection,
    keys: Keys,
    *,
    stopping: asyncio.Event,
    clock: Clock,
    beat: Beat = unheard,
    once: bool = False,
) -> None:
    """Look at feeds until `stopping`; with `once`, until none is due."""
    async with feeder_of(settings, connection, keys, clock, once=once) as feeder:
        await feeder.run(stopping, beat)
