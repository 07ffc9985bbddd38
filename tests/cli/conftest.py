"""The `ingest` command as a real process."""

from __future__ import annotations

import socketserver
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.chaos.fleet import ROOT, clean_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers import RedisServer

COMMAND = (sys.executable, "-m", "worker")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as one JSON document."""
        return orjson.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Stdout as JSON lines."""
        return [orjson.loads(line) for line in self.out.splitlines()]


def environ(**settings: str) -> dict[str, str]:
    """An environment with these settings, given in lower case and without prefix, and no others."""
    return clean_environ() | {f"INGEST_{name.upper()}": value for name, value in settings.items()}


def run(*words: str, stdin: str = "", **settings: str) -> Ran:
    """Run a command to its end. A traceback fails the test, whatever the test is about."""
    done = subprocess.run(
        [*COMMAND, *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=ROOT,
        env=environ(**settings),
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def ingest(redis_server: RedisServer) -> Callable[..., Ran]:
    """`run`, over the session's Redis."""
    return partial(run, redis_url=redis_server.url)


@pytest.fixture
def http_port() -> Iterator[int]:
    """A server that answers whatever it is told as a web server would."""

    class BadRequest(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), BadRequest) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()
