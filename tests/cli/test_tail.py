"""`ingest tail` where visits found articles as they were."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import TYPE_CHECKING, Any

from tests.cli.conftest import COMMAND, environ
from tests.events.samples import ARTICLE, NOT_MODIFIED, NOW, PAGE, PLAIN_TASK
from worker.events.envelope import article_event, unchanged_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran
    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys


async def _published(connection: Connection, keys: Keys) -> None:
    common: dict[str, Any] = {"partition": 0, "namespace": "ingest", "fetched_at": NOW, "now": NOW}
    for event in (
        article_event(PLAIN_TASK, ARTICLE, PAGE, **common),
        unchanged_event(PLAIN_TASK, NOT_MODIFIED, **common),
    ):
        words = [word for field in event.items() for word in field]
        await connection.command("XADD", keys.articles(), "*", *words)


async def test_unchanged_events_are_lines_too(
    ingest: Callable[..., Ran], connection: Connection, keys: Keys
) -> None:
    """In a pipe, a visit that found nothing new is a whole event like any other."""
    await _published(connection, keys)
    article, unchanged = ingest("tail", "--from", "start", "--no-follow").lines
    assert (article["type"], unchanged["type"]) == ("article.published.v1", "article.unchanged.v1")
    assert unchanged["data"]["article_id"] == article["data"]["article_id"]


async def test_unchanged_on_a_terminal(redis_server: RedisServer, connection: Connection, keys: Keys) -> None:
    """For eyes, it says so, with the revision that still holds and the URL."""
    await _published(connection, keys)
    leader, follower = os.openpty()
    try:
        await asyncio.to_thread(
            subprocess.run,
            [*COMMAND, "tail", "--from", "start", "--no-follow"],
            stdout=follower,
            check=True,
            timeout=60,
            env=environ(redis_url=redis_server.url) | {"TERM": "dumb", "COLUMNS": "120"},
        )
        os.set_blocking(leader, False)
        article, unchanged = os.read(leader, 4096).decode().splitlines()
    finally:
        os.close(leader)
        os.close(follower)
    assert ARTICLE.title in article
    assert "unchanged" in unchanged
    assert "revision 1" in unchanged
    assert PLAIN_TASK.url in unchanged
