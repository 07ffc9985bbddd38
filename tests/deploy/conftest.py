"""One real run of the sample site: its log and the ledger of it; and what kustomize makes of `deploy/k8s`."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.chaos.fleet import Fleet
from tests.deploy import manifests
from tests.servers import RedisServer
from tests.site.server import SampleSite
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import Depths, Ledger, read_depths, read_ledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.deploy.manifests import Manifest

_ENDS_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Run:
    """A worker's log from its first line to its last, and what Redis says of the same time."""

    log: Path
    ledger: Ledger
    depths: Depths


@pytest.fixture(scope="session")
def base() -> list[Manifest]:
    """The objects of `deploy/k8s/base`."""
    return manifests.rendered(manifests.K8S / "base")


@pytest.fixture(scope="session")
def in_production(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """The objects of the overlay `production`."""
    return manifests.production(tmp_path_factory.mktemp("k8s") / "k8s")


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All URLs of the sample site and something malformed; then the articles once more."""
    folder = tmp_path_factory.mktemp("run")
    server = RedisServer(folder / "redis").start()
    settings = {
        "INGEST_REDIS_URL": server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.1.0/24",
        "INGEST_HOST_SPACING_S": "0.1",
        "INGEST_RETRY_BASE_S": "1",
        "INGEST_RETRY_MAX_S": "2",
        "INGEST_EXTRACT_PROCESSES": "1",
    }
    fleet = Fleet(folder, settings)
    try:
        return asyncio.run(_run(fleet, server.url))
    finally:
        fleet.end()
        server.stop(signal.SIGKILL)


async def _run(fleet: Fleet, url: str) -> Run:
    keys = Keys()
    async with SampleSite() as site, Connection(url, patience_s=10) as connection:

        async def ledger() -> Ledger:
            return await read_ledger(connection, keys)

        log = fleet.log_of(fleet.start())
        urls = site.urls()
        await connection.command("RPUSH", keys.queue, *urls, "{no JSON")
        await _until(ledger, lambda ledger: ledger.accepted + ledger.refused == len(urls) + 1)
        once = await _until(ledger, lambda ledger: ledger.settled)
        again = [orjson.dumps({"url": url, "force": True}) for url in urls[:3]]
        await connection.command("RPUSH", keys.queue, *again)
        await _until(ledger, lambda ledger: ledger.accepted == once.accepted + 3 and ledger.settled)
        assert fleet.stop() == [0]
        assert (fleet.log_faults(), fleet.errors()) == ([], "")
        return Run(log, await ledger(), await read_depths(connection, keys, taken=0))


async def _until(read: Callable[[], Awaitable[Ledger]], done: Callable[[Ledger], bool]) -> Ledger:
    async with asyncio.timeout(_ENDS_WITHIN_S):
        while not done(ledger := await read()):  # noqa: ASYNC110 - another process moves it
            await asyncio.sleep(0.05)
    return ledger
