"""The store's tests, run in a process of their own over one server or topology."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conformance.binaries import ROOT, binary_of, missing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SERVERS = ("embedded", "redis-7", "redis-8", "valkey-9")
TOPOLOGIES = ("cluster", "sentinel")
#: Every server alone, and the oldest and the newest two as a cluster and under Sentinels.
MATRIX = (
    *SERVERS,
    *(f"{server}/{form}" for form in TOPOLOGIES for server in ("embedded", "redis-8", "valkey-9")),
)
_FAULTS_SHOWN = 10
WHOLE = (
    "tests/store",
    *(f"tests/events/test_{name}.py" for name in ("consumer", "holding", "reading", "replaying")),
)
#: What a lease, an item and an end are: the scripts, and little of their surroundings.
SHORT = tuple(f"tests/store/test_{name}.py" for name in ("settling", "claiming", "inbox", "waiting"))


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table. `why` says what is amiss, or why nothing was run."""

    name: str
    version: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    took_s: float = 0.0
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether something was run and nothing failed."""
        return self.passed > 0 and self.failed == 0


def run(name: str, report: Path, tests: Sequence[str] = WHOLE) -> Result:
    """Run the tests over `name`, a server and perhaps its topology; pytest writes to the file `report`."""
    server = name.partition("/")[0]
    if why := missing(server):
        return Result(name, "", why=why)
    version = str(binary_of(server).version)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--junitxml={report}", *tests],
        check=False,
        cwd=ROOT,
        env=os.environ | {"TEST_REDIS": name},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if not report.exists():
        return Result(name, version, failed=1, why=(done.stdout + done.stderr)[-2000:])
    (counts,) = ET.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest's own file
    total, skipped = int(counts.attrib["tests"]), int(counts.attrib["skipped"])
    failed = int(counts.attrib["failures"]) + int(counts.attrib["errors"])
    faults = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    why = "\n".join(faults[:_FAULTS_SHOWN])
    passed = max(0, total - failed - skipped)
    return Result(name, version, passed, failed, skipped, float(counts.attrib["time"]), why)
