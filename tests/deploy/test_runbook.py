"""deploy/RUNBOOK.md: what it tells to type works, and its sizes follow from the README's figures."""

from __future__ import annotations

import re
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, Ran, environ
from tests.deploy.manifests import the
from tests.deploy.programs import DEPLOY
from tests.servers import RedisServer, free_port
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.deploy.manifests import Manifest

RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text()
README = (ROOT / "README.md").read_text()
SHELL = "".join(re.findall(r"^```sh\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL))
_NAMED = set(re.findall(r"`ingest ([a-z][^`]*)`", RUNBOOK))
#: Those that end by themselves. test_night types those that want a page.
COMMANDS = sorted(_NAMED - {"status --watch --hosts", "extract", "extract URL", "fetch URL"})
RATES = (1, 10, 100)  # pages a second
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Night:
    """A Redis in which something has gone wrong, and the folder with the worker's log of it."""

    server: RedisServer
    folder: Path

    def type(self, *words: str, stdin: str = "") -> Ran:
        """Run a command of `ingest` in that folder."""
        done = subprocess.run(
            [*COMMAND, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
            env=self.environ,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def environ(self) -> dict[str, str]:
        """The settings of whoever looks into it."""
        given = {"redis_url": self.server.url, "allow_networks": "127.0.0.0/8", "max_attempts": "1"}
        return environ(**given) | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """A URL whose host refuses connections is a dead letter, and so is an item that is no URL."""
    folder = tmp_path_factory.mktemp("night")
    server = RedisServer(folder / "redis").start()
    try:
        found = Night(server, folder)
        with Redis.from_url(server.url) as store:
            store.rpush(Keys().queue, f"http://127.0.0.1:{free_port()}/a", "{no JSON")
        worked = found.type("run", "--until-empty")
        assert worked.code == 0, worked.err
        (folder / "worker.log").write_text(worked.out)
        yield found
    finally:
        server.stop(signal.SIGKILL)


@pytest.mark.parametrize("words", COMMANDS)
def test_what_is_typed_works(night: Night, words: str) -> None:
    """Each command within the text, with the options that stand there, over a real Redis and a real log."""
    ran = night.type(*words.split(), stdin=(night.folder / "worker.log").read_text())
    assert ran.code == 0, ran.err
    assert ran.out or "extract_timeout" in words  # nothing ended so that night


def test_a_bad_night_is_watched(night: Night) -> None:
    """The first command of all shows the fleet until Ctrl-C."""
    words = [*COMMAND, "status", "--watch", "--hosts"]
    with subprocess.Popen(words, cwd=night.folder, env=night.environ, stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=20)
    assert watching.returncode == 130


def test_what_is_typed_at_kubernetes_is_there(in_production: list[Manifest]) -> None:
    """Namespace, Deployment, label and port of the commands are those of the overlay."""
    deployment = the("Deployment", in_production)
    template, name = deployment["spec"]["template"], deployment["metadata"]["name"]
    assert set(re.findall(r"kubectl -n (\S+)", RUNBOOK)) == {deployment["metadata"]["namespace"]}
    assert set(re.findall(r"deployment/([\w-]+)", RUNBOOK)) == {name}
    ((label, value),) = re.findall(r" -l (\S+)=(\S+)", SHELL)
    assert template["metadata"]["labels"][label] == value
    (port,) = re.findall(r"port-forward \S+ (\d+)", SHELL)
    assert int(port) == template["spec"]["containers"][0]["ports"][0]["containerPort"]


def measured(pattern: str) -> float:
    """A figure of the README."""
    (figure,) = set(re.findall(pattern, README))
    return float(figure)


def row(begins: str) -> list[str]:
    """The cells of a row of the sizing tables, without its first."""
    (found,) = [line for line in RUNBOOK.splitlines() if line.startswith(f"| {begins}")]
    return [cell.strip() for cell in found.strip("|").split("|")[1:]]


def in_bytes(cell: str) -> float:
    """What `5.9 GB` says."""
    number, unit = cell.split()[:2]
    return float(number) * {"MB": 1e6, "GB": 1e9}[unit.strip(",")]


def test_cpu_follows_from_the_figures() -> None:
    """Cores are pages a second times the CPU time of a page, in workers and in Redis."""
    page_s = measured(r"\| CPU ms a page, all processes \| ([\d.]+) ") / 1000
    redis_s = measured(r"Redis itself spends (\d+) µs of CPU on a URL") / 1e6
    for begins, cpu_s in (("CPU of workers", page_s), ("CPU of Redis", redis_s)):
        told = [float(cell) for cell in row(begins)]
        assert told == pytest.approx([rate * cpu_s for rate in RATES], rel=0.3)


def test_memory_follows_from_the_figures() -> None:
    """Bytes are those of one times how many there are in the time that they are kept."""
    visit = measured(r"an article some (\d+) bytes more")
    for begins, each, kept_s in (
        ("Redis: records", 16, 8 * _DAY_S),
        ("Redis: last visits", visit, 30 * _DAY_S),
        ("Redis: events", 15_300, 3600),
    ):
        told = [in_bytes(cell) for cell in row(begins)]
        assert told == pytest.approx([rate * kept_s * each for rate in RATES], rel=0.05)


def test_backlog_follows_from_the_figures() -> None:
    """URLs that wait, in the frontier and in the queue, and how long it takes to read them."""
    waiting = measured(r"A waiting URL of 88 bytes takes (\d+) bytes")
    assert [in_bytes(cell) for cell in row("in the frontier")] == pytest.approx(
        [1e6 * waiting, 1e7 * waiting], rel=0.05
    )
    assert [in_bytes(cell) for cell in row("as shipped")] == pytest.approx(
        [1e6 * waiting, 1e6 * waiting + 9e6 * 97], rel=0.05
    )
    assert [float(cell.split()[0]) * 3600 for cell in row("worked off")] == pytest.approx(
        [1e4, 1e5], rel=0.05
    )
    held_mb = measured(r"held at most (\d+) MB")
    assert f"in {held_mb:.0f} MB" in RUNBOOK
