"""The yardstick: what a competent script without a queue does, on the same pages in the same run.

aiohttp, 16 requests at once, trafilatura in as many processes as the worker has; nothing is retried, spaced,
deduplicated or made safe, and nothing is published.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import aiohttp
import trafilatura

from tests.bench.measure import Tree
from tests.bench.standings import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

_AT_ONCE = 16


def read(page: bytes, url: str) -> str | None:
    """One page, as trafilatura reads it."""
    document = trafilatura.bare_extraction(page, url=url, with_metadata=True, include_comments=False)
    return None if document is None else str(document)


async def run(urls: Sequence[str], warm_urls: Sequence[str], processes: int) -> Run:
    """Fetch and extract every URL, after a few that are not counted."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        async with aiohttp.ClientSession() as session:
            await _read_all(warm_urls, session, pool)
            began, cpu = time.perf_counter(), Tree.of(os.getpid()).cpu_s
            articles = await _read_all(urls, session, pool)
        wall_s, cpu_s = time.perf_counter() - began, Tree.of(os.getpid()).cpu_s - cpu
    return Run(len(urls), articles, wall_s, cpu_s)


async def _read_all(urls: Sequence[str], session: aiohttp.ClientSession, pool: ProcessPoolExecutor) -> int:
    """How many of them are articles."""
    loop, left, articles = asyncio.get_running_loop(), iter(urls), 0

    async def go_on() -> None:
        nonlocal articles
        for url in left:
            async with session.get(url) as response:
                page = await response.read()
            text = await loop.run_in_executor(pool, read, page, url)
            articles += text is not None

    await asyncio.gather(*(go_on() for _ in range(_AT_ONCE)))
    return articles
