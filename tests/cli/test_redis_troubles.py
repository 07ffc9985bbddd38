"""Redis absent, refusing, full, a replica: which it is and what to do; never a traceback."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.chaos.fleet import ROOT, clean_environ
from tests.cli.conftest import COMMAND, run
from tests.servers import RedisServer, free_port
from worker.store.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Starts servers with options of their own."""
    servers: list[RedisServer] = []

    def start(*options: str) -> RedisServer:
        folder = tmp_path / f"redis{len(servers)}"
        servers.append(RedisServer(folder, port=free_port(), options=options).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop(signal.SIGKILL)


def start_worker(url: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "run", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=clean_environ() | {"INGEST_REDIS_URL": url, "INGEST_LOG_FORMAT": "json"},
    )


@pytest.mark.parametrize("words", [["status"], ["add", "http://a.example/"], ["dead", "list"], ["tail"]])
def test_commands_name_the_absent_redis(words: list[str]) -> None:
    """Without Redis a command ends with 1 in a few seconds, and says where it looked."""
    port = free_port()
    ran = run(*words, redis_url=f"redis://127.0.0.1:{port}/0")
    assert ran.code == 1
    assert f"no answer from Redis at 127.0.0.1:{port}" in ran.err


def test_worker_waits_for_redis_and_then_works(tmp_path: Path) -> None:
    """A worker that starts before Redis says so, waits, and takes up work once it is there."""
    server = RedisServer(tmp_path, port=free_port())
    worker = start_worker(server.tcp_url)
    assert worker.stdout is not None
    try:
        assert '"redis_unavailable"' in worker.stdout.readline()
        server.start()
        assert '"redis_restored"' in worker.stdout.readline()
        assert '"worker_started"' in worker.stdout.readline()
        worker.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=30)
        assert (worker.returncode, err) == (0, "")
    finally:
        worker.kill()
        worker.communicate()
        server.stop()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_worker_that_waits_for_redis_ends_at_once(signum: signal.Signals) -> None:
    """SIGTERM or Ctrl-C ends a worker that is still waiting for Redis, with 0."""
    worker = start_worker(f"redis://127.0.0.1:{free_port()}/0")
    assert worker.stdout is not None
    assert '"redis_unavailable"' in worker.stdout.readline()
    worker.send_signal(signum)
    out, err = worker.communicate(timeout=10)
    assert (worker.returncode, err) == (0, "")
    # Else whoever reads the log takes Redis for away until somebody cleans up.
    last = orjson.loads(out.splitlines()[-1])
    assert (last["event"], last["reason"], last["published"]) == ("worker_stopped", signum.name, 0)


def test_wrong_password_ends_the_worker(serve: Callable[..., RedisServer]) -> None:
    """A wrong password is not retried: exit code 1, the setting named, the password not."""
    server = serve("--requirepass", "right")
    worker = start_worker(server.tcp_url.replace("redis://", "redis://:wr0ng@"))
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 1
    assert "INGEST_REDIS_URL" in err
    assert "Traceback" not in err + out
    assert "wr0ng" not in err + out
    told = [orjson.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in told] == ["redis_unusable", "worker_stopped"]
    assert told[-1]["reason"] == "redis unusable"


def test_full_redis_is_told(serve: Callable[..., RedisServer]) -> None:
    """At maxmemory, `add` fails with what to do."""
    server = serve("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    ran = run("add", "http://a.example/", redis_url=server.tcp_url)
    assert ran.code == 1
    assert "raise maxmemory" in ran.err


async def test_worker_outlasts_a_full_redis(serve: Callable[..., RedisServer]) -> None:
    """A worker over a full Redis waits, says why, and goes on when there is room."""
    server = serve("--maxmemory-policy", "noeviction")
    assert run("add", "ftp://no", "http://127.0.0.1:1/", redis_url=server.tcp_url).code == 1
    await _config(server, "maxmemory", "1")
    worker = start_worker(server.tcp_url, "--until-empty")
    assert worker.stdout is not None
    line = await asyncio.to_thread(worker.stdout.readline)
    assert "raise maxmemory" in line
    await _config(server, "maxmemory", "0")
    out, err = await asyncio.to_thread(worker.communicate, None, 30)
    assert (worker.returncode, err) == (0, "")
    assert '"blocked_address"' in out


def test_replica_is_told(serve: Callable[..., RedisServer]) -> None:
    """A read-only replica is named as one, with where to point instead."""
    primary = serve()
    replica = serve("--replicaof", "127.0.0.1", str(primary.port))
    ran = run("add", "http://a.example/", redis_url=replica.tcp_url)
    assert ran.code == 1
    assert "read-only replica" in ran.err


async def _config(server: RedisServer, name: str, value: str) -> None:
    async with Connection(server.tcp_url) as connection:
        await connection.command("CONFIG", "SET", name, value)
