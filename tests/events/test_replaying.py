"""The events of a time, read again without a group."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.events.streams import ARTICLES, fields, url, write
from worker.errors import Misconfigured
from worker.events import replay

if TYPE_CHECKING:
    from tests.servers import RedisServer
    from worker.store.connection import Connection


async def test_replay_goes_by_time_over_all_partitions(
    connection: Connection, redis_server: RedisServer
) -> None:
    """In the order of the entries, from behind an id or from an instant, up to one; no group is touched."""
    stamps = [1_767_225_600_000 + 1000 * number for number in range(230)]
    await write(connection, {"no": "event"}, entry="1-0")
    for number, stamp in enumerate(stamps):
        await write(connection, fields(number), f"{{ingest:{number % 3}}}:articles", entry=f"{stamp}-0")
    every = [event async for event in replay(redis_server.url)]
    assert [event.url for event in every] == [url(number) for number in range(230)]
    assert {event.deliveries for event in every} == {0}
    since, until = (datetime.fromtimestamp(stamps[number] / 1000, UTC) for number in (100, 105))
    some = [event.url async for event in replay(redis_server.url, since=since, until=until)]
    assert some == [url(number) for number in range(100, 106)]
    behind = replay(redis_server.url, since=every[226].entry, until=every[228].entry)
    assert [event.url async for event in behind] == [url(227), url(228)]
    newest = replay(redis_server.url, since=every[228].entry, until="now")
    assert [event.url async for event in newest] == [url(229)]
    assert await connection.command("XINFO", "GROUPS", ARTICLES) == []


async def test_wrong_bounds_of_a_replay_are_named() -> None:
    """Both at once; `now` has nothing to replay, and a time without a zone is no instant."""
    for since, until, says in (
        ("yesterday", "soon", ("since: 'yesterday'", "until: 'soon'")),
        ("now", "now", ("nothing to replay",)),
        ("$", "$", ("nothing to replay",)),
        ("", "now", ("since: ''",)),
        (datetime(2026, 1, 1), "now", ("no time zone",)),  # noqa: DTZ001 - that is the fault
    ):
        with pytest.raises(Misconfigured) as error:
            await anext(replay("redis://127.0.0.1:1/0", since=since, until=until))
        assert [part for part in says if part not in str(error.value)] == []
