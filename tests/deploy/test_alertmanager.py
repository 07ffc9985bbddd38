"""`deploy/prometheus/alertmanager.yml`, by Alertmanager itself: one cause wakes people once."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import yaml

from tests.deploy.programs import DEPLOY, output_of, program
from tests.deploy.runbook import ALERTS
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIGURATION = DEPLOY / "prometheus/alertmanager.yml"
_PATIENCE_S = 30


def asked(address: str, body: object = None) -> Any:
    """The JSON that Alertmanager answers, None where it answers nothing. Raises OSError."""
    data = None if body is None else orjson.dumps(body)
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - an address of ours
        return orjson.loads(answer.read() or b"null")


@contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """The address of one with our configuration."""
    path, port = program("prometheus-alertmanager"), free_port()
    options = (
        f"--config.file={CONFIGURATION}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen([path, *options], stdout=said, stderr=said)
    try:
        yield f"http://127.0.0.1:{port}/api/v2/alerts"
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def silenced(address: str) -> set[str]:
    """The alerts that nobody is told of."""
    return {each["labels"]["alertname"] for each in asked(address) if each["status"]["inhibitedBy"]}


def test_its_configuration_is_one() -> None:
    """To be given a receiver."""
    output_of(program("amtool"), "check-config", CONFIGURATION)


@pytest.mark.parametrize(
    ("firing", "silent"),
    [
        (
            "IngestRedisUnavailable IngestNoWorker IngestNoProgress IngestClaimingPaused",
            {"IngestNoWorker", "IngestNoProgress", "IngestClaimingPaused"},
        ),
        ("IngestClaimingPaused IngestNoWorker IngestNoProgress", {"IngestNoProgress"}),
    ],
)
def test_a_cause_silences_what_follows_from_it(tmp_path: Path, firing: str, silent: set[str]) -> None:
    """An outage of Redis is one alert, a pause another; what neither explains is told beside them."""
    alerts = [{"labels": {"alertname": name}} for name in firing.split()]
    found = set[str]()
    with alertmanager(tmp_path) as address:
        deadline = time.monotonic() + _PATIENCE_S
        while found != silent and time.monotonic() < deadline:
            with suppress(OSError):
                asked(address, alerts)
                found = silenced(address)
            time.sleep(0.1)
    assert found == silent, (tmp_path / "said").read_text()


def test_rules_name_alerts_that_there_are() -> None:
    """An alert under a new name would be told again."""
    rules = yaml.safe_load(CONFIGURATION.read_text())["inhibit_rules"]
    words = " ".join(text for rule in rules for key in rule for text in rule[key])
    named = {word.strip('"') for part in words.split() for word in part.split("|") if "Ingest" in word}
    assert len(named) > 3
    assert named <= set(ALERTS)
