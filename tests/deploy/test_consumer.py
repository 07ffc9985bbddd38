"""`deploy/examples/consumer.py` as a process, over a real Redis."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import orjson

from tests.chaos.fleet import clean_environ
from tests.deploy.programs import DEPLOY
from worker.store.keys import Keys

if TYPE_CHECKING:
    from tests.servers import RedisServer
    from worker.store.connection import Connection

STREAM = Keys().articles()
GROUP = ("GROUP", "example", "reader-1")


def started(redis_url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(DEPLOY / "examples/consumer.py")],
        env=clean_environ() | {"REDIS_URL": redis_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def published(connection: Connection, number: int, title: str | None = "Pier\x1b stays open") -> None:
    data = {"url": f"http://a.example/{number}", "title": title, "published_at": None, "revision": 1}
    await connection.command("XADD", STREAM, "*", "data", orjson.dumps(data))


async def test_prints_acknowledges_and_ends(redis_server: RedisServer, connection: Connection) -> None:
    """A line for each event, free of what steers a terminal, and then acknowledged; SIGTERM ends it."""
    await published(connection, 1)
    await published(connection, 2, title=None)
    consumer = started(redis_server.url)
    assert consumer.stdout is not None
    lines = [consumer.stdout.readline(), consumer.stdout.readline()]
    consumer.send_signal(signal.SIGTERM)
    _, errors = consumer.communicate(timeout=20)
    assert lines == [
        "no date     Pier  stays open  http://a.example/1\n",
        "no date     unchanged, revision 1  http://a.example/2\n",
    ]
    assert (consumer.returncode, errors) == (0, "")
    assert (await connection.command("XPENDING", STREAM, "example"))["pending"] == 0


async def test_takes_up_what_it_had_not_acknowledged(
    redis_server: RedisServer, connection: Connection
) -> None:
    """What its name was given before comes first; what is gone from the stream is passed over."""
    await connection.command("XGROUP", "CREATE", STREAM, "example", "0", "MKSTREAM")
    for number in (1, 2, 3):
        await published(connection, number)
    delivered = await connection.command("XREADGROUP", *GROUP, "COUNT", "2", "STREAMS", STREAM, ">")
    await connection.command("XDEL", STREAM, delivered[0][1][0][0])
    consumer = started(redis_server.url)
    assert consumer.stdout is not None
    lines = [consumer.stdout.readline(), consumer.stdout.readline()]
    consumer.send_signal(signal.SIGTERM)
    consumer.communicate(timeout=20)
    assert [line.split()[-1] for line in lines] == ["http://a.example/2", "http://a.example/3"]
    assert (await connection.command("XPENDING", STREAM, "example"))["pending"] == 0
