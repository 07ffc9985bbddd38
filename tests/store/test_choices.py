"""What a group has chosen of each cluster: once, and not for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from worker.store.choices import Choices
from worker.urls import article_id

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys

CLUSTER = article_id("cluster")


async def choose(choices: Choices, name: str, *, now_ms: int = 0, cluster: str = CLUSTER) -> str:
    """Choose the article of that name; a choice is kept for 100 ms."""
    return await choices.choose(cluster, article_id(name), now_ms=now_ms, kept_ms=100)


async def test_the_first_is_chosen(connection: Connection, keys: Keys) -> None:
    """And stays it, whoever asks, and however often; another group chooses for itself."""
    choices = Choices(connection, keys, "g")
    answers = [await choose(choices, name) for name in ("a", "b", "a", "b")]
    assert answers == [article_id("a")] * 4
    assert await choose(Choices(connection, keys, "other"), "b") == article_id("b")


async def test_of_many_at_once_one_is_chosen(connection: Connection, keys: Keys) -> None:
    """All consumers of a group hear of the same one."""
    answers = await asyncio.gather(*(choose(Choices(connection, keys, "g"), str(n)) for n in range(10)))
    assert len(set(answers)) == 1


async def test_old_choices_are_dropped(connection: Connection, keys: Keys) -> None:
    """What nobody asked for in so long goes when others come, so that the record has a bound."""
    choices = Choices(connection, keys, "g")
    for number in range(20):
        await choose(choices, "a", now_ms=10 * number, cluster=article_id(str(number)))
    for number in range(20, 60):
        await choose(choices, "a", now_ms=10 * number, cluster=article_id(str(number)))
        held = await connection.command("HLEN", keys.chosen("g"))
        assert held == await connection.command("ZCARD", keys.chosen_at("g")) <= 20
    assert await choose(choices, "b", now_ms=600, cluster=article_id("0")) == article_id("b")


async def test_an_event_keeps_its_choice(connection: Connection, keys: Keys) -> None:
    """A story that still has copies is remembered for longer."""
    choices = Choices(connection, keys, "g")
    for now_ms in range(0, 500, 50):
        assert await choose(choices, f"copy at {now_ms}", now_ms=now_ms) == article_id("copy at 0")
        await choose(choices, "x", now_ms=now_ms, cluster=article_id(str(now_ms)))
