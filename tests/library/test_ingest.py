"""`Ingest` in a program of one's own: a queue worked off with hooks, and single articles without Redis."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest

import worker
from tests.library.conftest import OPEN, balance, entries
from worker import Article, Ingest, Malformed, Misconfigured, NoArticle, Page, Published, Task, Veto, events
from worker.telemetry.catalogue import faults_in
from worker.telemetry.log import reset_logging

if TYPE_CHECKING:
    from tests.runtime.publisher import Publisher
    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys


async def test_hooks_change_veto_and_are_told(
    ingest: Ingest, publisher: Publisher, connection: Connection, keys: Keys
) -> None:
    """Each URL ends once, as the hooks had it, and the program hears of each end."""
    told: list[Published] = []

    @ingest.before_fetch
    async def only_etag(task: Task) -> Veto | None:
        return Veto("not of ours") if task.target.endswith("/none") else None

    @ingest.after_extract
    async def sectioned(article: Article, page: Page, task: Task) -> Article:
        assert page.body.startswith(b"<html>")
        assert task.url == article.url
        return replace(article, section="Ferries")

    @ingest.on_event
    async def tell(event: Published) -> None:
        told.append(event)

    async with ingest:
        await ingest.add(publisher.url("etag"), meta={"n": 1})
        await ingest.add(publisher.url("none"))
        await connection.command("RPUSH", keys.queue, "no url")
        await ingest.run(until_empty=True)
    (article,) = await entries(connection, keys.articles())
    letters = {letter["reason"]: letter for letter in await entries(connection, keys.dead())}
    assert (article["section"], article["task"]["meta"]) == ("Ferries", {"n": 1})
    assert letters.keys() == {"vetoed", "malformed"}
    assert (letters["vetoed"]["error"], letters["vetoed"]["attempts"]) == ("not of ours", 1)
    assert publisher.asked == [("/etag", None, None)]
    assert await balance(connection, keys) == (3, 1, 2)
    written = {each["event_id"] for each in (article, *letters.values())}
    assert {event.id for event in told} == written
    assert len(told) == 3
    assert {event.type for event in told} == {"article.published.v1", "url.dead.v1"}
    assert {event.data["title"] for event in told if event.type == "article.published.v1"} == {
        article["title"]
    }


@pytest.mark.parametrize("kind", ["before_fetch", "after_extract"])
async def test_a_hook_that_raises_is_a_failed_try(
    ingest: Ingest, publisher: Publisher, connection: Connection, keys: Keys, kind: str
) -> None:
    """It is tried again; a hook that never recovers makes a dead letter, which says what was raised."""
    calls: list[object] = []

    async def broken(*given: object) -> None:
        calls.append(given)
        if len(calls) == 1 or str(publisher.url("etag")) in str(given[-1]):
            raise ValueError("no database")

    getattr(ingest, kind)(broken)
    async with ingest:
        await ingest.add(publisher.url("none"))
        await ingest.run(until_empty=True)
        await ingest.add(publisher.url("etag"))
        await ingest.run(until_empty=True)
    (article,) = await entries(connection, keys.articles())
    (letter,) = await entries(connection, keys.dead())
    assert (article["url"], article["task"]["attempt"]) == (publisher.url("none"), 1)
    assert (letter["reason"], letter["attempts"]) == ("hook_failed", 2)
    assert letter["error"] == f"{kind}: ValueError: no database"
    assert len(calls) == 4
    assert await balance(connection, keys) == (2, 1, 1)


async def test_on_event_cannot_harm_an_event(
    ingest: Ingest,
    publisher: Publisher,
    connection: Connection,
    keys: Keys,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What it raises is one line of the log; the event stands there once, and the next hook hears of it."""
    told: list[str] = []

    @ingest.on_event
    async def broken(event: Published) -> None:
        raise RuntimeError("no mail server")

    @ingest.on_event
    async def tell(event: Published) -> None:
        told.append(event.id)

    with caplog.at_level(logging.INFO, logger="ingest"):
        async with ingest:
            await ingest.add(publisher.url("etag"))
            await ingest.run(until_empty=True)
    (article,) = await entries(connection, keys.articles())
    assert told == [article["event_id"]]
    assert await balance(connection, keys) == (1, 1, 0)
    lines = [orjson.loads(record.getMessage()) for record in caplog.records if record.name == "ingest"]
    failed = [line for line in lines if line["event"] == "hook_failed"]
    assert [(line["hook"], line["event_id"], line["level"]) for line in failed] == [
        ("on_event", article["event_id"], "error")
    ]
    assert faults_in(failed[0]) == []
    assert "internal_error" not in {line["event"] for line in lines}


async def test_a_hook_that_hangs_is_cut_off(
    redis_server: RedisServer, connection: Connection, keys: Keys, publisher: Publisher
) -> None:
    """A hook has its time; a lease must not be kept for ever by one that waits for nothing."""
    ingest = Ingest(redis_url=redis_server.url, hook_timeout_s=0.05, **OPEN)

    @ingest.before_fetch
    async def hang(task: Task) -> None:
        await asyncio.Event().wait()

    async with ingest:
        await ingest.add(publisher.url("etag"))
        await ingest.run(until_empty=True)
    (letter,) = await entries(connection, keys.dead())
    assert (letter["reason"], letter["error"]) == ("hook_failed", "before_fetch: TimeoutError: ")
    reset_logging()


async def test_an_article_without_redis(publisher: Publisher) -> None:
    """One page, by the same hooks and rules, and no Redis anywhere; what is none says why."""
    ingest = Ingest(redis_url="redis://127.0.0.1:1/0", **OPEN)

    @ingest.after_extract
    async def shout(article: Article, page: Page, task: Task) -> Article | Veto | None:
        if task.url.endswith("/none"):
            return Veto("seen")
        return replace(article, text=article.text.upper())

    async with ingest:
        article = await ingest.article(publisher.url("moved"))
        assert (article.url, article.title) == (publisher.url("moved"), publisher.title)
        assert article.text.isupper()
        with pytest.raises(NoArticle, match="seen") as refused:
            await ingest.article(publisher.url("none"))
        assert refused.value.reason == "vetoed"
        with pytest.raises(NoArticle) as liar:
            await ingest.article(publisher.url("liar"))
        assert liar.value.reason == "bad_response"
        with pytest.raises(Malformed):
            await ingest.article("ftp://example.com/")
    reset_logging()


async def test_wrong_use_is_told(ingest: Ingest) -> None:
    """Settings that are none, hooks that cannot be awaited, and URLs that no worker would accept."""
    with pytest.raises(Misconfigured, match="concurency is not a setting"):
        Ingest(concurency=3)
    with pytest.raises(TypeError, match="coroutine function"):
        ingest.before_fetch(lambda task: None)  # type: ignore[type-var]
    with pytest.raises(RuntimeError, match="open it first"):
        await ingest.run()
    async with ingest:
        with pytest.raises(Malformed):
            await ingest.add("nothing")
        with pytest.raises(Malformed, match="unknown"):
            await ingest.add("http://a.example/1", colour="red")


def test_no_name_is_public_twice() -> None:
    """A program that writes articles and reads events imports both; each name says which of the two."""
    assert set(worker.__all__) & set(events.__all__) == set()
