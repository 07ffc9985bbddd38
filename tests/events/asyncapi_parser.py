"""AsyncAPI's official parser: the folder `TEST_ASYNCAPI` that has it, or npm installs it once, as locked.

The lock is made anew, in the folder `asyncapi`, by
`npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "asyncapi"
_FILES = ("package.json", "package-lock.json")
_INSTALL = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
    *("--fetch-retries=0", "--fetch-timeout=20000"),
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the parser says of a document: all that is wrong with it, and what it found."""

    faults: list[str]
    addresses: list[str]
    messages: list[str]


def parsed(document: Path) -> Parsed:
    """The document as the parser reads it. Skips the test, and says why, where there is no parser."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no AsyncAPI parser: there is no node to run it")
    done = subprocess.run(
        [node, SOURCE / "parse.mjs", document.absolute()],
        cwd=_home(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Parsed(**json.loads(done.stdout))


def _home() -> Path:
    """A folder whose node_modules have the parser."""
    if named := os.environ.get("TEST_ASYNCAPI"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    locked = sha256(b"".join((SOURCE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    home = Path(base) / "ingest-tests" / f"asyncapi-parser-{locked}"
    if not home.exists():
        _install(home)
    return home


def _install(home: Path) -> None:
    """By npm, which checks what it gets; under another name first, since tests run side by side."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no AsyncAPI parser: TEST_ASYNCAPI is not set, and there is no npm to fetch it")
    own = home.with_name(f"{home.name}.{os.getpid()}")
    own.mkdir(parents=True, exist_ok=True)
    try:
        for name in _FILES:
            shutil.copy(SOURCE / name, own / name)
        done = subprocess.run(
            [npm, *_INSTALL], cwd=own, capture_output=True, text=True, timeout=90, check=False
        )
        if done.returncode:
            pytest.skip(f"no AsyncAPI parser: npm could not fetch it: {done.stderr.strip()[-200:]}")
        _move(own, home)
    except subprocess.TimeoutExpired:
        pytest.skip("no AsyncAPI parser: npm did not fetch it within 90 seconds")
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _move(own: Path, home: Path) -> None:
    try:
        own.rename(home)
    except OSError:
        if not home.exists():  # else another test was faster, with the same
            raise
