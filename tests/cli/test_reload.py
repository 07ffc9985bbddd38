"""SIGHUP: a running worker gives the fleet the hosts' file anew."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, environ

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys


@asynccontextmanager
async def worker(server: RedisServer, file: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`ingest run` as a process, killed if the test leaves it behind."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "run"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=environ(redis_url=server.url, log_format="json", extract_processes="1", hosts_file=str(file)),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def heard(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    """The next log line of that event."""
    assert process.stdout is not None
    while line := await asyncio.wait_for(process.stdout.readline(), 30):
        fields: dict[str, Any] = orjson.loads(line)
        if fields["event"] == event:
            return fields
    raise AssertionError(f"the log ended without {event}")


async def test_sighup_reloads_and_a_bad_file_changes_nothing(
    redis_server: RedisServer, connection: Connection, keys: Keys, tmp_path: Path
) -> None:
    """A good file is the fleet's from now on; a bad one is logged, and the rules stay as they were."""
    file = tmp_path / "hosts.toml"
    file.write_text('["a.example"]\nspacing_s = 5\n')

    async def rules() -> dict[str, str]:
        reply = await connection.command("HGETALL", keys.part(0, "policy"))
        return {host.decode(): words.decode() for host, words in reply.items() if host != b"*"}

    async with worker(redis_server, file) as process:
        await heard(process, "worker_started")
        assert await rules() == {"a.example": "5000 - -"}
        file.write_text('["b.example"]\nslots = 3\ndelay_factor = 0.5\n')
        process.send_signal(signal.SIGHUP)
        assert (await heard(process, "host_rules_loaded"))["hosts"] == 1
        assert await rules() == {"b.example": "- 3 0.5"}
        file.write_text('["b.example"]\nslots = 0\n')
        process.send_signal(signal.SIGHUP)
        assert "line 1, 'b.example': slots is 0" in (await heard(process, "host_rules_refused"))["error"]
        file.write_text("a = " + "[" * 20_000)
        process.send_signal(signal.SIGHUP)
        assert "nests too deep" in (await heard(process, "host_rules_refused"))["error"]
        assert await rules() == {"b.example": "- 3 0.5"}
        process.send_signal(signal.SIGTERM)
        await heard(process, "worker_stopped")
        assert await asyncio.wait_for(process.wait(), 30) == 0


def test_a_faulty_file_keeps_a_worker_from_starting(ingest: Callable[..., Ran], tmp_path: Path) -> None:
    """At the start a faulty file is a wrong setting: exit code 2, and the message names its place."""
    file = tmp_path / "hosts.toml"
    file.write_text("[www.example.com]\n")
    ran = ingest("run", hosts_file=str(file))
    assert ran.code == 2
    assert "line 1, 'www': a name with dots needs quotes" in ran.err
