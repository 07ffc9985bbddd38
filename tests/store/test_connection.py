"""The connection: outages waited out, refusals told apart, in words that say what to do."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.conformance.topologies import ask, wait_until
from tests.servers import RedisServer, free_port
from tests.store.acting import submission
from worker.errors import StoreUnavailable, StoreUnusable
from worker.store.connection import Connection
from worker.store.durability import Unconfirmed
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.scripts import script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Serve = "Callable[..., RedisServer]"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Starts servers with options of their own."""
    servers: list[RedisServer] = []

    def start(*options: str) -> RedisServer:
        folder = tmp_path / str(len(servers))
        servers.append(RedisServer(folder, port=free_port(), options=options).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop(signal.SIGKILL)


class Told:
    """A watch that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.heard = asyncio.Event()

    def unavailable(self, why: str) -> None:
        self.lines.append(why)
        self.heard.set()

    def restored(self, after_s: float) -> None:
        self.lines.append("restored")


async def test_absent_server_is_named() -> None:
    """With nobody listening, the error says where, once patience has ended."""
    port = free_port()
    async with Connection(f"redis://127.0.0.1:{port}/0", patience_s=0.2) as connection:
        with pytest.raises(StoreUnavailable, match=f"no answer from Redis at 127.0.0.1:{port}/0"):
            await connection.check()


async def test_outage_is_waited_out(serve: Callable[..., RedisServer]) -> None:
    """A call made while Redis is away is answered once it is back, and the watch hears of both, once."""
    server, told = serve(), Told()
    async with Connection(server.tcp_url, patience_s=None, watch=told) as connection:
        await connection.command("SET", "k", "v")
        server.stop(signal.SIGKILL)
        waiting = asyncio.create_task(connection.command("GET", "k"))
        await told.heard.wait()
        assert connection.steady_s == 0
        server.start()
        assert await waiting == b"v"
        assert told.lines[1:] == ["restored"]
        assert connection.steady_s < 5


async def test_answered_reads_do_not_end_an_outage_of_writes(serve: Callable[..., RedisServer]) -> None:
    """While Redis refuses writes and answers reads, it is away, once; the answer to the write ends that."""
    server, told = serve(), Told()
    async with (
        Connection(server.tcp_url, patience_s=None, watch=told) as connection,
        Connection(server.tcp_url) as operator,
    ):
        await operator.command("CONFIG", "SET", "min-replicas-to-write", 1)
        waiting = asyncio.create_task(connection.run("beat", ["{ingest:queue}:workers"], ["w", 1000]))
        await told.heard.wait()
        for _ in range(20):
            await connection.of_primaries("PING")
        assert len(told.lines) == 1
        assert "refuses writes" in connection.trouble
        assert connection.steady_s == 0
        await operator.command("CONFIG", "SET", "min-replicas-to-write", 0)
        assert await waiting == []
        assert told.lines[1:] == ["restored"]
        assert (connection.trouble, connection.steady_s < 5) == ("", True)


async def test_a_call_given_up_leaves_the_end_to_the_next_answer(serve: Callable[..., RedisServer]) -> None:
    """A caller that is cancelled during an outage knows nothing of its end; whoever is answered next does."""
    server, told = serve(), Told()
    async with (
        Connection(server.tcp_url, patience_s=None, watch=told) as connection,
        Connection(server.tcp_url) as operator,
    ):
        await operator.command("CONFIG", "SET", "min-replicas-to-write", 1)
        waiting = asyncio.create_task(connection.command("SET", "k", "v"))
        await told.heard.wait()
        waiting.cancel()
        await asyncio.wait({waiting})
        assert len(told.lines) == 1
        assert connection.trouble
        await operator.command("CONFIG", "SET", "min-replicas-to-write", 0)
        await connection.command("SET", "k", "v")
        assert told.lines[1:] == ["restored"]


async def test_wrong_password_is_final(serve: Callable[..., RedisServer]) -> None:
    """A wrong password is not retried, and the error names the setting, not the password."""
    server = serve("--requirepass", "right")
    unix = server.url.replace("unix://", "unix://:wr0ng@")
    for url in (server.tcp_url, server.tcp_url.replace("redis://", "redis://:wr0ng@"), unix):
        async with Connection(url, patience_s=None) as connection:
            with pytest.raises(StoreUnusable, match="INGEST_REDIS_URL") as error:
                await connection.check()
            assert "wr0ng" not in str(error.value)


async def test_out_of_memory_says_so(serve: Callable[..., RedisServer]) -> None:
    """At maxmemory a write is retried, and then fails with what to do."""
    server = serve("--maxmemory-policy", "noeviction")
    async with Connection(server.tcp_url, patience_s=0.2) as connection:
        await connection.command("RPUSH", "ingest:queue", "http://a.example/")
        await connection.command("CONFIG", "SET", "maxmemory", 1)
        with pytest.raises(StoreUnavailable, match="raise maxmemory"):
            await connection.command("SET", "k", "v")
        with pytest.raises(StoreUnavailable, match="raise maxmemory"):
            await connection.run("take", ["ingest:queue", "{ingest:queue}:taken:w", "n"], [1, 100])
        assert await connection.command("LLEN", "ingest:queue") == 1


async def test_replica_says_so(serve: Callable[..., RedisServer]) -> None:
    """A read-only replica is named as one."""
    primary = serve()
    replica = serve("--replicaof", "127.0.0.1", str(primary.port))
    async with Connection(replica.tcp_url, patience_s=0.2) as connection:
        with pytest.raises(StoreUnavailable, match="read-only replica"):
            await connection.check()


async def test_old_server_is_refused(
    serve: Callable[..., RedisServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server older than we need is refused, with its version and ours."""
    server = serve()
    monkeypatch.setattr("worker.store.connection.OLDEST_SERVER", (99, 0))
    async with Connection(server.tcp_url) as connection:
        with pytest.raises(StoreUnusable, match=r"is version \d+\.\d+.*needs Redis"):
            await connection.check()


async def test_scripts_survive_a_flush(connection: Connection) -> None:
    """A server that has forgotten the scripts is taught them again."""
    for _ in range(2):
        await connection.command("SCRIPT FLUSH")
        assert await connection.run("beat", ["{ingest:queue}:workers"], ["w", 1000]) == []


async def test_cancelled_command_spoils_nothing(connection: Connection) -> None:
    """A caller that is cancelled half-way leaves no reply behind for the next one."""
    await connection.command("SET", "mine", "my own")
    for _ in range(50):
        caller = asyncio.create_task(connection.command("GET", "k"))
        await asyncio.sleep(0)
        caller.cancel()
        assert await connection.command("GET", "mine") == b"my own"
    await connection.command("DEL", "mine")


async def test_replica_that_becomes_primary_is_waited_for(serve: Callable[..., RedisServer]) -> None:
    """A check of a replica is repeated until a failover has made it the primary."""
    primary, told = serve(), Told()
    replica = serve("--replicaof", "127.0.0.1", str(primary.port))
    async with Connection(replica.tcp_url, patience_s=None, watch=told) as connection:
        checking = asyncio.create_task(connection.check())
        await told.heard.wait()
        assert "read-only replica" in told.lines[0]
        await connection.command("REPLICAOF", "NO", "ONE")
        assert (await checking)["role"] == "master"


async def test_busy_server_is_waited_for(serve: Callable[..., RedisServer]) -> None:
    """A script of someone else's that runs for long is waited out."""
    server, told = serve("--lua-time-limit", "50"), Told()
    spin = "local t = redis.call('TIME') while redis.call('TIME')[1] - t[1] < 2 do end return 1"
    async with (
        Connection(server.tcp_url, patience_s=None) as other,
        Connection(server.tcp_url, patience_s=None, watch=told) as connection,
    ):
        spinning = asyncio.create_task(other.command("EVAL", spin, 0))
        while not told.lines:
            await connection.command("PING")
        assert "asks for patience" in told.lines[0]
        assert await spinning == 1


async def test_key_of_another_is_told(connection: Connection) -> None:
    """A key that is not of our making is named as such, with what to change."""
    await connection.command("SET", "ingest:queue", "x")
    with pytest.raises(StoreUnusable, match="INGEST_NAMESPACE"):
        await connection.command("LLEN", "ingest:queue")


async def test_many_calls_at_once_are_no_outage(serve: Callable[..., RedisServer]) -> None:
    """A worker of many places may ask as many things at once: that is no reason to call Redis unreachable."""
    watch = Told()
    async with Connection(serve().url, patience_s=None, watch=watch) as connection:
        await asyncio.gather(*(connection.command("PING") for _ in range(300)))
    assert watch.lines == []


async def test_an_unconfirmed_push_is_made_once(serve: Callable[..., RedisServer]) -> None:
    """With durability `wait` and no replica, the caller hears so, and the item stands in the queue once."""
    async with Connection(serve().url, timeout_s=2, patience_s=9, durability="wait") as connection:
        with pytest.raises(Unconfirmed, match="no replica has confirmed"):
            await connection.append("queue", ["http://a.example/"])
        assert await connection.command("LLEN", "queue") == 1


async def test_primary_made_a_replica_under_a_wait_is_waited_for(serve: Callable[..., RedisServer]) -> None:
    """A planned failover ends a WAIT with an error of its own: an outage, and no fault of ours."""
    server, told = serve(), Told()
    async with Connection(
        server.url, timeout_s=30, patience_s=0.2, watch=told, durability="wait"
    ) as connection:
        await connection.command("SCRIPT LOAD", script("admit").text)
        inbox = Inbox(connection, Keys(), worker="one")
        admitting = asyncio.create_task(inbox.admit([(7, submission("http://a.example/"))]))
        await asyncio.to_thread(
            wait_until, "a WAIT", lambda: ask(server, "INFO", "clients")["blocked_clients"]
        )
        ask(server, "REPLICAOF", "127.0.0.1", free_port())
        with pytest.raises(StoreUnavailable):
            await admitting
    assert "UNBLOCKED" in told.lines[0]


async def test_no_cancellation_is_swallowed(connection: Connection) -> None:
    """A caller that is cancelled ends, in whichever turn of the loop that comes."""

    async def ask_for_ever() -> None:
        while True:
            await connection.command("PING")

    for turns in range(60):
        asking = asyncio.create_task(ask_for_ever())
        for _ in range(20 + turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking}, timeout=5)
        assert asking.cancelled()
