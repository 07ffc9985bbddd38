"""Streams with events in them, and what a consumer that died leaves behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.events.samples import ARTICLE, NOW, PAGE, PLAIN_TASK
from worker.events.envelope import article_event
from worker.urls import article_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.store.connection import Connection

ARTICLES = "{ingest:0}:articles"
#: Longer than any test: nothing is taken over but what `forsake` has made idle.
LONG_MS = 3_600_000


def fields(number: int) -> dict[str, str | bytes]:
    """The fields of an article's event that no other number has."""
    task = replace(PLAIN_TASK, seq=number, url=url(number))
    article = replace(ARTICLE, url=task.url)
    return article_event(task, article, PAGE, partition=0, namespace="ingest", fetched_at=NOW, now=NOW)


def url(number: int) -> str:
    """The URL of the event of that number."""
    return f"https://example.com/news/{number}"


async def publish(connection: Connection, numbers: Iterable[int], stream: str = ARTICLES) -> list[str]:
    """Write events of these numbers; the ids of their entries."""
    return [await write(connection, fields(number), stream) for number in numbers]


async def publish_of(connection: Connection, number: int, cluster: str | None, *, revision: int = 1) -> str:
    """Write the event of an article of that cluster; its entry."""
    task = replace(PLAIN_TASK, seq=100 * revision + number, url=url(number), revision=revision)
    article = replace(ARTICLE, url=task.url, article_id=article_id(task.url))
    event = article_event(
        task,
        article,
        PAGE,
        partition=0,
        namespace="ingest",
        fetched_at=NOW,
        now=NOW,
        cluster_id=cluster,
    )
    return await write(connection, event)


async def write(
    connection: Connection, event: dict[str, str | bytes], stream: str = ARTICLES, entry: str = "*"
) -> str:
    """Write one entry; its id."""
    words = [word for pair in event.items() for word in pair]
    added: bytes = await connection.command("XADD", stream, entry, *words)
    return added.decode()


async def pending(connection: Connection, group: str = "g", stream: str = ARTICLES) -> dict[str, int]:
    """The group's pending entries: id → deliveries."""
    page = await connection.command("XPENDING", stream, group, "-", "+", 1000, parse_detail=True)
    return {each["message_id"].decode(): each["times_delivered"] for each in page}


async def deliver(
    connection: Connection, count: int, group: str = "g", consumer: str = "dead", stream: str = ARTICLES
) -> None:
    """Deliver up to `count` more entries to a consumer that will do nothing with them."""
    await connection.command("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", stream, ">")


async def forsake(
    connection: Connection,
    group: str = "g",
    *,
    deliveries: int | None = None,
    entries: Iterable[str] | None = None,
    stream: str = ARTICLES,
) -> None:
    """All that is pending (or `entries`) is as idle as if its consumers had died long ago."""
    ids = list(entries) if entries is not None else list(await pending(connection, group, stream))
    count = () if deliveries is None else ("RETRYCOUNT", deliveries)
    idle = ("IDLE", 2 * LONG_MS, *count, "JUSTID")
    await connection.command("XCLAIM", stream, group, "dead", 0, *ids, *idle, parse_justid=True)


async def renewed(connection: Connection, entry: str, group: str = "g") -> None:
    """Wait until the idle time of a pending entry is set back."""
    idle_ms = 0
    while True:
        page = await connection.command("XPENDING", ARTICLES, group, entry, entry, 1, parse_detail=True)
        now_ms = int(page[0]["time_since_delivered"])
        if now_ms < idle_ms:
            return
        idle_ms = now_ms
        await asyncio.sleep(0.005)
