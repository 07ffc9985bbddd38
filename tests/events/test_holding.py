"""What a consumer holds: renewed, lost, given back, and put aside while Redis was away."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.events.conftest import handled
from tests.events.streams import ARTICLES, deliver, forsake, pending, publish, renewed, url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import RedisServer
    from worker.events import ArticleConsumer
    from worker.store.connection import Connection


async def test_all_that_is_held_is_renewed(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """More than a page of what is pending, up to the last entry; and all of it is given back at the end."""
    entries = await publish(connection, range(230))
    async with asyncio.timeout(60), consumer(batch=230, idle_ms=900) as reader:
        async for _ in reader:
            await renewed(connection, entries[-1])
            reader.stop()
    assert await pending(connection) == dict.fromkeys(entries[1:], 0)


async def test_a_group_that_is_gone_is_no_trouble_at_the_end(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Nothing can be given back then; whoever makes the group anew has all of it."""
    await publish(connection, range(3))
    async with asyncio.timeout(60), consumer() as reader:
        async for _ in reader:
            await connection.command("XGROUP", "DESTROY", ARTICLES, "g")
            reader.stop()
    assert len(await handled(consumer(), 3)) == 3


async def test_what_was_read_ahead_of_a_group_that_is_gone_comes_from_the_new_one(
    connection: Connection, consumer: Callable[..., ArticleConsumer], caplog: pytest.LogCaptureFixture
) -> None:
    """The next renewal sees it: each event is handled once more at most, and none is passed over."""
    await publish(connection, range(3))
    seen: list[str | None] = []
    async with asyncio.timeout(60), consumer(idle_ms=300) as reader:
        async for event in reader:
            seen.append(event.url)
            if len(seen) == 1:
                await connection.command("XGROUP", "DESTROY", ARTICLES, "g")
                while caplog.text.count("event_lapsed") < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            if len(seen) == 4:
                reader.stop()
    assert seen == [url(0), url(0), url(1), url(2)]


async def test_a_suspect_that_somebody_took_meanwhile_is_left_to_them(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """Between the search that found it and its turn, another consumer may have claimed it."""
    first, second = await publish(connection, range(2))
    await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
    await deliver(connection, 2)
    await forsake(connection, deliveries=3)
    async with asyncio.timeout(60), consumer(end_when_quiet_s=0.3) as reader:
        seen = []
        async for event in reader:
            seen.append(event.entry)
            claim = ("XCLAIM", ARTICLES, "g", "other", 0, second, "JUSTID")
            await connection.command(*claim, parse_justid=True)
    assert seen == [first]
    assert await pending(connection) == {second: 3}


def test_ctrl_c_ends_a_script_that_waits(connection: Connection, redis_server: RedisServer) -> None:
    """The synchronous form, interrupted while nothing comes: its thread and its connection end with it."""
    script = (
        "import sys\n"
        "from worker.events import SyncArticleConsumer\n"
        "with SyncArticleConsumer(sys.argv[1], group='g') as consumer:\n"
        "    print('reading', flush=True)\n"
        "    for event in consumer:\n"
        "        print(event.url, flush=True)\n"
    )
    command = [sys.executable, "-c", script, redis_server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reading:
        assert reading.stdout is not None
        assert reading.stdout.readline() == "reading\n"
        reading.send_signal(signal.SIGINT)
        _, errors = reading.communicate(timeout=30)
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert reading.returncode == -signal.SIGINT


async def test_a_loop_that_ended_by_quiet_may_be_followed_by_another(
    connection: Connection, consumer: Callable[..., ArticleConsumer]
) -> None:
    """It goes on with what came meanwhile; after a stop there is no further loop, and that is said."""
    seen: list[str | None] = []
    async with asyncio.timeout(60), consumer(end_when_quiet_s=0.05) as reader:
        for number in range(2):
            await publish(connection, [number])
            seen += [event.url async for event in reader]
        await publish(connection, [2])
        seen += [event.url async for events in reader.batches(5, 0.01) for event in events]
        reader.stop()
        assert [event async for event in reader] == []
        for loop in (reader.__aiter__, reader.batches):
            with pytest.raises(RuntimeError, match="stopped or closed: make a new one"):
                loop()
    assert seen == [url(number) for number in range(3)]
    assert await pending(connection) == {}
