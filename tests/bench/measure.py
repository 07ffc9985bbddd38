"""CPU, memory and Redis figures of whole process trees."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worker.store.connection import Connection


@dataclass
class Cost:
    """What a block took, of this process alone."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def cpu_ms_each(self, count: int) -> float:
        """CPU milliseconds for each of `count`."""
        return self.cpu_s / count * 1000


@asynccontextmanager
async def cost() -> AsyncIterator[Cost]:
    """Fills in its figures when the block ends."""
    found = Cost()
    wall, cpu = time.perf_counter(), time.process_time()
    yield found
    found.wall_s, found.cpu_s = time.perf_counter() - wall, time.process_time() - cpu


@dataclass(frozen=True, slots=True)
class Tree:
    """A process and its descendants at one moment."""

    cpu_s: float
    rss_bytes: int

    @classmethod
    def of(cls, pid: int) -> Tree:
        """Sum over the tree; a process that ends meanwhile is passed over."""
        cpu_s, rss = 0.0, 0
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            try:
                times = process.cpu_times()
                cpu_s += times.user + times.system
                rss += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return cls(cpu_s, rss)


@dataclass(frozen=True, slots=True)
class RedisUse:
    """CPU seconds that the server has used, and bytes of data that it holds."""

    cpu_s: float
    data_bytes: int

    @classmethod
    async def of(cls, connection: Connection) -> RedisUse:
        """Read them now."""
        info = await connection.command("INFO")
        cpu_s = float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
        return cls(cpu_s, int(info["used_memory"]) - int(info["used_memory_startup"]))
