"""Worker processes as they run in production, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import psutil

from worker.telemetry.catalogue import faults_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
_MARK = "CHAOS_RUN"


class Fleet:
    """`ingest run`, several times over, each writing its JSON log to a file of its own."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.settings = dict(settings)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.killed: list[Path] = []  # logs of those that had no last words
        self.drained: list[Path] = []  # logs of those that SIGTERM ended under load
        self.mark = {_MARK: str(folder)}  # in the environment of all that belongs to this run
        self.untold: list[str] = []  # workers that ended before anybody told them to, and how
        self._codes: list[int] = []
        self._logs: list[Path] = []
        self._log_of: dict[int, Path] = {}  # by process id

    def start(self, root: Path = ROOT, *, command: Sequence[str] = ("run",)) -> subprocess.Popen[bytes]:
        """One more worker, of the version whose tree `root` is; or another command that runs on."""
        log = self.folder / f"worker-{len(self._logs)}.log"
        self._logs.append(log)
        with log.open("wb") as out, log.with_suffix(".err").open("wb") as err:
            worker = subprocess.Popen(
                [sys.executable, "-m", "worker", *command],
                stdout=out,
                stderr=err,
                cwd=root,
                env=clean_environ() | self.mark | {"INGEST_LOG_FORMAT": "json"} | self.settings,
            )
        self.workers.append(worker)
        self._log_of[worker.pid] = log
        return worker

    def is_up(self, worker: subprocess.Popen[bytes]) -> bool:
        """Whether it has said anything yet; before, signals are Python's own business."""
        return self._log_of[worker.pid].stat().st_size > 0

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """SIGKILL: no last words."""
        self._note_end(worker)
        worker.send_signal(signal.SIGKILL)
        worker.wait(20)
        self.workers.remove(worker)
        self.killed.append(self._log_of[worker.pid])

    def bereaved(self, worker: subprocess.Popen[bytes]) -> None:
        """Note that a process which this worker started, and which shares its log, was killed."""
        self.killed.append(self._log_of[worker.pid])

    def log_of(self, worker: subprocess.Popen[bytes]) -> Path:
        """Where this worker, and what it started, writes its lines."""
        return self._log_of[worker.pid]

    def term(self, worker: subprocess.Popen[bytes], patience_s: float = 40) -> None:
        """SIGTERM, and wait for its end; what its exit code was is told by `stop`."""
        self._note_end(worker)
        worker.send_signal(signal.SIGTERM)
        self._codes.append(worker.wait(patience_s))
        self.workers.remove(worker)
        self.drained.append(self._log_of[worker.pid])

    def left(self) -> list[str]:
        """Processes of this fleet that are still there, as `pid command`."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):  # it may have ended just now, or be another user's
                if process.environ().get(_MARK) == str(self.folder) and process.status() != "zombie":
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
        return found

    def stop(self, patience_s: float = 40) -> list[int]:
        """SIGTERM to all, once each is up (before, it is Python's own business).

        Returns their exit codes, and of those that `term` has ended since the last time.
        """
        deadline = time.monotonic() + patience_s
        for worker in self.workers:
            while not self.is_up(worker) and time.monotonic() < deadline:
                time.sleep(0.02)
            self._note_end(worker)
            worker.send_signal(signal.SIGTERM)
        self._codes += [worker.wait(patience_s) for worker in self.workers]
        self.workers.clear()
        codes, self._codes = self._codes, []
        return codes

    def _note_end(self, worker: subprocess.Popen[bytes]) -> None:
        if (code := worker.poll()) is not None:
            self.untold.append(f"{self._log_of[worker.pid].stem} ended by itself with code {code}")

    def end(self) -> None:
        """Leave no process behind, whatever happened."""
        for worker in list(self.workers):
            self.kill(worker)

    def lines(self, logs: Iterable[Path] | None = None) -> Iterator[dict[str, Any]]:
        """All log lines of all workers, or of these; a line cut off by SIGKILL is passed over."""
        for log in self._logs if logs is None else logs:
            for line in log.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    yield orjson.loads(line)

    def log_faults(self) -> list[str]:
        """Where any line differs from the catalogue."""
        return [fault for line in self.lines() for fault in faults_in(line)]

    def errors(self) -> str:
        """What the workers wrote to stderr: nothing, if all is well."""
        return "".join(log.with_suffix(".err").read_text() for log in self._logs)


def clean_environ() -> dict[str, str]:
    """The environment without any setting of ours, and without the window's size, which pytest-xdist sets."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("INGEST_") and name not in {"COLUMNS", "LINES"}
    }
