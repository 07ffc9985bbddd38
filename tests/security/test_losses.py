"""What docs/what-can-be-lost.md says of Redis itself, where it can be shown in a second."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from tests.conformance.binaries import BINARIES, missing
from tests.security.roles import GuardedRedis, say
from tests.servers import RedisServer
from worker.errors import StoreUnusable
from worker.store.connection import Connection
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.ledger import read_ledger
from worker.urls import parse_item

if TYPE_CHECKING:
    from pathlib import Path

KEYS = Keys()
PUSHED = [f"https://example.com/{number}" for number in range(50)]


async def _accepted_after_kill(server: RedisServer) -> tuple[int, int, bool]:
    """Accept 30 of 50 pushed URLs, kill Redis at once, start it again: accepted, still queued, balanced."""
    server.start()
    async with Connection(server.url, patience_s=5) as connection:
        inbox = Inbox(connection, KEYS, worker="one")
        await inbox.push(PUSHED)
        await inbox.admit([(item.number, parse_item(item.raw)) for item in await inbox.take(30)])
        server.stop(signal.SIGKILL)
        server.start()
        ledger = await read_ledger(connection, KEYS)
        return ledger.accepted, await inbox.length(), ledger.balanced


@pytest.mark.parametrize("fsync", ["everysec", "always"])
async def test_killed_redis_with_aof_loses_nothing(tmp_path: Path, fsync: str) -> None:
    """What Redis has answered, the kernel has: its own death, unlike the machine's, costs nothing."""
    server = RedisServer(tmp_path / "r", options=("--appendfsync", fsync))
    try:
        assert await _accepted_after_kill(server) == (30, 20, True)
    finally:
        server.stop(signal.SIGKILL)


async def test_killed_redis_without_aof_loses_all_and_the_ledger_does_not_see_it(tmp_path: Path) -> None:
    """An empty Redis balances: nothing of everything."""
    server = RedisServer(tmp_path / "r", options=("--appendonly", "no"))
    try:
        assert await _accepted_after_kill(server) == (0, 0, True)
    finally:
        server.stop(signal.SIGKILL)


@pytest.mark.parametrize("name", BINARIES)
async def test_restarted_redis_with_users_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Redis 7 and 8 replay transactions, which is what scripts become, by the rights of the user `default`.

    Without any, all of them were left out in silence: https://github.com/redis/redis/issues/14541.
    """
    if why := missing(name):
        pytest.skip(why)
    monkeypatch.setattr("tests.servers.BINARY", name)
    server = GuardedRedis(tmp_path / "r")
    try:
        server.start()
        async with Connection(server.url_of("worker"), patience_s=5) as connection:
            inbox = Inbox(connection, KEYS, worker="one")
            await inbox.push(PUSHED)
            await inbox.admit([(item.number, parse_item(item.raw)) for item in await inbox.take(30)])
            server.stop()
            server.start()
            ledger = await read_ledger(connection, KEYS)
            assert (ledger.accepted, ledger.waiting, await inbox.length()) == (30, 30, 20)
    finally:
        server.stop(signal.SIGKILL)


async def test_missing_right_stops_a_script_in_the_middle(guarded: GuardedRedis) -> None:
    """Why an ACL file goes before the workers that need it: what a script wrote before its refusal stays."""
    async with Connection(guarded.url_of("worker")) as connection:
        inbox = Inbox(connection, KEYS, worker="one")
        await inbox.push(PUSHED[:1])
        (item,) = await inbox.take(1)
        with guarded.client("root") as root:
            say(root, "ACL", "SETUSER", "worker", "-hincrby")
            with pytest.raises(StoreUnusable, match=r"users\.acl"):
                await inbox.admit([(item.number, parse_item(item.raw))])
            assert say(root, "LLEN", KEYS.part(0, "wait:example.com")) == 1
        assert (await read_ledger(connection, KEYS)).accepted == 0


async def test_worker_refused_a_right_ends_and_names_it(guarded: GuardedRedis, tmp_path: Path) -> None:
    """It does not wait for its work to end, and neither its log nor its last words blame a fault of ours."""
    settings = {
        "INGEST_REDIS_URL": guarded.url_of("worker"),
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": "0.01",
        "INGEST_DRAIN_S": "300",
    }
    fleet = Fleet(tmp_path, settings)
    try:
        async with Origin(20) as origin:
            with guarded.client("root") as root:
                root.rpush(KEYS.queue, *(origin.url(number) for number in range(200)))
                worker = fleet.start()
                deadline = time.monotonic() + 30
                while root.xlen(KEYS.articles()) < 5:
                    assert time.monotonic() < deadline, fleet.errors()
                    await asyncio.sleep(0.01)
                say(root, "ACL", "SETUSER", "worker", "-xadd")
            assert await asyncio.to_thread(worker.wait, 30) == 1
        lines = list(fleet.lines())
        assert [line["event"] for line in lines if line["level"] == "error"] == ["redis_unusable"]
        assert all("users.acl" in line["error"] for line in lines if line["level"] == "error")
        assert lines[-1]["reason"] == "redis unusable"
        assert fleet.errors().count("users.acl") == 1
    finally:
        fleet.end()
