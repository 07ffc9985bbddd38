"""`deploy/vector`, by Vector itself where it is installed, and what others rely on in it."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import yaml

from tests.deploy.programs import DEPLOY, output_of, program
from tests.deploy.test_mtail import line
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VECTOR = DEPLOY / "vector/vector.yaml"
LOG_FILES = DEPLOY / "vector/log-files.sh"
_PATIENCE_S = 30
_DAY_S = 86_400


def test_configuration_is_valid() -> None:
    """Vector takes it, its program in VRL included."""
    output_of(program("vector"), "validate", "--no-environment", VECTOR)


def test_labels_are_those_that_the_dashboard_asks_for() -> None:
    """The dashboard's log panel selects by labels that Vector gives."""
    (labels,) = re.findall(r"labels: \{(.*)\}", VECTOR.read_text())
    (selector,) = re.findall(r'"expr": "\{(job=.*?)\}', (DEPLOY / "grafana/ingest.json").read_text())
    assert set(re.findall(r"(\w+)=", selector)) <= set(re.findall(r"(\w+):", labels))
    assert 'job=\\"ingest\\"' in selector
    assert "job: ingest" in labels


def test_a_dead_loki_holds_up_nothing() -> None:
    """By default its sink would block the source, and so the files and every metric."""
    sinks = yaml.safe_load(VECTOR.read_text())["sinks"]
    assert sinks["loki"]["buffer"]["when_full"] == "drop_newest"
    assert "buffer" not in sinks["files"]


def days(folder: Path) -> dict[str, int]:
    """The files by the day in their names, and their sizes."""
    return {file.stem.removeprefix("worker-"): file.stat().st_size for file in folder.glob("worker-*.log")}


def test_files_are_there_before_their_first_line_and_old_ones_go(tmp_path: Path) -> None:
    """Today's, and tomorrow's from an hour before; what is written stays, until it is older than the days."""
    now = datetime.now(UTC)
    soon = {(now + timedelta(hours=hours)).strftime("%Y-%m-%d") for hours in (0, 1)}
    for age_days in (2, 9):
        file = tmp_path / f"worker-2000-01-0{age_days}.log"
        file.write_text("{}\n")
        os.utime(file, (now.timestamp() - age_days * _DAY_S,) * 2)
    (tmp_path / "other.txt").touch()
    output_of("sh", LOG_FILES, tmp_path, "7", "once")
    assert days(tmp_path) == dict.fromkeys(soon, 0) | {"2000-01-02": 3}
    assert (tmp_path / "other.txt").exists()
    (tmp_path / f"worker-{max(soon)}.log").write_text("{}\n")
    output_of("sh", LOG_FILES, tmp_path, "7", "once")
    assert days(tmp_path)[max(soon)] == 3
    (name,) = re.findall(r"path: /var/log/ingest/(\S+)", VECTOR.read_text())
    assert {f"worker-{day}.log" for day in soon} >= {now.strftime(name)}


@contextmanager
def tailing(folder: Path) -> Iterator[str]:
    """The address of an mtail's metrics that follows the folder, as the compose profile has it."""
    port = free_port()
    options = ("-progs", DEPLOY / "mtail", "-logs", f"{folder}/*.log", "-emit_prog_label=false")
    listen = ("-address", "127.0.0.1", "-port", str(port), "-logtostderr")
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen([program("mtail"), *options, *listen], stdout=said, stderr=said)
    address = f"http://127.0.0.1:{port}/metrics"
    try:
        until(lambda: counted(address) is not None, folder)
        yield address
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def counted(address: str) -> float | None:
    """How many articles it has counted; None while it does not answer."""
    with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - ours
        found = re.findall(r"^ingest_log_articles_total (\S+)$", answer.read().decode(), re.MULTILINE)
        return float(found[0]) if found else None
    return None


def until(true: Callable[[], bool], folder: Path) -> None:
    """Wait for it. Raises AssertionError, with what mtail said, when it does not come true."""
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, (folder / "said").read_text()
        time.sleep(0.05)


def test_mtail_counts_the_first_line_of_a_file_that_was_there(tmp_path: Path) -> None:
    """And none of those that a file came with: that is why it has to be there."""
    article = orjson.dumps(line("article_published")) + b"\n"
    (tmp_path / "before.log").write_bytes(5 * article)
    output_of("sh", LOG_FILES, tmp_path, "7", "once")
    (today, *_) = sorted(tmp_path.glob("worker-*.log"))
    with tailing(tmp_path) as address:
        assert counted(address) == 0

        def found() -> bool:
            return (
                "Tailing" in (tmp_path / "said").read_text() and str(today) in (tmp_path / "said").read_text()
            )

        until(found, tmp_path)
        with today.open("ab") as file:
            file.write(3 * article)
        until(lambda: counted(address) == 3, tmp_path)
        with (tmp_path / "new").open("wb") as file:
            file.write(4 * article)
        (tmp_path / "new").rename(tmp_path / "new.log")
        until(lambda: "new.log" in (tmp_path / "said").read_text(), tmp_path)
        with (tmp_path / "new.log").open("ab") as file:
            file.write(article)
        until(lambda: counted(address) == 4, tmp_path)
