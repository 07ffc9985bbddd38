"""Worker processes as they run in production, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from worker.telemetry.catalogue import faults_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]


class Fleet:
    """`ingest run`, several times over, each writing its JSON log to a file of its own."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.settings = dict(settings)
        self.workers: list[subprocess.Popen[bytes]] = []
        self._logs: list[Path] = []
        self._log_of: dict[int, Path] = {}  # by process id

    def start(self) -> subprocess.Popen[bytes]:
        """One more worker."""
        log = self.folder / f"worker-{len(self._logs)}.log"
        self._logs.append(log)
        with log.open("wb") as out, log.with_suffix(".err").open("wb") as err:
            worker = subprocess.Popen(
                [sys.executable, "-m", "worker", "run"],
                stdout=out,
                stderr=err,
                cwd=ROOT,
                env=clean_environ() | {"INGEST_LOG_FORMAT": "json"} | self.settings,
            )
        self.workers.append(worker)
        self._log_of[worker.pid] = log
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """SIGKILL: no last words."""
        worker.send_signal(signal.SIGKILL)
        worker.wait(20)
        self.workers.remove(worker)

    def stop(self, patience_s: float = 40) -> list[int]:
        """SIGTERM to all, once each is up (before, it is Python's own business); returns their exit codes."""
        deadline = time.monotonic() + patience_s
        for worker in self.workers:
            while not self._log_of[worker.pid].stat().st_size and time.monotonic() < deadline:
                time.sleep(0.02)
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(patience_s) for worker in self.workers]
        self.workers.clear()
        return codes

    def end(self) -> None:
        """Leave no process behind, whatever happened."""
        for worker in list(self.workers):
            self.kill(worker)

    def lines(self) -> Iterator[dict[str, object]]:
        """All log lines of all workers, dead ones included; a line cut off by SIGKILL is passed over."""
        for log in self._logs:
            raw = log.read_bytes()
            for line in raw.splitlines(keepends=True):
                if line.endswith(b"\n"):
                    yield orjson.loads(line)

    def log_faults(self) -> list[str]:
        """Where any line differs from the catalogue."""
        return [fault for line in self.lines() for fault in faults_in(line)]

    def errors(self) -> str:
        """What the workers wrote to stderr: nothing, if all is well."""
        return "".join(log.with_suffix(".err").read_text() for log in self._logs)


def clean_environ() -> dict[str, str]:
    """The environment without any setting of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
