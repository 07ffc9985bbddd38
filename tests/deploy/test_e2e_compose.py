"""`make e2e-compose` where Docker is missing. Where it is there, run it: it takes minutes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fleet import ROOT, clean_environ

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("docker", "missing"),
    [
        (None, "there is no docker on PATH"),
        ("exit 1", "no dockerd that answers"),
        ('[ "$1" = info ]', "neither docker-compose nor `docker compose`"),
    ],
)
def test_what_is_missing_is_told(tmp_path: Path, docker: str | None, missing: str) -> None:
    """Nothing is started, the exit code is 2, and stderr names what to install or to start."""
    if docker is not None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{docker}\n")
        (tmp_path / "docker").chmod(0o755)
    (tmp_path / "sh").symlink_to("/bin/sh")
    done = subprocess.run(
        [sys.executable, "-m", "tests.deploy.e2e_compose"],
        cwd=ROOT,
        env=clean_environ() | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert missing in done.stderr
    assert "Traceback" not in done.stderr
