"""A real worker with an ops port, over the test's own Redis, and a site of articles."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from worker.store.keys import Keys
from worker.store.ledger import Ledger, read_ledger

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers import RedisServer
    from worker.store.connection import Connection

TOKEN = "a token of the tests"


@dataclass
class Watched:
    """A worker, and what watches it."""

    fleet: Fleet
    connection: Connection
    origin: Origin
    client: ClientSession
    worker: subprocess.Popen[bytes] | None = None
    address: str = ""

    async def start(self, **settings: str) -> None:
        """Start the worker; returns once its ops port listens."""
        self.fleet.settings |= {f"INGEST_{name.upper()}": value for name, value in settings.items()}
        self.worker = self.fleet.start()
        self.address = str((await self.logged("ops_listening"))["address"])

    async def logged(self, event: str) -> dict[str, Any]:
        """The first line of that event, once there is one."""
        deadline = time.monotonic() + 30
        while True:
            for line in self.fleet.lines():
                if line["event"] == event:
                    return line
            assert time.monotonic() < deadline, f"no {event}\n{self.fleet.errors()}"
            await asyncio.sleep(0.05)

    async def work_off(self, *urls: str) -> Ledger:
        """Push URLs, and wait until all are settled."""
        await self.connection.command("RPUSH", Keys().queue, *urls)
        return await self.settled(len(urls))

    async def settled(self, taken: int) -> Ledger:
        """The ledger once so many URLs were taken and none is left."""
        deadline = time.monotonic() + 60
        while True:
            ledger = await read_ledger(self.connection, Keys())
            if ledger.accepted + ledger.refused >= taken and ledger.settled:
                return ledger
            assert time.monotonic() < deadline, f"{ledger}\n{self.fleet.errors()}"
            await asyncio.sleep(0.05)

    async def get(self, path: str, **options: Any) -> tuple[int, str]:
        """Status and text of the port's answer."""
        async with self.client.get(f"http://{self.address}{path}", **options) as response:
            return response.status, await response.text()

    async def answers(self, path: str, status: int) -> str:
        """The text once the port answers with that status."""
        deadline = time.monotonic() + 30
        while True:
            found, text = await self.get(path)
            if found == status:
                return text
            assert time.monotonic() < deadline, f"{path} still says {found}: {text}"
            await asyncio.sleep(0.1)


@pytest.fixture
async def watched(
    connection: Connection, redis_server: RedisServer, tmp_path: Path
) -> AsyncIterator[Watched]:
    """No worker yet, over the session's Redis."""
    async with watching(connection, redis_server.url, tmp_path) as watched:
        yield watched


@asynccontextmanager
async def watching(connection: Connection, redis_url: str, folder: Path) -> AsyncIterator[Watched]:
    """No worker yet; whatever it logs must fit the catalogue."""
    settings = {
        "INGEST_REDIS_URL": redis_url,
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": "0",
        "INGEST_EXTRACT_PROCESSES": "1",
        "INGEST_OPS_ADDRESS": "127.0.0.1:0",
    }
    fleet = Fleet(folder, settings)
    try:
        async with Origin(4) as origin, ClientSession() as client:
            yield Watched(fleet, connection, origin, client)
        assert fleet.log_faults() == []
        assert fleet.errors() == ""
    finally:
        fleet.end()
