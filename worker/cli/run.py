"""`ingest run`: a worker, with a private Redis if asked for."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from worker.cli.examples import examples
from worker.errors import StoreUnavailable
from worker.runtime.emptiness import stop_when_empty
from worker.runtime.memory import return_large_blocks
from worker.runtime.supervisor import Stop, configure, run_suspects, run_worker
from worker.settings import host_rules, load_settings
from worker.store.connection import Connection
from worker.store.embedded import EmbeddedRedis, find_server
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from worker.settings import Settings

try:
    import uvloop
except ImportError:  # there is none for Windows, nor for some interpreters
    _new_loop = None
else:
    _new_loop = uvloop.new_event_loop


_SERVER_ENDED = "the embedded Redis ended"


@click.command(
    epilog=examples(
        "ingest run --embedded                      everything on this machine, no set-up",
        "INGEST_REDIS_URL=redis://db/0 ingest run",
        "ingest run --until-empty                   in a script: work off the queue, then end",
    )
)
@click.option(
    "--embedded",
    is_flag=True,
    help="Start a private redis-server that keeps its data under INGEST_DATA_DIR (.ingest), and use it.",
)
@click.option(
    "--until-empty",
    is_flag=True,
    help="End once nothing is in the queue, waiting or in work; at once if there is nothing to do.",
)
@click.option("--feeds", is_flag=True, help="Look at feeds, too, as `ingest feed run` does (INGEST_FEEDS).")
def run(*, embedded: bool, until_empty: bool, feeds: bool) -> None:
    """Run a worker until SIGTERM or Ctrl-C.

    The first signal lets it end what it has begun, for at most INGEST_DRAIN_S seconds; a second one gives
    that back at once, and other workers take it up. Either way the exit code is 0 and nothing is lost. Any
    number of workers may run against one Redis, on any number of machines.

    SIGHUP makes it read INGEST_HOSTS_FILE anew, for the whole fleet; a faulty file changes nothing.

    Logs go to stdout: readable on a terminal, JSON lines in a pipe (INGEST_LOG_FORMAT, INGEST_LOG_LEVEL).
    While Redis is away the worker waits for it; when Redis refuses it for good (a wrong password, a version
    before 6.2) it ends with exit code 1 and says what to do.

    Settings that matter most: INGEST_REDIS_URL, INGEST_CONCURRENCY, INGEST_HOST_SPACING_S,
    INGEST_USER_AGENT.
    """
    settings = load_settings(feeds=feeds or None)
    host_rules(settings)  # a faulty file is told before anything is started
    return_large_blocks()
    _in_fast_loop(_run(settings, embedded=embedded, until_empty=until_empty))


@click.command(hidden=True)
def suspects() -> None:
    """Work off the suspects, one at a time, and end. A worker starts this by itself."""
    _in_fast_loop(_suspects(load_settings()))


async def _run(settings: Settings, *, embedded: bool, until_empty: bool) -> None:
    stop = Stop()
    stop.on_signals(reloads=settings.hosts_file is not None)
    server: EmbeddedRedis | None = None
    async with AsyncExitStack() as stack:
        if embedded:
            configure(settings, None, stop)
            server = await stack.enter_async_context(_private_redis(settings))
            settings = settings.model_copy(update={"redis_url": server.url})
        group = await stack.enter_async_context(asyncio.TaskGroup())
        watches = [group.create_task(stop_when_empty(settings, stop))] if until_empty else []
        watches += [group.create_task(_stop_without(server, stop))] if server else []
        await run_worker(settings, stop)
        for watch in watches:
            watch.cancel()
    if stop.reason == _SERVER_ENDED:
        raise StoreUnavailable(f"the embedded Redis ended by itself: see {settings.data_dir / 'redis.log'}")


async def _stop_without(server: EmbeddedRedis, stop: Stop) -> None:
    """Nothing else would ever start that server again: without it the worker would wait for ever."""
    await server.ended()
    if not stop.stopping.is_set():
        stop.ask(_SERVER_ENDED)
        stop.ask(_SERVER_ENDED)


async def _suspects(settings: Settings) -> None:
    stop = Stop()
    # A service manager may signal every process of the service: dying of it would count as the page's doing.
    stop.on_signals()
    await run_suspects(settings, stop)


@asynccontextmanager
async def _private_redis(settings: Settings) -> AsyncIterator[EmbeddedRedis]:
    """A server that runs until the block ends, and is told of."""
    async with EmbeddedRedis(settings.data_dir) as server:
        pid = server.pid or 0
        async with Connection(server.url) as connection:
            version = (await connection.check())["redis_version"]
        get_logger().info(
            "embedded_redis_started",
            pid=pid,
            address=server.url,
            version=version,
            data_dir=str(server.folder),
            server=find_server(),
        )
        reach = f"INGEST_REDIS_URL={server.url} (or redis-cli -s {server.socket})"
        click.echo(f"Other programs reach this Redis by {reach}", err=True)
        yield server
    get_logger().info("embedded_redis_stopped", pid=pid)


def _in_fast_loop(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(main)
