"""deploy/RUNBOOK.md, "What to type": each command of each alert, with the words of each installation."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, environ
from tests.deploy import supervisors
from tests.deploy.programs import DEPLOY
from tests.deploy.runbook import ALERTS, filled, typed
from tests.security.roles import GuardedRedis, say
from tests.servers import free_port
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text()
WORDS = sorted((DEPLOY / "night").glob("*.sh"))
FERRY = "/vale/2025/04/night-ferry-returns"


def functions(file: Path) -> set[str]:
    """The words that a file defines."""
    return set(re.findall(r"^(\w+)\(\) \{$", file.read_text(), re.MULTILINE))


@dataclass(frozen=True, slots=True)
class Night:
    """A folder with a worker's log, a Redis with users, a page, and the programs of supervisors."""

    folder: Path
    server: GuardedRedis
    page: str

    @property
    def environ(self) -> dict[str, str]:
        """Of whoever types; the programs of `bin` come first."""
        given = environ(allow_networks="127.0.0.0/8", max_attempts="1", obey_robots="false")
        path = {"PATH": f"{self.folder / 'bin'}:{given['PATH']}", "PYTHONPATH": str(ROOT)}
        return given | path | {"FOLDER": str(self.folder), "OPERATOR_URL": self.server.url_of("operator")}

    def type(self, words: Path, line: str) -> subprocess.CompletedProcess[str]:
        """A line, in a shell that has read the words; any fault in a pipe counts, but grep's of no line."""
        script = f'set -eu; . {words}; grep() {{ command grep "$@" || test $? = 1; }}; {line}'
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self) -> str:
        """What the programs have been asked since the last time."""
        file = self.folder / "calls"
        said = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return said


def put(file: Path, command: str) -> None:
    """A program of that name, which runs the command."""
    file.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    file.chmod(0o755)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """A host refuses connections, an item is no URL, a group reads nothing."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "bin").mkdir()
    (folder / "etc/ingest").mkdir(parents=True)
    for name in supervisors.PROGRAMS:
        put(folder / "bin" / name, f"{sys.executable} {supervisors.__file__} {name}")
    put(folder / "bin/ingest", " ".join(COMMAND))
    put(folder / "bin/python", sys.executable)
    server = GuardedRedis(folder / "redis")
    server.start()
    for name, role in (("ingest", "worker"), ("operator", "operator")):
        file = folder / f"etc/ingest/{name}.env"
        file.write_text(f"INGEST_REDIS_URL={server.url_of(role)}\n")
    command = [sys.executable, "-m", "tests.site", "--port", str(free_port())]
    site = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert site.stdout is not None
        (origin, *_) = re.findall(r"http://127\.0\.1\.1:\d+(?=/)", site.stdout.readline())
        with server.client("root") as root:
            root.rpush(Keys().queue, f"http://127.0.0.1:{free_port()}/a", "{no JSON")
        found = Night(folder, server, origin + FERRY)
        given = found.environ | {"INGEST_REDIS_URL": server.url_of("worker")}
        with (folder / "worker.log").open("w") as log:
            run = [*COMMAND, "run", "--until-empty"]
            subprocess.run(run, cwd=ROOT, env=given, stdout=log, timeout=60, check=True)
        with server.client("root") as root:
            say(root, "XGROUP", "CREATE", Keys().articles(), "forgotten", "0", "MKSTREAM")
        yield found
    finally:
        site.terminate()
        site.communicate()
        server.stop(signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS, ids=lambda file: file.stem)
@pytest.mark.parametrize("alert", ALERTS)
def test_what_an_alert_has_you_type_works(night: Night, alert: str, words: Path) -> None:
    """Each line reaches a supervisor, a log or Redis with rights that suffice, and nothing is refused."""
    lines = typed(RUNBOOK, alert)
    assert lines
    for line in lines:
        night.calls()
        ran = night.type(words, filled(line, url=night.page, group="forgotten"))
        assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"
        assert night.calls(), line
        assert "NOPERM" not in ran.stdout + ran.stderr


def test_installations_have_the_same_words() -> None:
    """What a block says works with each; the runbook's table has them all, and the files too."""
    common = set.intersection(*(functions(file) for file in WORDS))
    table = set(re.findall(r"^\| `(\w+)[^`]*` \|", RUNBOOK.partition("## What to type")[2], re.MULTILINE))
    assert common == table
    used = {line.split()[0] for alert in ALERTS for line in typed(RUNBOOK, alert)}
    assert used == common
    (sourced,) = re.findall(r"^```sh words\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert {f". {file.relative_to(ROOT)}" for file in WORDS} == set(sourced.splitlines())


def test_a_group_is_ended(night: Night) -> None:
    """By the operator's rights, with the words of docker-compose."""
    stream = Keys().articles()
    with night.server.client("root") as root:
        say(root, "XGROUP", "CREATE", stream, "idle", "0", "MKSTREAM")
        (line,) = [line for line in typed(RUNBOOK, "IngestClaimingPaused") if "DESTROY" in line]
        ran = night.type(DEPLOY / "night/compose.sh", filled(line, url="", group="idle"))
        assert ran.returncode == 0, ran.stderr
        assert b"idle" not in str(say(root, "XINFO", "GROUPS", stream)).encode()


@pytest.mark.parametrize("words", WORDS, ids=lambda file: file.stem)
def test_words_are_plain_shell(words: Path) -> None:
    """For dash as well as for bash."""
    for shell in ("sh", "bash"):
        assert shutil.which(shell)
        subprocess.run([shell, "-n", words], check=True)
