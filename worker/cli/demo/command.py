"""`ingest demo`: the flow, from an empty Redis to the verdict."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from worker.cli.demo.ends import NO_END, Ends, differences, ledger_faults
from worker.cli.demo.show import display, table, where_to_look
from worker.cli.demo.stage import (
    StageFailed,
    own_environment,
    refuse_a_dead_worker,
    sample_environment,
    sample_site,
    worker_process,
)
from worker.cli.examples import examples
from worker.cli.following import FROM_START, Follower
from worker.cli.screen import results
from worker.cli.status import ledger_line
from worker.cli.store import opened
from worker.runtime.emptiness import is_empty
from worker.settings import load_settings
from worker.store.embedded import EmbeddedRedis
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from tests.site.expected import Expected
    from worker.cli.demo.ends import End
    from worker.cli.store import Store
    from worker.store.ledger import Ledger

_LOOK_EVERY_S = 0.1
_TERMINATED = 143  # 128 + SIGTERM


@click.command(epilog=examples("ingest demo", "ingest demo https://example.com/a https://example.com/b"))
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--workers", "count", type=click.IntRange(1, 16), default=1, help="Worker processes. [1]")
@click.option(
    "--timeout", "timeout_s", type=click.IntRange(min=1), default=120, help="Seconds for it all. [120]"
)
@click.option("--keep", is_flag=True, help="Keep Redis and the workers running afterwards, until Ctrl-C.")
def demo(*, urls: tuple[str, ...], count: int, timeout_s: int, keep: bool) -> None:
    """Run the whole job on a sample site, or on your URLs.

    Starts a private Redis, emptied, under INGEST_DATA_DIR/demo (.ingest/demo), pushes the URLs to its queue,
    and lets `ingest run` work them off in processes of their own. Without URLs, these are some 40 of the
    sample site, which is served on 14 loopback addresses (127.0.1.x, allowed for these workers alone):
    articles in many languages, redirects, troubles and traps, each with a known end.

    Shows progress, then a table, the ledger, and where to look next. The exit code is 0 only if every URL
    ended as expected (your own: at all) and the ledger balances.
    """
    try:
        good = asyncio.run(_demo(urls, count, timeout_s, keep=keep))
    except asyncio.CancelledError:
        raise Exit(_TERMINATED) from None
    if not good:
        raise Exit(1)


async def _demo(urls: tuple[str, ...], count: int, timeout_s: int, *, keep: bool) -> bool:
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    console = results()
    expected: Sequence[Expected] | None = None
    async with AsyncExitStack() as stack:
        environ = own_environment(os.environ)
        if not urls:
            environ = sample_environment(os.environ)
            site = await stack.enter_async_context(sample_site())
            catalogue: Any = importlib.import_module("tests.site.catalogue")
            expected, urls = catalogue.CATALOGUE, tuple(site.urls())
        folder = load_settings(environ).data_dir / "demo"
        redis = await stack.enter_async_context(EmbeddedRedis(folder))
        environ |= {"INGEST_REDIS_URL": redis.url, "INGEST_LOG_FORMAT": "json"}
        store = await stack.enter_async_context(opened(load_settings(environ)))
        await store.connection.command("FLUSHALL")
        await store.inbox.push(urls)
        log = folder / "worker.log"
        log.write_bytes(b"")
        workers = [await stack.enter_async_context(worker_process(environ, log)) for _ in range(count)]
        console.print(f"{len(urls)} URLs pushed to {store.keys.queue} of a private Redis; workers: {count}\n")
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                ends = await _all_ended(console, store, urls, workers, log)
        except TimeoutError:
            ledger = await read_ledger(store.connection, store.keys)
            console.print(ledger_line(ledger))
            raise StageFailed(f"not all URLs ended within {timeout_s} s; see {log}") from None
        ledger = await read_ledger(store.connection, store.keys)
        good = _verdict(console, ends, expected, ledger, took_s=time.monotonic() - began)
        console.print(where_to_look(folder, redis.url, log, running=keep))
        if keep:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
    return good


async def _all_ended(
    console: Console,
    store: Store,
    urls: Sequence[str],
    workers: list[asyncio.subprocess.Process],
    log: Path,
) -> list[End]:
    """Watch until no work is left. Raises StageFailed when a worker is gone."""
    ends, keys = Ends(urls), store.keys
    partitions = range(keys.partitions)
    streams = {name(partition): partition for name in (keys.articles, keys.dead) for partition in partitions}
    follower = Follower(store.connection, streams, after=FROM_START)
    with display(console, len(urls)) as show:
        done = False
        while not done:
            refuse_a_dead_worker(workers, log)
            # Asked first: what ended before it has its event in the streams by now.
            done = await is_empty(store.connection, store.keys, store.inbox)
            while entries := await follower.read():
                for entry in entries:
                    if end := ends.note(entry):
                        show.ended(end)
            show.look(await read_ledger(store.connection, store.keys))
            if not done:
                await asyncio.sleep(_LOOK_EVERY_S)
    return ends.all()


def _verdict(
    console: Console, ends: list[End], expected: Sequence[Expected] | None, ledger: Ledger, *, took_s: float
) -> bool:
    """Show what came of it; whether all is as it should be."""
    faults = {
        row: found
        for row, (end, wanted) in enumerate(zip(ends, expected or (), strict=expected is not None))
        if (found := differences(wanted, end))
    }
    console.print()
    console.print(table(ends, None if expected is None else faults))
    console.print()
    console.print(ledger_line(ledger))
    lost = [f"{end.url} has no end" for end in ends if end.outcome == NO_END]
    wrong = [*ledger_faults(ledger, ends), *lost]
    wrong += [f"{ends[row].url}: {'; '.join(found)}" for row, found in faults.items()]
    for fault in wrong:
        console.print(f"✗ {fault}", style="red", soft_wrap=True)
    summary = f"{len(ends)} URLs in {took_s:.1f} s"
    if expected is not None:
        summary += f", {len(ends) - len(faults)} as expected"
    console.print(f"{summary}\n", style="red" if wrong else "green")
    return not wrong
