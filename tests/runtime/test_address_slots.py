"""A whole worker, and hosts whose names lead to one address: `INGEST_ADDRESS_SLOTS` from end to end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.chaos.origin import Origin
from tests.fetch.test_outcome import Resolves
from worker.runtime.supervisor import Stop, run_worker
from worker.settings import load_settings
from worker.store.keys import Keys
from worker.store.ledger import read_ledger
from worker.telemetry.log import reset_logging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.chaos.origin import Request
    from tests.servers import RedisServer
    from worker.store.connection import Connection

HOSTS = [f"{name}.example" for name in ("harbour", "ferry", "quay", "pier")]
URLS = 2  # on each host


@pytest.fixture
async def origin(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Origin]:
    """A publisher at one address, to which every name leads. The worker's log is gone afterwards."""
    async with Origin(1) as origin:
        monkeypatch.setattr(
            "worker.fetch.transport.resolver_of_the_system", lambda _: Resolves(origin.hosts[0])
        )
        yield origin
    reset_logging()


def at_once(requests: list[Request]) -> int:
    """The most requests that were under way together."""
    return max(sum(each.began_s <= one.began_s < each.ended_s for each in requests) for one in requests)


async def published(connection: Connection, count: int) -> None:
    """Wait for so many articles."""
    while True:
        if (await read_ledger(connection, Keys())).articles >= count:
            return
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(("slots", "most"), [(2, 2), (0, len(HOSTS))])
async def test_hosts_at_one_address_share_its_slots(
    redis_server: RedisServer, connection: Connection, origin: Origin, slots: int, most: int
) -> None:
    """Pages of hosts at one address are asked for so many at a time; without the setting, all at once.

    The robots.txt comes before: only its answer tells where a host is.
    """
    settings = load_settings(
        {
            "INGEST_REDIS_URL": redis_server.url,
            "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
            "INGEST_HOST_SPACING_S": "0",
            "INGEST_ADDRESS_SLOTS": str(slots),
            "INGEST_EXTRACT_PROCESSES": "1",
            "INGEST_LOG_LEVEL": "error",
        }
    )
    urls = [f"http://{host}:{origin.port}/slow/{number}" for number in range(URLS) for host in HOSTS]
    await connection.command("RPUSH", Keys().queue, *urls)
    stop = Stop()
    async with asyncio.TaskGroup() as group, asyncio.timeout(30):
        group.create_task(run_worker(settings, stop))
        await published(connection, len(urls))
        stop.ask("done")
    pages = [request for request in origin.log if request.path.startswith("/slow/")]
    assert len(pages) == len(urls)
    assert at_once(pages) == most
