"""Programs that read what `deploy/` holds; a test is skipped where one is not installed.

`TEST_REQUIRE=mtail,promtool` names those that must be there: without one of them its tests fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.chaos.fleet import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEPLOY = ROOT / "deploy"
#: Where each comes from.
_PACKAGES = {
    "amtool": "Debian's package prometheus-alertmanager",
    "docker-compose": "Debian's package docker-compose",
    "kubectl": "its wheel is for Linux on x86-64",
    "mtail": "Debian's package mtail",
    "prometheus-alertmanager": "Debian's package of that name",
    "promtool": "Debian's package prometheus",
    "lnav": "Debian's package lnav",
    "systemd-analyze": "part of systemd",
    "vector": "https://vector.dev; Debian has no package",
}


def program(name: str) -> str:
    """Its path; without it, the test is skipped or fails."""
    return shutil.which(name) or missing(name)


def missing(name: str) -> NoReturn:
    """Skip the test for lack of that program, or let it fail where it must be there."""
    why = f"no {name} on PATH ({_PACKAGES[name]})"
    if name in os.environ.get("TEST_REQUIRE", "").split(","):
        pytest.fail(f"TEST_REQUIRE asks for it: {why}")
    pytest.skip(why)


def output_of(*command: str | Path, environ: Mapping[str, str] | None = None) -> str:
    """Stdout of a command that must succeed; what it says on stderr is the test's failure otherwise."""
    done = subprocess.run(
        command,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
