"""The examples of consumers in `deploy/examples/`, as processes over a real Redis."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fleet import ROOT, clean_environ
from tests.deploy.programs import DEPLOY
from tests.events.samples import ARTICLE, NOW, PAGE, PLAIN_TASK
from tests.events.streams import ARTICLES, deliver, forsake, pending, write
from tests.servers import RedisServer, free_port
from worker.events.envelope import article_event, unchanged_event
from worker.store.connection import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

GROUP = "example"
#: What runs each example, in turn looked for on PATH and beside Python.
RUN_BY = {"consumer.py": "python", "consumer.mjs": "node", "consumer.sh": "redis-cli"}


@dataclass(frozen=True, slots=True)
class Example:
    """One of the examples, and whom it reads from."""

    name: str
    redis_url: str

    def start(self) -> subprocess.Popen[str]:
        """The example as a process; it is to be ended by `ended`."""
        command = {"consumer.py": sys.executable, "consumer.mjs": "node", "consumer.sh": "sh"}[self.name]
        path = f"{Path(sys.executable).parent}:{clean_environ()['PATH']}"
        return subprocess.Popen(
            [command, str(DEPLOY / "examples" / self.name)],
            env=clean_environ() | {"REDIS_URL": self.redis_url, "READER": "dead", "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server with a port: neither redis-cli's addresses nor Node's know sockets."""
    server = RedisServer(tmp_path_factory.mktemp("e"), port=free_port()).start()
    yield server
    server.stop(signal.SIGKILL)


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[Connection]:
    """A connection to the emptied server."""
    async with Connection(server.url) as connection:
        await connection.command("FLUSHALL")
        yield connection


@pytest.fixture(params=RUN_BY)
def example(request: pytest.FixtureRequest, server: RedisServer) -> Example:
    """Each example; skipped where nothing can run it."""
    program = RUN_BY[request.param]
    if shutil.which(program) is None and not (Path(sys.executable).parent / program).exists():
        pytest.skip(f"no {program} on PATH to run {request.param}")
    return Example(request.param, server.tcp_url)


async def published(connection: Connection, number: int) -> str:
    """An event of that number, its title with what could steer a terminal."""
    task = replace(PLAIN_TASK, seq=number, url=f"http://a.example/{number}")
    article = replace(ARTICLE, url=task.url, title="Pier\x1b stays open")
    event = article_event(task, article, PAGE, partition=0, namespace="ingest", fetched_at=NOW, now=NOW)
    return await write(connection, event)


async def unchanged(connection: Connection, number: int) -> str:
    """An event without an article."""
    task = replace(PLAIN_TASK, seq=number, url=f"http://a.example/{number}")
    event = unchanged_event(task, PAGE, partition=0, namespace="ingest", fetched_at=NOW, now=NOW)
    return await write(connection, event)


def ended(consumer: subprocess.Popen[str], lines: int) -> list[str]:
    """That many lines of it, and then its end by SIGTERM: in order, and without a word of trouble."""
    assert consumer.stdout is not None
    try:
        said = [consumer.stdout.readline().rstrip("\n") for _ in range(lines)]
        consumer.send_signal(signal.SIGTERM)
        rest, errors = consumer.communicate(timeout=20)
    finally:
        consumer.kill()
    troubles = [line for line in errors.splitlines() if not line.startswith("event_gone ")]
    assert (consumer.returncode, rest, troubles) == (0, "", [])
    return said


async def test_prints_acknowledges_and_ends(store: Connection, example: Example) -> None:
    """A line for each event, free of what steers a terminal, and then acknowledged; SIGTERM ends it."""
    await published(store, 1)
    await unchanged(store, 2)
    lines = ended(example.start(), 2)
    assert ["http://a.example/1" in lines[0], "http://a.example/2" in lines[1]] == [True, True], lines
    assert "\x1b" not in "".join(lines)
    if example.name != "consumer.sh":
        assert "Pier  stays open" in lines[0]
        assert "unchanged, revision 1" in lines[1]
    assert await pending(store, GROUP) == {}


async def test_takes_up_what_was_not_acknowledged(store: Connection, example: Example) -> None:
    """What a reader before it had comes, though one of them is gone from the stream; and then what is new."""
    await store.command("XGROUP", "CREATE", ARTICLES, GROUP, "0", "MKSTREAM")
    gone, *_ = [await published(store, number) for number in (1, 2, 3)]
    await deliver(store, 2, GROUP)
    await forsake(store, GROUP)
    await store.command("XDEL", ARTICLES, gone)
    lines = ended(example.start(), 2)
    assert [line.split()[-1] for line in lines] == ["http://a.example/2", "http://a.example/3"]
    assert (await pending(store, GROUP)).keys() <= {gone}
