"""`deploy/systemd/ingest.service`: sound, hardened, and true to the worker's exit codes and times."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click import Context

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, environ, run
from tests.deploy.programs import DEPLOY, output_of, program
from worker.cli.entry import ingest
from worker.cli.failures import Failed, WrongSettings
from worker.runtime.supervisor import _LAST_WORDS_S
from worker.settings import PREFIX, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import RedisServer

UNIT = DEPLOY / "systemd" / "ingest.service"
LINES = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
#: README, Figures: what all processes of a worker held at most.
_TREE_BYTES = 201_000_000
#: Of 100 at most, as `systemd-analyze security` counts what a process could do if it were taken over.
_MOST_EXPOSED = 20
#: Linux 6.3: what MemoryDenyWriteExecute= asks for, without systemd (prctl 2).
_DENY_WRITE_EXECUTE = """
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


def said(key: str) -> list[str]:
    """All values of a key, in their order."""
    return [line.partition("=")[2] for line in LINES if line.startswith(f"{key}=")]


def only(key: str) -> str:
    """The one value of a key."""
    (value,) = said(key)
    return value


def settings() -> dict[str, str]:
    """What the unit sets by itself."""
    return dict(word.split("=", 1) for line in said("Environment") for word in line.split())


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit under both of its names, with an `ingest` that is there."""
    text = UNIT.read_text().replace(only("ExecStart").split()[0], sys.executable)
    for name in ("ingest.service", "ingest@.service"):
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", ["ingest.service", "ingest@2.service"])
def test_systemd_finds_no_fault(installed: Path, name: str) -> None:
    """By itself and as a template: every key is known, and every value."""
    verify = [program("systemd-analyze"), "verify", "--man=no", str(installed / name)]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
    # It passes over a key that it does not know, and says so.
    assert [line for line in done.stderr.splitlines() if "ingest" in line] == []
    assert done.returncode == 0, done.stderr


def test_little_is_exposed(installed: Path) -> None:
    """A worker that is taken over can do little; a lock that is taken out is noticed."""
    analyse = ("security", "--offline=true", f"--threshold={_MOST_EXPOSED}", "--no-pager")
    assert "exposure level" in output_of(program("systemd-analyze"), *analyse, installed / "ingest.service")


def test_wrong_settings_are_not_tried_again() -> None:
    """The exit code that stops restarts is that of wrong settings, and no other."""
    assert only("RestartPreventExitStatus") == str(WrongSettings.exit_code)
    assert Failed.exit_code != WrongSettings.exit_code
    assert run("run", concurrency="none").code == WrongSettings.exit_code
    assert only("Restart") == "on-failure"


def test_there_is_time_to_drain() -> None:
    """SIGKILL comes after the drain, after what is left was given back, and after the last words."""
    drain_s = float(settings().get("INGEST_DRAIN_S", Settings().drain_s))
    assert int(only("TimeoutStopSec")) >= drain_s + 2 * _LAST_WORDS_S + 5
    assert (only("KillSignal"), only("KillMode")) == ("SIGTERM", "mixed")


def test_greedy_pages_are_killed_before_the_worker() -> None:
    """The processes that read pages, one of suspects too, may take all they are given at once."""
    given = settings()
    assert given.keys() <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    children = int(given["INGEST_EXTRACT_PROCESSES"]) + 1
    most_bytes = children * int(given["INGEST_EXTRACT_MEMORY_LIMIT_BYTES"]) + _TREE_BYTES
    assert only("MemoryMax") == "1G"
    assert most_bytes <= 2**30


def test_what_is_started_exists() -> None:
    """`ingest` of the checkout's environment, and a command that it has."""
    path, command = only("ExecStart").split()
    assert path.endswith("/.venv/bin/ingest")
    assert ingest.get_command(Context(ingest), command) is not None


@pytest.mark.parametrize("hosts_file", ["", "/etc/ingest/hosts.toml"])
def test_reload_never_ends_a_worker(hosts_file: str) -> None:
    """SIGHUP goes out only where there is a file to read anew: without one it ends the worker."""
    shell = shlex.split(only("ExecReload"))
    with subprocess.Popen(["sleep", "60"]) as process:
        given = os.environ | {"MAINPID": str(process.pid), "INGEST_HOSTS_FILE": hosts_file}
        reloaded = subprocess.run(shell, env=given, check=False, timeout=10)
        assert (reloaded.returncode == 0) == bool(hosts_file)
        process.terminate()
        assert process.wait(10) == -(signal.SIGHUP if hosts_file else signal.SIGTERM)


def test_nothing_needs_memory_that_is_both_written_and_run(redis_server: RedisServer) -> None:
    """The checks of a worker, with a process that reads a page, pass where the kernel refuses such memory."""
    assert only("MemoryDenyWriteExecute") == "yes"
    command = [sys.executable, "-c", _DENY_WRITE_EXECUTE, *COMMAND, "check"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environ(redis_url=redis_server.url),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode == 77:
        pytest.skip("a kernel before 6.3, or none of Linux")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ok +extraction", done.stdout, re.MULTILINE)
