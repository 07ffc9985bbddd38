"""`ingest sink` as a real process, and the events that it is given."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson

from tests.chaos.fleet import ROOT
from tests.cli.conftest import environ
from tests.sinks.records import published
from worker.telemetry.catalogue import faults_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from worker.store.connection import Connection

ARTICLES = "{ingest:0}:articles"
#: So that what a killed one had is taken over soon.
SOON = ("--idle", "0.2", "--wait", "0.05")


async def feed(connection: Connection, numbers: Iterable[int], **fields: Any) -> list[str]:
    """Publish the events of these tasks; their ids."""
    ids = []
    for number in numbers:
        event = published(number, **fields)
        await connection.command("XADD", ARTICLES, "*", *(word for pair in event.items() for word in pair))
        ids.append(str(event["id"]))
    return ids


class SinkProcess:
    """A process that runs, its log lines, and what it says on stderr."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, event: str) -> dict[str, Any]:
        """Read log lines up to that one."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while line := await self.process.stdout.readline():
                self.lines.append(orjson.loads(line))
                assert faults_in(self.lines[-1]) == []
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]
        raise AssertionError(f"it ended without {event}: {self.lines} {await self.rest()}")

    async def kill(self) -> None:
        """SIGKILL: no last words."""
        self.process.kill()
        await self.process.wait()

    async def term(self, signum: int = signal.SIGTERM) -> int:
        """The signal, and its exit code."""
        self.process.send_signal(signum)
        await self.rest()
        return await self.process.wait()

    async def rest(self) -> str:
        """Read to its end; what it said on stderr."""
        async with asyncio.timeout(60):
            out, err = await self.process.communicate()
        self.lines += [orjson.loads(line) for line in out.splitlines()]
        return err.decode()


@asynccontextmanager
async def running(*words: str, secret: str = "", **settings: str) -> AsyncIterator[SinkProcess]:
    """`ingest sink` with these words, ended at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", "sink", *words),
        cwd=ROOT,
        env=environ(log_format="json", **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield SinkProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def finished(*words: str, **settings: str) -> SinkProcess:
    """Run it until all is written. A failure fails the test."""
    async with running(*words, *SOON, "--until-empty", **settings) as sink:
        said = await sink.rest()
        assert sink.process.returncode == 0, said
        assert "Traceback" not in said, said
    return sink


async def until(true: Callable[[], bool]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(60):
        while True:
            if true():
                return
            await asyncio.sleep(0.02)
