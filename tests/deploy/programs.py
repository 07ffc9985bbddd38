"""Programs that read what `deploy/` holds; a test is skipped where one is not installed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fleet import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEPLOY = ROOT / "deploy"
#: Where each comes from.
_PACKAGES = {
    "amtool": "Debian's package prometheus-alertmanager",
    "mtail": "Debian's package mtail",
    "promtool": "Debian's package prometheus",
    "lnav": "Debian's package lnav",
    "systemd-analyze": "part of systemd",
    "vector": "https://vector.dev; Debian has no package",
}


def program(name: str) -> str:
    """Its path; skips the test where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on PATH ({_PACKAGES[name]})")
    return found


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
