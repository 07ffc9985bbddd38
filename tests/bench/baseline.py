"""The yardstick: what a competent script without a queue does, on the same pages in the same run.

aiohttp, 16 requests at once, trafilatura in as many processes as the worker has; nothing is retried, spaced,
deduplicated or made safe, and nothing is published.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import aiohttp
import trafilatura

from tests.bench.measure import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Baseline:
    """The script's figures."""

    pages_per_s: float
    cpu_ms: float


def read(page: bytes, url: str) -> str | None:
    """One page, as trafilatura reads it."""
    document = trafilatura.bare_extraction(page, url=url, with_metadata=True, include_comments=False)
    return None if document is None else str(document)


async def run(urls: Sequence[str], processes: int) -> Baseline:
    """Fetch and extract every URL."""
    loop, left = asyncio.get_running_loop(), iter(urls)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        await asyncio.gather(
            *(loop.run_in_executor(pool, read, b"<p>warm</p>", "") for _ in range(processes))
        )
        began, cpu = time.perf_counter(), Tree.of(os.getpid()).cpu_s
        async with aiohttp.ClientSession() as session:

            async def go_on() -> None:
                for url in left:
                    async with session.get(url) as response:
                        page = await response.read()
                    await loop.run_in_executor(pool, read, page, url)

            await asyncio.gather(*(go_on() for _ in range(_AT_ONCE)))
        wall_s, cpu_s = time.perf_counter() - began, Tree.of(os.getpid()).cpu_s - cpu
    return Baseline(len(urls) / wall_s, cpu_s / len(urls) * 1000)
