"""All that a run consists of, for the faults to act on."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from tests.chaos.fleet import ROOT, clean_environ
from worker.store.keys import Keys

if TYPE_CHECKING:
    import random
    import subprocess
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.chaos.fleet import Fleet
    from tests.chaos.origin import Origin
    from tests.chaos.proxy import Proxy
    from tests.servers import RedisServer
    from worker.store.connection import Connection

_PATIENCE_S = 10.0
_LOOK_EVERY_S = 0.02


class NothingToStrikeError(Exception):
    """There was nothing there that the fault could have harmed."""


@dataclass(frozen=True, slots=True)
class Waking:
    """A worker that was stopped goes on: its log, and when, by the wall clock and by the monotonic one."""

    log: Path
    at_s: float
    monotonic_s: float


@dataclass(slots=True)
class Scene:
    """One run: `connection` goes to Redis directly, all else through `proxy`."""

    folder: Path
    server: RedisServer
    proxy: Proxy
    connection: Connection
    fleet: Fleet
    origin: Origin
    lease_s: float
    say: Callable[[str], None]
    root: Path = ROOT  # the version of the workers
    keys: Keys = field(default_factory=Keys)
    struck: Counter[str] = field(default_factory=Counter)  # what was done, by the name of the fault
    missed: Counter[str] = field(default_factory=Counter)  # strikes that found nothing to harm
    skipped: dict[str, str] = field(default_factory=dict)  # what could not be done here, and why
    consumer: asyncio.subprocess.Process | None = None
    producer: asyncio.subprocess.Process | None = None
    deaths: Counter[str] = field(default_factory=Counter)  # workers that a deadly page killed, by its path
    woken: list[Waking] = field(default_factory=list)
    server_lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # two servers would write to one file
    consumer_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _held: set[int] = field(default_factory=set)  # workers that a fault is busy with

    @asynccontextmanager
    async def victim(
        self, rng: random.Random, pid: int | None = None
    ) -> AsyncIterator[subprocess.Popen[bytes]]:
        """A worker that is up and in no other fault's hands, that of this process id if it can be had.

        Raises NothingToStrikeError if there is none for long.
        """
        chosen = await self._choose(rng, pid)
        self._held.add(chosen.pid)
        try:
            yield chosen
        finally:
            self._held.discard(chosen.pid)

    async def _choose(self, rng: random.Random, pid: int | None) -> subprocess.Popen[bytes]:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            free = [
                each for each in self.fleet.workers if each.pid not in self._held and self.fleet.is_up(each)
            ]
            if free:
                return next((each for each in free if each.pid == pid), None) or rng.choice(free)
            await asyncio.sleep(_LOOK_EVERY_S)
        raise NothingToStrikeError("no worker is up")

    def children(self, module: str) -> list[psutil.Process]:
        """Processes of the workers that run this module."""
        found = []
        for worker in self.fleet.workers:
            try:
                children = psutil.Process(worker.pid).children(recursive=True)
                found += [child for child in children if module in child.cmdline()]
            except psutil.Error:  # one has just ended
                continue
        return found

    def kill_client(self, path: str, port: int) -> None:
        """SIGKILL whoever holds this end of a connection; a worker is replaced, as a supervisor would."""
        for worker in tuple(self.fleet.workers):
            for process in (psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)):
                if not any(end.laddr.port == port for end in process.net_connections("tcp")):
                    continue
                if process.pid == worker.pid:
                    self.deaths[path] += 1
                    self.fleet.kill(worker)
                    self.fleet.start(self.root)
                else:
                    process.kill()
                    self.fleet.bereaved(worker)
                return

    def end(self) -> None:
        """Leave no producer and no consumer behind, whatever happened."""
        for process in (self.producer, self.consumer):
            if process is not None and process.returncode is None:
                process.kill()

    async def start_consumer(self) -> None:
        """Start the process that reads the articles; again, when it has been killed."""
        self.consumer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.consumer"),
            *(self.proxy.url, self.keys.articles(), "archive", str(self.folder / "consumed.jsonl")),
            cwd=ROOT,
            env=clean_environ() | self.fleet.mark,
        )
