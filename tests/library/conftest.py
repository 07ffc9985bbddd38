"""An `Ingest` over the test's own Redis, a publisher, and eyes on what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.runtime.publisher import Publisher
from worker import Ingest
from worker.store.ledger import read_ledger
from worker.telemetry.log import reset_logging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys

OPEN: dict[str, Any] = {
    "allow_networks": "127.0.0.0/8",
    "obey_robots": False,
    "host_spacing_s": 0.0,
    "host_delay_factor": 0.0,
    "extract_processes": 1,
    "retry_base_s": 0.01,
    "retry_max_s": 0.02,
    "max_attempts": 2,
}


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    """One article under many paths."""
    async with Publisher() as publisher:
        yield publisher


@pytest.fixture
def ingest(redis_server: RedisServer, connection: Connection) -> Iterator[Ingest]:
    """Not opened yet, over the emptied Redis."""
    yield Ingest(redis_url=redis_server.url, **OPEN)
    reset_logging()


async def entries(connection: Connection, stream: str) -> list[dict[str, Any]]:
    """The data of a stream's events, and their `id`."""
    found = await connection.command("XRANGE", stream, "-", "+")
    return [{**orjson.loads(fields[b"data"]), "event_id": fields[b"id"].decode()} for _, fields in found]


async def balance(connection: Connection, keys: Keys) -> tuple[int, int, int]:
    """Accepted, articles and dead; the ledger must balance, with nothing left."""
    ledger = await read_ledger(connection, keys)
    assert (ledger.balanced, ledger.settled) == (True, True)
    return ledger.accepted, ledger.articles, ledger.dead
