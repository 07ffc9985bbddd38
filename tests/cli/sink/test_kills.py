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
_EVENTS_A_ROUND = 120


async def killed_again_and_again(
    words: tuple[str, ...], redis_url: str, connection: Connection, **settings: str
) -> list[str]:
    """Feed and kill in turn, then let one come to the end. Returns the ids of all events, in their order."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance, ids = random.Random(seed), list[str]()
    settings["redis_url"] = redis_url
    for round_ in range(_KILLS):
        first = round_ * _EVENTS_A_ROUND
        async with running(*words, *SOON, "--batch", "7", **settings) as sink:
            feeding = asyncio.create_task(feed(connection, range(first, first + _EVENTS_A_ROUND)))
            await sink.until("sink_started")
            await asyncio.sleep(chance.random() * 0.4)
            await sink.kill()
            ids += await feeding
    last = await finished(*words, **settings)
    assert last.lines[-1]["event"] == "sink_stopped"
    return ids


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
    words = ("jsonl", str(tmp_path / "articles.jsonl"), "--rotate-bytes", "60000")
    ids = await killed_again_and_again(words, redis_server.url, connection)
    assert sorted(line["id"] for line in lines_of(tmp_path)) == sorted(ids)
    assert rotated(tmp_path) >= 10


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
    assert {request.id: request.event["id"] for request in receiver.requests} == {id_: id_ for id_ in ids}
    assert len({request.body for request in receiver.requests}) == len(ids)
