"""A real redis-server for tests, in a folder of its own, stopped and started as a test needs.

`TEST_REDIS` chooses which: a name of `tests.conformance.binaries`, and behind a slash `cluster` or `sentinel`
for what the shared fixtures connect to.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from tests.conformance.binaries import binary_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


BINARY, _, TOPOLOGY = os.environ.get("TEST_REDIS", "embedded").partition("/")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """redis-server on a unix socket (and a TCP port if asked for) with AOF; its folder is kept."""

    def __init__(self, folder: Path, *, port: int = 0, options: Sequence[str] = ()) -> None:
        self.folder = folder
        self.port = port
        self.options = tuple(options)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"unix://{self.folder / 'redis.sock'}"

    @property
    def tcp_url(self) -> str:
        """Where to connect by TCP."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> RedisServer:
        """Start it, and return once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "redis.sock"
        path.unlink(missing_ok=True)
        binary = binary_of(BINARY)
        self.process = subprocess.Popen(
            [
                binary.path,
                *("--port", str(self.port), "--unixsocket", str(path), "--bind", "127.0.0.1"),
                *("--dir", str(self.folder), "--appendonly", "yes", "--save", ""),
                # As the servers that we ship.
                *("--list-compress-depth", "1", "--list-max-ziplist-size", "16"),
                *("--logfile", str(self.folder / "redis.log")),
                *self.options,
            ],
            env=binary.environ,
            restore_signals=False,  # SIGXFSZ stays ignored: over a file-size limit, writes fail
        )
        deadline = time.monotonic() + 20
        while not self._answers(path):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError((self.folder / "redis.log").read_text())
            time.sleep(0.02)
        return self

    @staticmethod
    def _answers(path: Path) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(5)
                client.connect(str(path))
                client.sendall(b"PING\r\n")
                return not client.recv(64).startswith(b"-LOADING")
        except OSError:
            return False

    def stop(self, signum: int = signal.SIGTERM) -> None:
        """Stop it as SIGTERM does, or as `signum` does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signum)
            self.process.wait(20)
        self.process = None
