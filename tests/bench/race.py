"""One run of a peer over the same pages: queued first, held at a gate until it is warm, timed from there."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import psutil

from tests.bench.measure import RedisUse, Tree
from tests.bench.peer_venv import PYTHON, ROOT
from tests.bench.standings import Run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from tests.servers import RedisServer
    from worker.store.connection import Connection

_RESULTS, _READY, _GO = "bench:results", "bench:ready", "bench:go"  # as tests/bench/peers/gate.py has them
_LOOK_EVERY_S = 0.02
_WEIGH_EVERY = 5  # looks: to add up a tree takes some milliseconds
_START_WITHIN_S = 120.0
_PAGE_WITHIN_S = 2.0
_END_WITHIN_S = 15.0


class PeerFailed(Exception):
    """It ended, stood still or left pages out; the message has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program of `tests/bench/peers`. What has no processes of its own is started for each core."""

    name: str
    package: str
    forks: bool = False

    @property
    def module(self) -> str:
        """Where its program is."""
        return f"tests.bench.peers.{self.package}_peer"


PACKAGES = ("scrapy-redis", "arq", "celery")
PEERS = (Peer("scrapy-redis", "scrapy"), Peer("arq", "arq"), Peer("celery", "celery", forks=True))


@dataclass(frozen=True, slots=True)
class Course:
    """What all contestants run over."""

    server: RedisServer
    connection: Connection
    urls: Sequence[str]
    warm_urls: Sequence[str]
    folder: Path  # for what they say
    processes: int
    delay_ms: int = 0

    def environ_of(self, peer: Peer) -> dict[str, str]:
        """A peer's settings. Who takes one page at a time needs more processes where servers are slow."""
        processes = self.processes * (1 + self.delay_ms // 25) if peer.forks else self.processes
        ours = {
            "BENCH_REDIS_URL": self.server.url,
            "BENCH_WARM_URLS": " ".join(self.warm_urls),
            "BENCH_PROCESSES": str(processes),
        }
        return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ours

    def starts_of(self, peer: Peer) -> tuple[int, int]:
        """How many programs to start, and how many processes then come to the gate."""
        return (1 if peer.forks else self.processes), int(self.environ_of(peer)["BENCH_PROCESSES"])


@dataclass(frozen=True, slots=True)
class Lap:
    """What process trees took between two moments."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


async def lap(
    pids: Sequence[int],
    go: Callable[[], Awaitable[object]],
    done: Callable[[], Awaitable[bool]],
    within_s: float,
) -> Lap:
    """Wall time from the end of `go` until `done`, CPU from before `go`.

    Raises TimeoutError after `within_s`, ProcessLookupError if a process ended.
    """
    cpu, peak, look = cpu_of(pids), 0, 0
    await go()
    began = time.perf_counter()
    while not await done():
        if look % _WEIGH_EVERY == 0:
            if not all(map(_runs, pids)):
                raise ProcessLookupError
            peak = max(peak, sum(Tree.of(pid).rss_bytes for pid in pids))
        if time.perf_counter() - began > within_s:
            raise TimeoutError
        look += 1
        await asyncio.sleep(_LOOK_EVERY_S)
    return Lap(time.perf_counter() - began, cpu_of(pids) - cpu, peak)


def cpu_of(pids: Sequence[int]) -> float:
    """CPU seconds of the trees so far."""
    return sum(Tree.of(pid).cpu_s for pid in pids)


async def run(peer: Peer, course: Course) -> Run:
    """Empties the server. Raises PeerFailed."""
    connection, log = course.connection, course.folder / f"{peer.name}.log"
    await connection.command("FLUSHALL")
    before = (await RedisUse.of(connection)).cpu_s
    await _fill(peer, course, log)
    filling_s = (await RedisUse.of(connection)).cpu_s - before
    programs, processes = course.starts_of(peer)

    async def are_ready() -> bool:
        return int(await connection.command("GET", _READY) or 0) == processes

    async def start() -> None:
        await connection.command("SET", _GO, "1")

    async def is_done() -> bool:
        return int(await connection.command(length, _RESULTS)) >= len(course.urls)

    async def nothing() -> None:
        return

    length = "LLEN" if peer.package == "scrapy" else "XLEN"
    async with _programs(peer, course, programs, log) as pids:
        try:
            await lap(pids, nothing, are_ready, _START_WITHIN_S)
            before = (await RedisUse.of(connection)).cpu_s
            taken = await lap(pids, start, is_done, 30 + _PAGE_WITHIN_S * len(course.urls))
            redis_s = filling_s + (await RedisUse.of(connection)).cpu_s - before
        except (TimeoutError, psutil.NoSuchProcess, ProcessLookupError) as error:
            why = "stood still" if isinstance(error, TimeoutError) else "ended"
            raise PeerFailed(f"{peer.name} {why}: {_end_of(log)}") from None
        records = await _records(connection)
    if sorted(record["url"] for record in records) != sorted(course.urls):
        raise PeerFailed(f"{peer.name} has not one record for each URL: {_end_of(log)}")
    return Run(
        pages=len(course.urls),
        articles=sum(bool(record["text"]) for record in records),
        wall_s=taken.wall_s,
        cpu_s=taken.cpu_s,
        redis_s=redis_s,
        peak_rss_bytes=taken.peak_rss_bytes,
    )


async def _records(connection: Connection) -> list[dict[str, Any]]:
    if await connection.command("TYPE", _RESULTS) == b"list":
        return [orjson.loads(each) for each in await connection.command("LRANGE", _RESULTS, 0, -1)]
    entries = await connection.command("XRANGE", _RESULTS, "-", "+")
    return [orjson.loads(fields[b"data"]) for _, fields in entries]


async def _fill(peer: Peer, course: Course, log: Path) -> None:
    with log.open("wb") as said:
        filler = await asyncio.create_subprocess_exec(
            *(PYTHON, "-m", peer.module, "fill"),
            cwd=ROOT,
            env=course.environ_of(peer),
            stdin=asyncio.subprocess.PIPE,
            stdout=said,
            stderr=said,
        )
        await filler.communicate("\n".join(course.urls).encode())
    if filler.returncode:
        raise PeerFailed(f"{peer.name} could not queue: {_end_of(log)}")


@asynccontextmanager
async def _programs(peer: Peer, course: Course, count: int, log: Path) -> AsyncIterator[list[int]]:
    """That many of the peer's workers, until the block ends; then nothing of theirs is left."""
    with log.open("ab") as said:
        workers = [
            await asyncio.create_subprocess_exec(
                *(PYTHON, "-m", peer.module, "work"),
                cwd=ROOT,
                env=course.environ_of(peer),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            for _ in range(count)
        ]
    try:
        yield [worker.pid for worker in workers]
    finally:
        trees = [process for worker in workers for process in _tree(worker.pid)]
        for worker in workers:
            if worker.returncode is None:
                worker.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(worker.wait() for worker in workers)), _END_WITHIN_S)
        for process in trees:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await asyncio.gather(*(worker.wait() for worker in workers))


def _tree(pid: int) -> list[psutil.Process]:
    """Itself and what it started; psutil knows them again even if a number is given to another."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace").strip()[-600:] or "it said nothing"
