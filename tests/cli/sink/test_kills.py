"""Sinks that are killed at any moment, over and over, while events flow: each event is there, and once."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.parquet as pq
import pytest

from tests.cli.sink.process import SOON, feed, finished, running
from tests.sinks.receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import RedisServer
    from worker.store.connection import Connection

_KILLS = 6
_EVENTS_A_ROUND = 80


async def killed_again_and_again(
    words: tuple[str, ...], redis_url: str, connection: Connection, **settings: str
) -> list[str]:
    """Feed and kill in turn, then let one come to the end. Returns the ids of all events, in their order.

    Half of the kills come at a random moment; the others between a batch's being written and acknowledged.
    """
    ids, caught = list[str](), 0
    settings["redis_url"] = redis_url
    for round_ in range(_KILLS):
        first = round_ * _EVENTS_A_ROUND
        async with running(*words, *SOON, "--batch", "7", **settings) as sink:
            feeding = asyncio.create_task(feed(connection, range(first, first + _EVENTS_A_ROUND)))
            await sink.until("sink_started")
            try:
                if round_ % 2:
                    caught += await caught_at_acknowledging(connection)
                else:
                    await asyncio.sleep(random.random() * 0.4)
                await sink.kill()
            finally:
                await connection.command("CLIENT", "UNPAUSE")
            ids += await feeding
    assert caught, "no kill came between writing and acknowledging"
    await finished(*words, **settings)
    return ids


async def caught_at_acknowledging(connection: Connection) -> bool:
    """Hold all writes to Redis, at a moment when the sink has written a batch and asks to acknowledge it."""
    for _ in range(100):
        await connection.command("CLIENT", "PAUSE", 60_000, "WRITE")
        async with asyncio.timeout(30):
            while True:
                if held := await blocked_at(connection) - {"xadd"}:
                    break
                await asyncio.sleep(0.001)
        if "xack" in held:
            return True
        await connection.command("CLIENT", "UNPAUSE")
        await asyncio.sleep(random.random() * 0.01)
    return False


async def blocked_at(connection: Connection) -> set[str]:
    """The commands at which clients are held."""
    reply = (await connection.command("CLIENT", "LIST")).decode()
    clients = [dict(pair.split("=", 1) for pair in line.split()) for line in reply.splitlines()]
    return {client["cmd"] for client in clients if "b" in client["flags"]}


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """The lines of all files, in the order of their names, the growing one last."""
    files = [*sorted(folder.glob("articles.2*.jsonl")), folder / "articles.jsonl"]
    return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]


def rotated(folder: Path) -> int:
    """How many files grow no more."""
    return len(list(folder.glob("articles.2*.jsonl")))


def rows_of(folder: Path) -> list[str]:
    """The ids of all rows."""
    files = sorted(folder.glob("articles/day=*/*.parquet"))
    return [id_ for file in files for id_ in pq.read_table(file, partitioning=None)["event_id"].to_pylist()]


@pytest.mark.slow
async def test_jsonl(redis_server: RedisServer, connection: Connection, tmp_path: Path) -> None:
    """Through rotations, too, and every line is whole."""
    words = ("jsonl", str(tmp_path / "articles.jsonl"), "--rotate-bytes", "30000")
    ids = await killed_again_and_again(words, redis_server.url, connection)
    assert sorted(line["id"] for line in lines_of(tmp_path)) == sorted(ids)
    assert rotated(tmp_path) >= 2


@pytest.mark.slow
async def test_parquet(redis_server: RedisServer, connection: Connection, tmp_path: Path) -> None:
    """Files of batches that are cut differently each time."""
    ids = await killed_again_and_again(("parquet", str(tmp_path)), redis_server.url, connection)
    assert sorted(rows_of(tmp_path)) == sorted(ids)


@pytest.mark.slow
async def test_postgres(redis_server: RedisServer, connection: Connection, dsn: str, database: Any) -> None:
    """All events, and a row for each article."""
    ids = await killed_again_and_again(("postgres",), redis_server.url, connection, postgres_dsn=dsn)
    rows = await database.fetch("select event_id from ingest.events")
    assert sorted(row["event_id"] for row in rows) == sorted(ids)
    assert await database.fetchval("select count(*) from ingest.articles") == len(ids)


@pytest.mark.slow
async def test_webhook(redis_server: RedisServer, connection: Connection, tmp_path: Path) -> None:
    """At least once; what comes again has the same webhook-id and the same body."""
    async with Receiver() as receiver:
        words = ("webhook", receiver.url, "--outbox", str(tmp_path / "outbox"))
        ids = await killed_again_and_again(words, redis_server.url, connection)
    assert set(receiver.ids) == set(ids)
    assert {request.id: request.event["id"] for request in receiver.requests} == dict(
        zip(ids, ids, strict=True)
    )
    assert len({request.body for request in receiver.requests}) == len(ids)
