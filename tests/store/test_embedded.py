"""The embedded server: started, kept, stopped cleanly, and never two over one folder."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from worker.errors import NoRedisServer, StoreUnavailable
from worker.store import embedded
from worker.store.connection import Connection
from worker.store.embedded import EmbeddedRedis, find_server

if TYPE_CHECKING:
    from pathlib import Path


async def test_data_is_kept_between_runs(tmp_path: Path) -> None:
    """What one run stored, the next one finds; between them no process is left."""
    async with EmbeddedRedis(tmp_path) as server, Connection(server.url) as connection:
        pid = server.pid
        await connection.command("SET", "k", "v")
    assert pid is not None
    assert not psutil.pid_exists(pid)
    async with EmbeddedRedis(tmp_path) as server, Connection(server.url) as connection:
        assert await connection.command("GET", "k") == b"v"
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700


@pytest.mark.parametrize("depth", [1, 30])
async def test_second_server_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int) -> None:
    """A second server over the same folder is refused with the first one's address, however long its path."""
    monkeypatch.setattr(embedded, "_PREDECESSOR_PATIENCE_S", 0.1)
    folder = tmp_path / ("deep" * depth)
    async with EmbeddedRedis(folder) as first:
        with pytest.raises(StoreUnavailable, match=f"INGEST_REDIS_URL={first.url}"):
            async with EmbeddedRedis(folder):
                pass


async def test_long_folder_gets_a_short_socket(tmp_path: Path) -> None:
    """A data folder deeper than a socket's path may be works all the same."""
    folder = tmp_path / ("deep" * 30)
    async with EmbeddedRedis(folder) as server, Connection(server.url) as connection:
        assert await connection.command("PING") in (b"PONG", True)
        short = server.socket
    assert (folder / "appendonly.aof").exists() or (folder / "appendonlydir").exists()
    assert not short.exists()


async def test_broken_data_is_told_with_the_log(tmp_path: Path) -> None:
    """A server that cannot read its data says so, with the end of its log."""
    (tmp_path / "appendonly.aof").write_text("nonsense")
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense")
    with pytest.raises(StoreUnavailable, match=r"did not start\. Its log ends"):
        async with EmbeddedRedis(tmp_path):
            pass


def test_nothing_to_run_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any binary, the error says what to install on which system."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NoRedisServer, match="apt install redis-server"):
        find_server()


def test_too_old_server_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old server on PATH is not used, and is named when there is nothing else."""
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.7 sha=0'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NoRedisServer, match=r"redis-server is 5\.0\.7"):
        find_server()


def test_server_ends_with_a_killed_parent(tmp_path: Path) -> None:
    """When the process that started it is killed by SIGKILL, the server stops by itself."""
    code = (
        "import asyncio, pathlib, sys\n"
        "from worker.store.embedded import EmbeddedRedis\n"
        "async def main():\n"
        "    async with EmbeddedRedis(pathlib.Path(sys.argv[1])) as server:\n"
        "        print(server.pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    parent.stdout.close()
    server.wait(10)


async def test_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    """A data folder that cannot be made is named, with the setting to change."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="INGEST_DATA_DIR"):
        async with EmbeddedRedis(tmp_path / "file" / "folder"):
            pass
