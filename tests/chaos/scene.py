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


@dataclass(slots=True)
class Scene:
    """One run: `connection` goes to Redis directly, all else through `proxy`."""

    folder: Path
    server: RedisServer
    proxy: Proxy
    connection: Connection
    fleet: Fleet
    origin: Origin
    rng: random.Random
    lease_s: float
    say: Callable[[str], None]
    root: Path = ROOT  # the version of the workers
    keys: Keys = field(default_factory=Keys)
    struck: Counter[str] = field(default_factory=Counter)  # what was done, by the name of the fault
    skipped: dict[str, str] = field(default_factory=dict)  # what could not be done here, and why
    consumer: asyncio.subprocess.Process | None = None
    producer: asyncio.subprocess.Process | None = None
    deaths: Counter[str] = field(default_factory=Counter)  # workers that a deadly page killed, by its path
    woken: list[tuple[Path, float]] = field(default_factory=list)  # logs of stopped workers, until when (s)
    server_lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # two servers would write to one file
    consumer_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _held: set[int] = field(default_factory=set)  # workers that a fault is busy with

    @asynccontextmanager
    async def victim(self, pid: int | None = None) -> AsyncIterator[subprocess.Popen[bytes] | None]:
        """A worker that is up and in no other fault's hands, chosen by the seed; None if there is none."""
        chosen = await self._choose(pid)
        if chosen is None:
            yield None
            return
        self._held.add(chosen.pid)
        try:
            yield chosen
        finally:
            self._held.discard(chosen.pid)

    async def _choose(self, pid: int | None) -> subprocess.Popen[bytes] | None:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            free = [
                each
                for each in self.fleet.workers
                if each.pid not in self._held and self.fleet.is_up(each) and pid in {None, each.pid}
            ]
            if free:
                return self.rng.choice(free)
            if pid is not None:
                return None
            await asyncio.sleep(_LOOK_EVERY_S)
        return None

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
