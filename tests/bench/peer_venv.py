"""The venv that the peers run in: made by `make bench`, from hashes, apart from ours, under `.ingest/`."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-bench.lock"
VENV = ROOT / ".ingest" / "bench" / "venv"
PYTHON = VENV / "bin" / "python"
_MARK = VENV / ".made-of"  # written last: a venv that was left half made is made anew
_PATIENCE_S = 600


def missing(mark: Path = _MARK, lock: Path = LOCK) -> str | None:
    """Why the peers cannot run here, and how to get them; None where they can."""
    if not mark.is_file():
        return "the peers are not here: make bench fetches them"
    if mark.read_text() != digest(lock):
        return f"the peers are not those of {lock.name}: make bench fetches them anew"
    return None


def fetch() -> str | None:
    """Make the venv if it is not there; returns what went wrong, such as no package index within reach."""
    if missing() is None:
        return None
    _MARK.unlink(missing_ok=True)
    fault = _tried("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)) or _tried(
        *("pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), str(LOCK))
    )
    if fault is None:
        _MARK.write_text(digest(LOCK))
    return fault


def releases() -> dict[str, str]:
    """The locked version of each package."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", LOCK.read_text(), re.MULTILINE))


def digest(lock: Path) -> str:
    """Of the lock and of our interpreter, whose like the venv has."""
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def _tried(*command: str) -> str | None:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "uv", *command],
            check=False,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        return f"uv {command[0]} took more than {_PATIENCE_S} s"
    return f"uv {' '.join(command[:2])}: {done.stderr.strip()}" if done.returncode else None
