"""The supervisor: starts a worker's loops, and ends them in the order that loses nothing.

First signal: no more claims, and what is in work has `drain_s` to end. Second signal, or the end of that
time: what is left is given back, uncounted, to be the next of its host. Redis away meanwhile: the leases run
out by themselves.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from worker import __version__
from worker.clock import SystemClock
from worker.errors import StoreUnusable, WorkerFailed, first_of
from worker.hooks import NO_HOOKS, Hooks
from worker.ops.server import ops_port
from worker.ops.vitals import Vitals
from worker.runtime.admitter import Admitter
from worker.runtime.feeder import watch_feeds
from worker.runtime.host_rules import RulesReloader, policy_of
from worker.runtime.keeper import Keeper
from worker.runtime.last_words import last_words
from worker.runtime.listener import Listener, looks_every_s
from worker.runtime.parts import Parts, assembled, connection_of, worker_name
from worker.runtime.pause import pause
from worker.runtime.prospects import Prospects
from worker.runtime.reaper import Reaper
from worker.runtime.reporter import Reporter
from worker.runtime.runner import Runner
from worker.runtime.suspects import NAMED, SuspectInterlude, SuspectRunner, SuspectWatch
from worker.settings import host_rules
from worker.store.headroom import Headroom
from worker.store.settling import Settled
from worker.telemetry.log import configure_logging, get_logger, told
from worker.telemetry.pulse import Pulses

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from worker.runtime.last_words import LastWords
    from worker.settings import Settings

#: After the drain, for giving leases back and the last words, before everything is cut off.
_LAST_WORDS_S = 5.0
#: A worker's inbox items are adopted by others once it has been silent for so long, at least.
_SHORTEST_BEAT_TTL_S = 5.0


class Stop:
    """`stopping` after the first signal, `hurry` after the second; `reload` after SIGHUP."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.hurry = asyncio.Event()
        self.reload = asyncio.Event()
        self.reason = "done"

    def ask(self, reason: str) -> None:
        """Stop; asked again, stop at once."""
        if self.stopping.is_set():
            self.hurry.set()
        else:
            self.reason = reason
            self.stopping.set()

    def on_signals(self, *, reloads: bool = False) -> None:
        """Let SIGTERM and SIGINT ask. Unless something `reloads`, SIGHUP keeps its meaning: the end."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self.ask, signal.Signals(signum).name)
        if reloads:
            loop.add_signal_handler(signal.SIGHUP, self.reload.set)


async def run_worker(
    settings: Settings, stop: Stop, *, worker: str | None = None, hooks: Hooks | None = None
) -> None:
    """Run a worker until it is told to stop. Raises StoreUnusable when Redis refuses it for good.

    Raises Misconfigured for a faulty hosts' file. With `hooks` it runs in a program of one's own, which has
    set up the log, and suspects run there.
    """
    rules = host_rules(settings)
    name = worker or worker_name()
    if hooks is None:
        configure(settings, name, stop)
    async with connection_of(settings, patience_s=None, logged=True) as connection, AsyncExitStack() as stack:
        vitals = Vitals(settings, name, connection, Pulses(SystemClock()), stop.stopping)
        await stack.enter_async_context(ops_port(vitals))
        words = stack.enter_context(last_words(stop, SystemClock()))
        try:
            if not await _unless_stopped(connection.check(), stop):
                return
        except StoreUnusable as error:
            stop.reason = "redis unusable"
            get_logger().error("redis_unusable", error=str(error))
            raise
        async with assembled(settings, worker=name, connection=connection, hooks=hooks or NO_HOOKS) as parts:
            vitals.parts = parts
            politeness = parts.frontier.hosts.configure(policy_of(settings), rules)
            if await _unless_stopped(politeness, stop):
                words.stats = parts.stats
                words.released = await _supervise(parts, stop, vitals.pulses, in_program=hooks is not None)


async def run_suspects(settings: Settings, stop: Stop) -> None:
    """Run the suspects' process until none waits, until it is told to stop, or until its worker is gone."""
    name = f"{worker_name()}{NAMED}"
    configure(settings, name, stop)
    _stop_at_end_of_stdin(stop)
    with last_words(stop, SystemClock()) as words:
        await _work_off_suspects(settings, stop, name, words)


async def _work_off_suspects(settings: Settings, stop: Stop, name: str, words: LastWords) -> None:
    async with (
        connection_of(settings, patience_s=None, logged=True) as connection,
        assembled(settings, worker=name, connection=connection, extract_processes=1) as parts,
    ):
        words.stats = parts.stats
        runner = SuspectRunner(parts.frontier, parts.work, parts.in_work)

        async def run_to_the_last() -> None:
            await runner.run(stop.stopping)
            stop.ask("no suspect waits")

        words.released = await _run_loops(parts, stop, [run_to_the_last()], Pulses(parts.clock))


def configure(settings: Settings, worker: str | None, stop: Stop | None = None) -> None:
    """Set up the log as the settings say. With `stop`, a reader that goes away ends the worker."""
    configure_logging(
        settings.log_format,
        settings.log_level,
        settings.mask_query,
        worker=worker,
        on_broken_pipe=None if stop is None else lambda: stop.ask("stdout closed"),
    )


async def _supervise(parts: Parts, stop: Stop, pulses: Pulses, *, in_program: bool) -> int:
    """Run the worker to its end; returns how many leases went back."""
    settings, log = parts.settings, get_logger()
    log.info(
        "worker_started",
        version=__version__,
        pid=os.getpid(),
        redis=parts.connection.where,
        namespace=settings.namespace,
        partitions=settings.partitions,
        concurrency=settings.concurrency,
        extract_processes=settings.extract_processes,
    )
    try:
        return await _run_loops(
            parts, stop, _loops_of_a_worker(parts, stop, pulses, in_program=in_program), pulses
        )
    except* StoreUnusable as group:
        stop.reason = "redis unusable"
        log.error("redis_unusable", error=str(first_of(group)))
        raise
    except* Exception as group:
        stop.reason = "failed"
        log.error("internal_error", where="worker", **told(group))
        raise WorkerFailed("a fault of our own ended the worker: see internal_error in its log") from group


