"""The way in: what it lists, and how failures, interruptions and closed pipes end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, environ, run
from worker.cli.entry import COMMANDS
from worker.cli.failures import told_plainly
from worker.errors import StoreUnusable

if TYPE_CHECKING:
    from tests.servers import RedisServer


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_itself(name: str) -> None:
    """The line in the list is the first line of the command's own help."""
    assert COMMANDS[name].load().get_short_help_str(limit=100) == COMMANDS[name].says


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "schema"])
def test_help_names_the_settings_that_matter(name: str) -> None:
    """Whoever reads a command's help learns which settings it reads."""
    assert "INGEST_" in (COMMANDS[name].load().help or "")


def test_the_command_of_suspects_is_there_but_hidden() -> None:
    """A worker can start it; the help does not offer it."""
    assert run("suspects", "--help").code == 0
    assert "suspects" not in run("--help").out


def test_help_imports_nothing_that_it_does_not_show() -> None:
    """No library but click is loaded for it, and of Python's own none that is slow to load."""
    seen = {
        name.partition(".")[0] for name in _loaded("from worker.cli.entry import ingest; ingest(['--help'])")
    }
    seen -= {name.partition(".")[0] for name in _loaded("")}
    assert {"click", "worker"} <= seen
    assert seen - {"click", "worker"} - sys.stdlib_module_names == set()
    assert (
        seen & {"asyncio", "concurrent", "email", "http", "json", "multiprocessing", "ssl", "subprocess"}
        == set()
    )


def _loaded(program: str) -> list[str]:
    """The modules that are there when this program ends."""
    watched = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); " + program
    done = subprocess.run(
        [sys.executable, "-c", watched], capture_output=True, text=True, check=True, cwd=ROOT, env=environ()
    )
    return done.stderr.split()


def test_ctrl_c_ends_quietly(redis_server: RedisServer) -> None:
    """An interrupted command exits 130 and prints no traceback."""
    watching = subprocess.Popen(
        [*COMMAND, "status", "--watch", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environ(redis_url=redis_server.url),
    )
    assert watching.stdout is not None
    assert watching.stdout.readline().startswith(b'{"ledger"')
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=20)
    assert (watching.returncode, err) == (130, b"")


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    """Nothing is printed about a closed pipe; the exit code is that of SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as closed:
        done = subprocess.run(
            [*COMMAND, "schema"],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
            cwd=ROOT,
            env=environ(),
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_server_that_is_no_redis_is_told(http_port: int) -> None:
    """An address where something else answers is not taken for a Redis that is away."""
    ran = run("status", redis_url=f"redis://127.0.0.1:{http_port}")
    assert ran.code == 1
    assert "is no Redis" in ran.err


def test_a_database_that_does_not_exist_is_told(redis_server: RedisServer) -> None:
    """A number past the server's databases is a mistake in the setting."""
    ran = run("status", redis_url=f"{redis_server.url}?db=999")
    assert ran.code == 1
    assert "has no such database" in ran.err


def test_the_same_refusal_from_several_tasks_is_told_once() -> None:
    """A group of expected errors, however nested, ends as one message."""
    refusal = StoreUnusable("wrong password")
    nested = ExceptionGroup("outer", [ExceptionGroup("inner", [refusal]), refusal])
    with pytest.raises(click.ClickException, match="wrong password"), told_plainly():
        raise nested


def test_a_fault_of_our_own_keeps_its_traceback() -> None:
    """What nobody expected is not dressed up, not even beside something expected."""
    with pytest.raises(ExceptionGroup), told_plainly():
        raise ExceptionGroup("mixed", [StoreUnusable("no"), ValueError("bug")])
