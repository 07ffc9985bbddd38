"""Sinks when something is away, when they are told to end, and when an event can go nowhere."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.cli.sink.process import ARTICLES, SOON, feed, finished, running, until
from tests.cli.sink.test_kills import lines_of
from tests.servers import RedisServer, free_port
from tests.sinks.receiver import Receiver
from worker.store.connection import Connection
from worker.store.consumer_group import ConsumerGroup

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sinks.postgres_server import PostgresServer


async def pending(connection: Connection, group: str) -> int:
    """Events that the group was given and has not acknowledged."""
    return int((await connection.command("XPENDING", ARTICLES, group))["pending"])


async def all_acknowledged(connection: Connection, group: str) -> None:
    """Return once the group has nothing left."""
    members = ConsumerGroup(connection, group, "")
    async with asyncio.timeout(60):
        while True:
            if not await members.lag(ARTICLES):
                return
            await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_redis_goes_away_and_comes_back(tmp_path: Path) -> None:
    """The sink waits, says so, and goes on; each event is once in the file."""
    server = RedisServer(tmp_path / "r", options=("--appendfsync", "always")).start()
    try:
        async with (
            Connection(server.url) as connection,
            running("jsonl", str(tmp_path / "articles.jsonl"), *SOON, redis_url=server.url) as sink,
        ):
            ids = await feed(connection, range(30))
            await sink.until("sink_started")
            await until(lambda: len(lines_of(tmp_path)) > 0)
            server.stop(signal.SIGKILL)
            await sink.until("consumer_waiting")
            server.start()
            await sink.until("consumer_resumed")
            ids += await feed(connection, range(30, 60))
            await until(lambda: len(lines_of(tmp_path)) == 60)
            assert await sink.term() == 0
        assert sorted(line["id"] for line in lines_of(tmp_path)) == sorted(ids)
    finally:
        server.stop(signal.SIGKILL)


async def test_a_redis_that_never_answers_keeps_no_sink_from_ending(tmp_path: Path) -> None:
    """It waits and says so; one signal is enough, and the exit code is 0."""
    words = ("jsonl", str(tmp_path / "articles.jsonl"), "--from", "start")
    async with running(*words, redis_url=f"unix://{tmp_path}/none.sock") as sink:
        await sink.until("consumer_waiting")
        assert await sink.term() == 0
    assert sink.lines[-1]["event"] == "sink_stopped"


async def test_a_redis_that_refuses_us_ends_it(tmp_path: Path) -> None:
    """Exit code 1, with what to do."""
    server = RedisServer(tmp_path / "r", port=free_port(), options=("--requirepass", "x")).start()
    url = server.tcp_url.replace("//", "//:hunter2@")
    try:
        async with running("webhook", "http://127.0.0.1:9/", redis_url=url, data_dir=str(tmp_path)) as sink:
            said = await sink.rest()
    finally:
        server.stop(signal.SIGKILL)
    assert sink.process.returncode == 1
    assert "refuses the credentials" in said
    assert "hunter2" not in f"{said}{sink.lines}"
    assert "Traceback" not in said
    assert "Unclosed" not in said


@pytest.mark.slow
async def test_postgres_goes_away_and_comes_back(
    redis_server: RedisServer,
    connection: Connection,
    postgres_server: PostgresServer,
    dsn: str,
) -> None:
    """Nothing is acknowledged meanwhile; told to end then, it ends, and the next one goes on."""
    settings = {"redis_url": redis_server.url, "postgres_dsn": dsn}
    await feed(connection, range(10))
    async with running("postgres", *SOON, **settings) as sink:
        await sink.until("sink_started")
        await all_acknowledged(connection, "sink-postgres")
        postgres_server.stop()
        try:
            await feed(connection, range(10, 20))
            assert "database test_" in (await sink.until("sink_waiting"))["error"]
        finally:
            postgres_server.start()
        await sink.until("sink_resumed")
        postgres_server.stop()
        try:
            await feed(connection, range(20, 30))
            await sink.until("sink_waiting")
            assert await sink.term() == 0
            assert await pending(connection, "sink-postgres") > 0
        finally:
            postgres_server.start()
    last = await finished("postgres", **settings)
    assert last.lines[-1]["written"] == 10
    assert await pending(connection, "sink-postgres") == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_after_the_batch_at_hand(
    redis_server: RedisServer, connection: Connection, tmp_path: Path, signum: int
) -> None:
    """Exit code 0; what is written is acknowledged, what is not is pending nowhere, and comes next time."""
    words = ("jsonl", str(tmp_path / "articles.jsonl"))
    ids = await feed(connection, range(200))
    async with running(*words, "--batch", "3", *SOON, redis_url=redis_server.url) as sink:
        await sink.until("sink_started")
        await until(lambda: len(lines_of(tmp_path)) > 0)
        assert await sink.term(signum) == 0
    stopped = sink.lines[-1]
    assert (stopped["event"], stopped["reason"]) == ("sink_stopped", signal.Signals(signum).name)
    assert stopped["written"] == len(lines_of(tmp_path))
    assert await pending(connection, "sink-jsonl") == 0 or stopped["written"] < 200
    last = await finished(*words, redis_url=redis_server.url)
    assert (last.lines[-1]["written"], last.lines[-1]["repeats"]) == (200 - stopped["written"], 0)
    assert sorted(line["id"] for line in lines_of(tmp_path)) == sorted(ids)


async def test_what_a_receiver_refuses_is_kept_with_the_reason(
    redis_server: RedisServer, connection: Connection, tmp_path: Path
) -> None:
    """In the outbox and not in Redis; all others are delivered. --retry-refused sends it again."""
    ids = await feed(connection, range(5))
    async with Receiver() as receiver:
        receiver.answer = lambda request: (422 if request.id == ids[2] else 204, {})
        words = ("webhook", receiver.url, "--outbox", str(tmp_path / "outbox"), "--max-attempts", "1")
        last = await finished(*words, redis_url=redis_server.url)
        assert last.lines[-1]["owed"] == 0
        assert set(receiver.ids) == set(ids)
        (letter,) = [line for line in last.lines if line["event"] == "event_refused"]
        assert (letter["id"], letter["reason"]) == (ids[2], "422 Unprocessable Entity")
        assert await rejected(connection, "sink-webhook") == []
        kept = await finished(*words, redis_url=redis_server.url)
        assert [line["set_aside"] for line in kept.lines if line["event"] == "sink_keeps_refused"] == [1]
        receiver.answer = lambda _: (204, {})
        receiver.requests.clear()
        again = await finished(*words, "--retry-refused", redis_url=redis_server.url)
        assert receiver.ids == [ids[2]]
        assert "sink_keeps_refused" not in [line["event"] for line in again.lines]


async def test_what_is_no_row_is_kept_with_the_reason(
    redis_server: RedisServer, connection: Connection, dsn: str
) -> None:
    """A number that no column holds; its neighbours are written."""
    await feed(connection, range(3))
    await feed(connection, [3], word_count=2**70)
    last = await finished("postgres", redis_url=redis_server.url, postgres_dsn=dsn)
    assert (last.lines[-1]["written"], last.lines[-1]["rejected"]) == (3, 1)
    (letter,) = await rejected(connection, "sink-postgres")
    assert "3" in letter["fields"]["id"]


async def test_a_receiver_that_is_gone_ends_it(
    redis_server: RedisServer, connection: Connection, tmp_path: Path
) -> None:
    """Exit code 1, and where the events are."""
    await feed(connection, range(3))
    async with Receiver() as receiver:
        receiver.answer = lambda _: (410, {})
        outbox = str(tmp_path / "outbox")
        async with running("webhook", receiver.url, "--outbox", outbox, redis_url=redis_server.url) as sink:
            said = await sink.rest()
    assert sink.process.returncode == 1
    assert "410 Gone" in said
    assert outbox in said
    assert "Traceback" not in said


async def rejected(connection: Connection, group: str) -> list[dict[str, Any]]:
    """The letters of what the group gave up."""
    reply = await connection.command("HVALS", f"{{ingest:0}}:rejected:{group}")
    return [orjson.loads(letter) for letter in reply]