def _loops_of_a_worker(
    parts: Parts, stop: Stop, pulses: Pulses, *, in_program: bool
) -> list[Coroutine[Any, Any, None]]:
    settings, wake, alone = parts.settings, asyncio.Event(), asyncio.Lock()
    prospects = Prospects(parts.keys.partitions, parts.clock)
    headroom = Headroom(parts.connection, share=settings.redis_memory_share, clock=parts.clock)
    runner = Runner(
        parts.frontier,
        parts.work,
        parts.in_work,
        parts.stats,
        concurrency=settings.concurrency,
        max_backlog=settings.max_backlog,
        headroom=headroom,
        wake=wake,
        prospects=prospects,
        alone=alone,
    )
    admitter = Admitter(
        parts.connection,
        parts.keys,
        parts.inbox,
        frontier_limit=settings.frontier_limit,
        headroom=headroom,
        beat_ttl_s=max(settings.lease_s, _SHORTEST_BEAT_TTL_S),
        admitted=wake,
        expect=prospects.expect,
        stats=parts.stats,
        grouping=settings.host_grouping,
        clock=parts.clock,
        hooks=parts.hooks,
    )
    reaper = Reaper(parts.connection, parts.frontier, lease_s=settings.lease_s)
    # The process ends within our last words: it must not outlive us, nor the embedded Redis.
    environ = {"INGEST_REDIS_URL": settings.redis_url, "INGEST_DRAIN_S": str(_LAST_WORDS_S / 2)}
    watch: SuspectWatch | SuspectInterlude = SuspectWatch(parts.frontier, environ=environ)
    if in_program:
        watch = SuspectInterlude(parts.frontier, parts.work, parts.in_work, alone)
    reloader = RulesReloader(parts.frontier.hosts, settings, stop.reload)
    # Only a signal wakes the reloader: it has no pulse.
    loops = [
        runner.run(stop.stopping, pulses.of("runner", every_s=1)),
        admitter.run(stop.stopping, pulses.of("admitter", every_s=1)),
        reaper.run(stop.stopping, pulses.of("reaper", every_s=settings.lease_s / 4)),
        watch.run(stop.stopping, pulses.of("suspects", every_s=5)),
        Reporter(parts).run(stop.stopping, pulses.of("reporter", every_s=settings.stats_interval_s)),
        reloader.run(stop.stopping),
    ]
    if settings.silence_factor:
        beat = pulses.of("listener", every_s=looks_every_s(settings))
        loops.append(Listener(parts).run(stop.stopping, beat))
    if settings.feeds:
        beat = pulses.of("feeder", every_s=1)
        tools = (settings, parts.connection, parts.keys)
        loops.append(watch_feeds(*tools, stopping=stop.stopping, clock=parts.clock, beat=beat))
    return loops


async def _run_loops(parts: Parts, stop: Stop, loops: list[Coroutine[Any, Any, None]], pulses: Pulses) -> int:
    """Run the loops until a stop is asked for, then drain; returns how many leases went back."""
    ended = asyncio.Event()
    keeper = Keeper(parts.frontier, parts.in_work, lease_s=parts.settings.lease_s, clock=parts.clock)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(loop) for loop in loops]
        beat = pulses.of("keeper", every_s=parts.settings.lease_s / 3, in_drain=True)
        keeping = group.create_task(keeper.run(ended, beat))
        await stop.stopping.wait()
        released = await _drain(parts, stop)
        # With Redis away, a loop may be waiting for it: nothing more can be said to it, and leases run out.
        _, stuck = await asyncio.wait(running, timeout=_LAST_WORDS_S)
        ended.set()
        for task in (*stuck, keeping):
            task.cancel()
    return released


async def _drain(parts: Parts, stop: Stop) -> int:
    """Give what is in work its time; then give it back, as the next of its host. Returns how many."""
    in_work = parts.in_work
    get_logger().info("worker_stopping", reason=stop.reason, in_work=len(in_work))
    deadline = parts.clock.monotonic() + parts.settings.drain_s
    while len(in_work) and not stop.hurry.is_set() and (left := deadline - parts.clock.monotonic()) > 0:
        await pause(stop.hurry, min(left, 0.05))
    held = list(in_work)
    if not held:
        return 0
    for each in held:
        each.worker.cancel()
    await asyncio.wait({each.worker for each in held})
    released = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS_S):
            for each in held:
                released += await parts.frontier.release(each.lease) is Settled.DONE
    get_logger().info("leases_released", count=released)
    return released


async def _unless_stopped(answer: Coroutine[Any, Any, object], stop: Stop) -> bool:
    """Wait for `answer`, or for a stop, whichever comes first; whether the answer came."""
    asking = asyncio.create_task(_ignoring(answer))
    stopping = asyncio.create_task(_ignoring(stop.stopping.wait()))
    await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if asking.done():
        asking.result()
        return True
    asking.cancel()
    return False


async def _ignoring(answer: Coroutine[Any, Any, object]) -> None:
    await answer


def _stop_at_end_of_stdin(stop: Stop) -> None:
    """The worker that started us holds the other end: it closes however the worker ends."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(0, 1024):
            loop.remove_reader(0)
            stop.ask("its worker is gone")

    loop.add_reader(0, look)
