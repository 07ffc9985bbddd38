"""arq with aiohttp: a job for each URL, trafilatura in a thread beside the loop, records to a stream."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import aiohttp
import uvloop
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

from tests.bench.peers.article import article
from tests.bench.peers.gate import AT_ONCE, REDIS_URL, RESULTS, wait_for_go

if TYPE_CHECKING:
    from collections.abc import Sequence

_POLL_EVERY_S = 0.1  # of the queue; arq's half a second starts no more than 16 jobs each time


async def read_page(context: dict[str, Any], url: str) -> None:
    """Fetch, extract, store."""
    async with context["session"].get(url) as response:
        response.raise_for_status()
        page = await response.read()
    loop = asyncio.get_running_loop()
    record = await loop.run_in_executor(context["reader"], article, page, url)
    await context["redis"].xadd(RESULTS, {"data": record})


async def start_up(context: dict[str, Any]) -> None:
    """One session, and one thread: more of them would wait for each other's interpreter lock."""
    context["session"] = aiohttp.ClientSession()
    context["reader"] = ThreadPoolExecutor(1)
    wait_for_go()


async def shut_down(context: dict[str, Any]) -> None:
    """Close what start_up opened."""
    await context["session"].close()
    context["reader"].shutdown(wait=False, cancel_futures=True)


async def fill(urls: Sequence[str]) -> None:
    """Queue a job for each URL."""
    pool = await create_pool(RedisSettings.from_dsn(REDIS_URL))
    for url in urls:
        await pool.enqueue_job("read_page", url)
    await pool.aclose()


def main() -> None:
    """Fill or work."""
    if sys.argv[1] == "fill":
        asyncio.run(fill(sys.stdin.read().split()))
    else:
        uvloop.install()
        asyncio.set_event_loop(asyncio.new_event_loop())
        Worker(
            functions=[read_page],
            redis_settings=RedisSettings.from_dsn(REDIS_URL),
            on_startup=start_up,
            on_shutdown=shut_down,
            max_jobs=AT_ONCE,
            poll_delay=_POLL_EVERY_S,
            keep_result=0,
        ).run()


if __name__ == "__main__":
    main()
