"""Commands go out as redis-py would send them, over every kind of connection."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import exceptions
from redis.asyncio import connection as plain

from tests.security.test_tls import AUTHORITY, tls_in_front_of
from tests.servers import RedisServer, free_port
from worker.errors import StoreUnavailable
from worker.store.connection import Connection
from worker.store.wire import QuickRedis, _QuickTcp, _QuickTls, _QuickUnix

ROOT = Path(__file__).parents[2]
KINDS = {"tcp": _QuickTcp, "unix": _QuickUnix, "tls": _QuickTls}
WORDS = st.one_of(
    st.text(st.characters(codec="utf-8")), st.binary(), st.integers(), st.floats(allow_nan=False)
)


def packed(name: str | bytes, words: list[str | bytes | int | float]) -> bytes:
    client = QuickRedis()
    return b"".join(client.connection_pool.connection_class().pack_command(name, *words))


@given(st.sampled_from(["GET", b"GET", "CONFIG GET", b"CONFIG GET"]), st.lists(WORDS))
def test_commands_are_packed_as_redis_py_packs_them(
    name: str | bytes, words: list[str | bytes | int | float]
) -> None:
    """Whatever they hold."""
    assert packed(name, words) == b"".join(plain.Connection().pack_command(name, *words))


async def clients_become(connection: Connection, count: int) -> None:
    """Wait until the server has so many connections: of one that ends it learns in its own time."""
    async with asyncio.timeout(10):
        while (await connection.command("INFO", "clients"))["connected_clients"] != count:
            pass


@pytest.mark.parametrize("way", ["tcp", "unix", "tls"])
async def test_a_large_command_arrives_whole(tmp_path: Path, way: str) -> None:
    """More than a socket takes at once, many times at once."""
    server = RedisServer(tmp_path, port=free_port()).start()
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    try:
        async with tls_in_front_of(server, named="127.0.0.1") as port:
            tls = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
            async with Connection({"tcp": server.tcp_url, "unix": server.url, "tls": tls}[way]) as connection:
                texts = [bytes([65 + number]) * 3_000_000 for number in range(5)]
                await asyncio.gather(
                    *(connection.command("SET", f"k{n}", text) for n, text in enumerate(texts))
                )
                kept = [await connection.command("GET", f"k{n}") for n in range(5)]
                assert kept == texts
                client = connection._redis
                assert isinstance(client, QuickRedis)
                assert {type(waiting) for waiting in client._waiting} == {KINDS[way]}
    finally:
        server.stop()


async def test_connections_are_used_again_unless_they_have_ended(tmp_path: Path) -> None:
    """One serves call after call, errors too; one that the server closes meanwhile is not kept."""
    server = RedisServer(tmp_path).start()
    try:
        async with Connection(server.url) as connection:
            first = await connection.command("CLIENT", "ID")
            with pytest.raises(exceptions.ResponseError):
                await connection._redis.execute_command("NO-SUCH-COMMAND")
            assert await connection.command("CLIENT", "ID") == first
            ids = await asyncio.gather(*(connection.command("CLIENT", "ID") for _ in range(20)))
            assert len(set(ids)) == 20
            async with Connection(server.url) as other:
                await other.command("CLIENT", "KILL", "SKIPME", "yes")
            again = await asyncio.gather(*(connection.command("CLIENT", "ID") for _ in range(20)))
            assert not set(ids) & set(again)
            await clients_become(connection, 20)
        async with Connection(server.url) as other:
            await clients_become(other, 1)
    finally:
        server.stop()


async def test_a_connection_that_cannot_be_looked_at_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong then, it neither stays open nor counts as in use."""

    async def unable(_: plain.AbstractConnection) -> bool:
        raise AttributeError

    server = RedisServer(tmp_path).start()
    try:
        async with Connection(server.url) as connection:
            await connection.command("PING")
            client = connection._redis
            assert isinstance(client, QuickRedis)
            (waiting,) = client._waiting
            with monkeypatch.context() as patched:
                patched.setattr(type(waiting), "can_read", unable)
                with pytest.raises(AttributeError):
                    await connection.command("PING")
            assert not waiting.is_connected
            assert not client.connection_pool._in_use_connections
            assert await connection.command("PING")
    finally:
        server.stop()


def test_no_redis_py_may_be_installed_that_cannot_look_at_a_connection() -> None:
    """`can_read` of connections of asyncio came with 8.0."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (least,) = (line.removeprefix("redis>=") for line in declared if line.startswith("redis>="))
    assert int(least.split(".")[0]) >= 8


async def test_a_cancelled_call_leaves_no_reply_behind(tmp_path: Path) -> None:
    """The next one over that connection would take it for its own."""
    server = RedisServer(tmp_path).start()
    try:
        async with Connection(server.url) as connection:
            await connection.command("PING")
            waiting = asyncio.create_task(connection.command("BLPOP", "nothing", 0))
            async with asyncio.timeout(10):
                while not (await connection.command("INFO", "clients"))["blocked_clients"]:
                    pass
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await connection.command("RPUSH", "nothing", "x")
            assert await connection.command("ECHO", "mine") == b"mine"
    finally:
        server.stop()


async def test_the_first_try_counts_for_the_patience() -> None:
    """A server that takes all the time there is, and says nothing, is not asked again."""
    asked: list[bytes] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        Connection(f"redis://127.0.0.1:{port}/0", timeout_s=0.2, patience_s=0.1) as connection,
    ):
        with pytest.raises(StoreUnavailable):
            await connection.command("PING")
        assert len(asked) == 1
