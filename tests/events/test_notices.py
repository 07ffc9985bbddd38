"""What consumers tell: lines of the catalogue where the process logs by structlog, else through `logging`."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.events.conftest import handled
from tests.events.streams import ARTICLES, deliver, forsake, publish, write
from worker.events import replay
from worker.events.notices import notice
from worker.telemetry.catalogue import faults_in
from worker.telemetry.consumer_events import CONSUMER_EVENTS
from worker.telemetry.log import configure_logging, reset_logging
from worker.telemetry.sink_events import SINK_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers import RedisServer
    from worker.events import ArticleConsumer
    from worker.store.connection import Connection


@pytest.fixture
def lines() -> Iterator[io.BytesIO]:
    """Where the log goes; a line that the catalogue does not know is an error."""
    out = io.BytesIO()
    configure_logging("json", stream=out, strict=True)
    yield out
    reset_logging()


async def test_each_line_is_of_the_catalogue(
    connection: Connection,
    consumer: Callable[..., ArticleConsumer],
    redis_server: RedisServer,
    lines: io.BytesIO,
) -> None:
    """A group made, an event taken over, rejected, gone, lapsed, left out; Redis away and back."""
    entries = await publish(connection, range(5))
    await write(connection, {"no": "event"})
    await deliver_to_the_dead(connection, entries[:3])
    await connection.command("XDEL", ARTICLES, entries[1])
    await handled(consumer(max_deliveries=3), 3)
    await handled(consumer(group="other", max_deliveries=3), 4)
    async with asyncio.timeout(60), consumer(group="lapsing", idle_ms=300) as reader:
        async for event in reader:
            if event.entry == entries[0]:
                claim = ("XCLAIM", ARTICLES, "lapsing", "other", 0, event.entry, "JUSTID")
                await connection.command(*claim, parse_justid=True)
                while b"event_lapsed" not in lines.getvalue():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            reader.stop()
        reader.unavailable("no answer")
        reader.restored(1.5)
    assert len([event async for event in replay(redis_server.url)]) == 4
    told = [orjson.loads(line) for line in lines.getvalue().splitlines()]
    assert [fault for line in told for fault in faults_in(line)] == []
    ours = {event.name for event in CONSUMER_EVENTS} - {event.name for event in SINK_EVENTS}
    assert {line["event"] for line in told} >= ours


async def deliver_to_the_dead(connection: Connection, entries: list[str]) -> None:
    """To a consumer that died with them, the first of them for the last time that is allowed."""
    await connection.command("XGROUP", "CREATE", ARTICLES, "g", 0)
    await deliver(connection, len(entries))
    await forsake(connection, deliveries=3, entries=entries[:1])
    await forsake(connection, deliveries=1, entries=entries[1:])


def test_nothing_is_printed_into_a_program_that_logs_otherwise(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Without structlog set up, its own default would print to stdout."""
    with caplog.at_level(logging.INFO):
        notice("info", "group_created", group="g", stream=ARTICLES, start="0")
    assert capsys.readouterr().out == ""
    assert [(record.name, record.levelname) for record in caplog.records] == [("ingest.consumer", "INFO")]
    assert caplog.records[0].getMessage() == f"group_created group=g stream={ARTICLES} start=0"
