"""`ingest status --watch`, on a terminal and in a pipe, over a real Redis and a real worker."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, environ, run
from tests.cli.terminal import on_terminal
from tests.ops.conftest import watching
from tests.servers import RedisServer
from worker.store.keys import Keys

if TYPE_CHECKING:
    from pathlib import Path

    from worker.store.connection import Connection

TRICK = "\x1b]0;owned\x07\x1b[2J\u202eTitle\r\n\x9b31m"


async def test_the_whole_screen_is_the_dashboards(
    connection: Connection, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Figures, hosts, articles and letters of a real run fill the window, also once it is larger."""
    async with watching(connection, redis_server.url, tmp_path) as watched:
        await watched.start()
        urls = [watched.origin.url(number) for number in range(6)]
        gone = urls[0].replace("/a/0", "/gone/1")
        async with on_terminal(
            "status", "--watch", "0.5", lines=24, columns=80, redis_url=redis_server.url
        ) as terminal:
            await terminal.until(lambda frame: any("1 worker " in line for line in frame))
            ledger = await watched.work_off(*urls, urls[0], gone)
            frame = await terminal.until(lambda frame: any(gone[:30] in line for line in frame))
            assert len(frame) == 24
            assert max(map(len, frame)) == 80
            row = next(at for at, line in enumerate(frame) if line.startswith("accepted ="))
            numbers = list(ledger.figures().values())
            assert frame[row + 1].split() == [*map(str, numbers), "balanced"]
            assert any("dead:http_404" in line for line in frame)
            assert any("Latest of 1 dead letters" in line for line in frame)
            assert sum("Pier /a/" in line for line in frame) >= 2
            terminal.resize(50, 150)
            frame = await terminal.until(lambda frame: len(frame) == 50)
            assert max(map(len, frame)) == 150
            assert sum("Pier /a/" in line for line in frame) == 6
            assert terminal.strange == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_the_terminal_is_given_back(
    connection: Connection, redis_server: RedisServer, signum: signal.Signals, code: int
) -> None:
    """A signal ends it without a traceback; the first screen and the cursor are there again."""
    async with on_terminal("status", "--watch", lines=24, columns=80, redis_url=redis_server.url) as terminal:
        await terminal.until(lambda frame: any("accepted" in line for line in frame))
        assert await terminal.end(signum) == code
        assert terminal.text.rindex("\x1b[?1049l") > terminal.text.rindex("\x1b[H")
        assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")
        assert "Traceback" not in terminal.text


async def test_redis_away_is_shown_and_outlived(tmp_path: Path) -> None:
    """From the start, and later: the figures stay, with how old they are, until there are new ones."""
    server = RedisServer(tmp_path / "redis")
    try:
        async with on_terminal(
            "status", "--watch", "0.5", lines=24, columns=80, redis_url=server.url
        ) as terminal:
            await terminal.until(lambda frame: any("no figures for" in line for line in frame))
            server.start()
            frame = await terminal.until(lambda frame: any("balanced" in line for line in frame))
            assert not any("no figures" in line for line in frame)
            server.stop(signal.SIGKILL)
            frame = await terminal.until(lambda frame: any("no figures for" in line for line in frame))
            assert any("balanced" in line for line in frame)
            assert len(frame) == 24
            server.start()
            await terminal.until(
                lambda frame: bool(frame) and not any("no figures" in line for line in frame)
            )
            assert await terminal.end(signal.SIGINT) == 130
            assert "Traceback" not in terminal.text
    finally:
        server.stop(signal.SIGKILL)


async def test_no_title_steers_the_terminal(connection: Connection, redis_server: RedisServer) -> None:
    """Escape sequences, line ends and changes of direction of a page or an item become spaces."""
    data = {"article_id": "a", "task": {"task_id": "1"}, "title": TRICK, "url": TRICK, "revision": 1}
    fields = ("time", "2026-01-01T00:00:00Z", "data", orjson.dumps(data))
    await connection.command("XADD", Keys().articles(), "*", *fields)
    letter = {"reason": "malformed", "url": None, "item": TRICK, "error": TRICK}
    fields = ("time", "2026-01-01T00:00:00Z", "data", orjson.dumps(letter))
    await connection.command("XADD", Keys().dead(), "*", *fields)
    async with on_terminal("status", "--watch", lines=24, columns=80, redis_url=redis_server.url) as terminal:
        frame = await terminal.until(lambda frame: any("malformed" in line for line in frame))
        assert sum("owned" in line for line in frame) == 2
        assert not any("\u202e" in line for line in frame)
        assert terminal.strange == []


async def test_hosts_have_the_room_of_the_lists(connection: Connection, redis_server: RedisServer) -> None:
    """With --hosts the screen has no articles and no letters."""
    async with on_terminal(
        "status", "--hosts", "--watch", lines=24, columns=80, redis_url=redis_server.url
    ) as terminal:
        frame = await terminal.until(lambda frame: any("Hosts in trouble" in line for line in frame))
        assert not any("Latest" in line for line in frame)


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_pipe_gets_a_status_for_each_look(tmp_path: Path, as_json: bool) -> None:
    """Whole lines of JSON, or blocks of text with their time; an outage is told on stderr, once."""
    server = RedisServer(tmp_path / "redis").start()
    begins = b'{"ledger"' if as_json else b"0 accepted = "
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "status", "--watch", "0.5", *(["--json"] if as_json else [])),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environ(redis_url=server.url),
    )
    assert process.stdout is not None
    assert process.stderr is not None

    async def looks(count: int) -> None:
        while count:
            line = await asyncio.wait_for(process.stdout.readline(), 30)  # type: ignore[union-attr]
            assert b"\x1b" not in line
            count -= line.startswith(begins)

    try:
        await looks(3)
        server.stop(signal.SIGKILL)
        assert b"asked again every 0.5 s" in await asyncio.wait_for(process.stderr.readline(), 30)
        server.start()
        assert await asyncio.wait_for(process.stderr.readline(), 30) == b"ingest: Redis answers again\n"
        await looks(2)
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 20)
        assert (process.returncode, err) == (130, b"")
    finally:
        server.stop(signal.SIGKILL)


def test_a_refusal_is_no_outage(redis_server: RedisServer) -> None:
    """Where Redis will never let us in there is nothing to wait for."""
    ran = run("status", "--watch", "--json", redis_url=f"{redis_server.url}?db=999")
    assert (ran.code, "has no such database" in ran.err) == (1, True)
    ran = run("status", "--watch", "0", redis_url=redis_server.url)
    assert (ran.code, "0.5<=x<=3600" in ran.err) == (2, True)


def test_help_does_not_pay_for_the_screen() -> None:
    """Neither rich nor anything of the ops port is imported to list the commands."""
    code = (
        "import sys, contextlib\nfrom worker.cli.entry import ingest\n"
        "with contextlib.suppress(SystemExit): ingest(['--help'])\n"
        "sys.exit(str([name for name in sys.modules if name.startswith(('rich', 'worker.ops', 'redis'))]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.stderr == "[]\n"
