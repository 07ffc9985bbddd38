"""Consumers over the emptied server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.events.streams import LONG_MS
from worker.events import ArticleConsumer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import RedisServer
    from worker.events import Event
    from worker.store.connection import Connection


@pytest.fixture
def consumer(redis_server: RedisServer, connection: Connection) -> Callable[..., ArticleConsumer]:
    """Makes consumers of the group g."""

    def make(**options: Any) -> ArticleConsumer:
        given: dict[str, Any] = {"group": "g", "idle_ms": LONG_MS} | options
        return ArticleConsumer(redis_server.url, **given)

    return make


async def handled(consumer: ArticleConsumer, count: int) -> list[Event]:
    """The next `count` events, each acknowledged; the consumer is closed then."""
    events: list[Event] = []
    async with asyncio.timeout(60), consumer:
        async for event in consumer:
            events.append(event)
            if len(events) == count:
                consumer.stop()
    return events
