"""One run of docker-compose.yml: its project, what its containers are asked, and its steps as told."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import orjson

from tests.chaos.fleet import ROOT
from tests.deploy.compose.project import Project, StepFailed, compose_command, until
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OPS_PORT = 9464
_SETTINGS = {
    # The project's network is a private one, and all that is there is ours.
    "INGEST_ALLOW_NETWORKS": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    "INGEST_HOST_SPACING_S": "2",
    "INGEST_LEASE_S": "10",
    "INGEST_STATS_INTERVAL_S": "2",
}


class Run:
    """The project, and what is known of it. Raises NoDocker where there can be none."""

    def __init__(self) -> None:
        command = compose_command()  # before anything is begun
        self._began, self._ended = time.monotonic(), 0
        name = f"ingest-e2e-{os.getpid()}"
        self.prometheus = f"127.0.0.1:{free_port()}"
        passwords = subprocess.run(
            ["sh", "deploy/new-env.sh"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        lines = [line.partition("=") for line in passwords.splitlines() if not line.startswith("#")]
        environ = {key: value for key, _, value in lines if key} | _SETTINGS
        environ |= {
            "E2E_PROJECT": name,
            "PROMETHEUS_PORT": self.prometheus.rpartition(":")[2],
            "ALERTMANAGER_PORT": str(free_port()),
            "DEMO_PORT": str(free_port()),
            "PROMETHEUS_IMAGE": "ingest-e2e-prometheus",
            "ALERTMANAGER_IMAGE": "ingest-e2e-prometheus",
            "BASE_IMAGE": os.environ.get("BASE_IMAGE", "python:3.11-slim-bookworm"),
        }
        # What is Debian already need not be fetched again.
        environ["MTAIL_BASE_IMAGE"] = os.environ.get("MTAIL_BASE_IMAGE", environ["BASE_IMAGE"])
        self.environ = environ
        self.project = Project(command, name, "tests/deploy/compose/override.yml", environ)

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """Print what is done, how long it took, and what was found."""
        began, found = time.monotonic(), list[str]()
        try:
            yield found.append
        except BaseException:
            found.append("not done")
            raise
        finally:
            took_s = time.monotonic() - began
            print(
                f"{began - self._began:6.1f} s  {what}: {'; '.join([*found, f'{took_s:.1f} s'])}", flush=True
            )

    def figures(self) -> dict[str, Any] | None:
        """The fleet's figures, by the first worker that tells them."""
        for worker in self.project.containers("worker"):
            if (found := self.board(worker)) and "ledger" in found:
                return found
        return None

    def board(self, container: str) -> dict[str, Any] | None:
        """The board of an ops port; None while nothing answers."""
        with suppress(OSError):
            if address := self.project.address(container, _OPS_PORT):
                return fetched(f"http://{address}/board")
        return None

    def ended(self) -> int:
        """How many URLs have ended. Raises StepFailed when there are fewer than before: Redis lost them."""
        ledger = until("a worker tells the ledger", self.figures)["ledger"]
        before, self._ended = self._ended, int(ledger["articles"] + ledger["dead"])
        if self._ended < before:
            raise StepFailed(f"{before} had ended, and now it is {self._ended}: {ledger}")
        return self._ended

    def in_work(self) -> int | None:
        """How many URLs are in work, once some have ended."""
        figures = self.figures()
        return figures["depths"]["leases"] if figures and figures["ledger"]["articles"] >= 10 else None

    def healthy(self, service: str, count: int) -> bool:
        """Whether so many containers of it run, and their health checks say that they are well."""
        states = [self.project.looked_at(each)["State"] for each in self.project.containers(service)]
        return [state.get("Health", {}).get("Status") for state in states] == ["healthy"] * count

    def scale(self, workers: int) -> None:
        """Have so many workers, all of them well."""
        self.project.compose(
            "up", "-d", "--no-build", "--no-recreate", "--scale", f"worker={workers}", "worker"
        )
        until(f"{workers} healthy workers", lambda: self.healthy("worker", workers) or None)


def fetched(address: str) -> dict[str, Any]:
    """The JSON object at an address. Raises OSError."""
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - an address of ours
        return dict(orjson.loads(answer.read()))
