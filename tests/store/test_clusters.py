"""Stories in Redis: who shares fingerprints with the first article of one is its copy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.store.clusters import Clusters
from worker.urls import article_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.store.connection import Connection
    from worker.store.keys import Keys

DAY_S = 86_400


@pytest.fixture
def clusters(connection: Connection, keys: Keys) -> Clusters:
    return Clusters(connection, keys, days=3, least=7)


def prints(numbers: Iterable[int]) -> list[bytes]:
    """A fingerprint for each number."""
    return [f"{number:06d}".encode() for number in numbers]


async def ask(clusters: Clusters, name: str, numbers: Iterable[int]) -> str:
    """The cluster of the article of that name; seven shared fingerprints make a copy."""
    return await clusters.of(article_id(name), prints(numbers))


async def test_an_article_like_no_other_is_the_first_of_its_story(clusters: Clusters) -> None:
    """Its own id names the cluster."""
    assert await ask(clusters, "a", range(16)) == article_id("a")
    assert await ask(clusters, "b", range(100, 116)) == article_id("b")


@pytest.mark.parametrize(("start", "first"), [(9, "a"), (10, "b")])
async def test_enough_shared_fingerprints_make_a_copy(clusters: Clusters, start: int, first: str) -> None:
    """With seven of them it is one, with six it is not."""
    await ask(clusters, "a", range(16))
    assert await ask(clusters, "b", range(start, start + 16)) == article_id(first)


async def test_asked_again_it_says_the_same(clusters: Clusters) -> None:
    """Whatever came between: of a first article, and of a copy."""
    for _ in range(2):
        assert await ask(clusters, "a", range(16)) == article_id("a")
        assert await ask(clusters, "b", range(6, 22)) == article_id("a")
        assert await ask(clusters, "c", range(10, 26)) == article_id("c")


async def test_a_copy_takes_no_room_and_has_no_copies(clusters: Clusters, connection: Connection) -> None:
    """What is like a copy must be like the first one, too: no chain leads from story to story."""
    await ask(clusters, "a", range(16))
    before = await connection.command("DBSIZE")
    assert await ask(clusters, "b", range(8, 24)) == article_id("a")
    assert await connection.command("DBSIZE") == before
    assert await ask(clusters, "c", range(16, 32)) == article_id("c")


async def test_of_copies_that_come_at_once_one_is_first(connection: Connection, keys: Keys) -> None:
    """Many workers ask at the same time, and hear one answer."""
    fleet = [Clusters(connection, keys, days=3, least=7) for _ in range(10)]
    answers = await asyncio.gather(*(ask(each, f"a{n}", range(16)) for n, each in enumerate(fleet)))
    assert len(set(answers)) == 1


async def test_the_earliest_story_has_the_article(clusters: Clusters) -> None:
    """Whichever shares more of it, and whatever came between when it is asked for again."""
    await ask(clusters, "a", range(16))
    assert await ask(clusters, "c", [*range(7), *range(100, 109)]) == article_id("a")
    await ask(clusters, "b", range(100, 116))
    assert await ask(clusters, "c", [*range(7), *range(100, 109)]) == article_id("a")


@given(st.lists(st.sets(st.integers(0, 40), min_size=1, max_size=16), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_copy_is_missed(connection: Connection, keys: Keys, articles: list[set[int]]) -> None:
    """However few fingerprints are looked for, the earliest story that shares enough is found."""
    await connection.command("FLUSHALL")
    firsts: list[tuple[str, set[int]]] = []
    for n, numbers in enumerate(articles):
        copied = [name for name, first in firsts if len(first & numbers) >= 7]
        told = await ask(Clusters(connection, keys, days=3, least=7), f"a{n}", sorted(numbers))
        assert told == article_id(copied[0] if copied else f"a{n}")
        if not copied:
            firsts.append((f"a{n}", numbers))


async def test_every_key_expires(clusters: Clusters, connection: Connection) -> None:
    """A story is known for its days at least, and for twice as many at most."""
    await ask(clusters, "a", range(16))
    names = [name async for page in connection.scan("*", count=1000) for name in page]
    left = [await connection.command("TTL", name) for name in names]
    assert names
    assert 3 * DAY_S - 60 < min(left) == max(left) <= 6 * DAY_S


async def test_stories_of_the_last_span_are_known(clusters: Clusters, connection: Connection) -> None:
    """What was kept under the span before this one counts, and anything older does not."""
    await ask(clusters, "a", range(16))
    await _age(connection, spans=1)
    assert await ask(clusters, "b", range(16)) == article_id("a")
    await _age(connection, spans=1)
    assert await ask(clusters, "c", range(16)) == article_id("c")


async def _age(connection: Connection, spans: int) -> None:
    """Let spans pass, as if the keys had been written so much earlier."""
    names = [name.decode() async for page in connection.scan("*", count=1000) for name in page]
    for name in sorted(names, key=lambda name: int(name.split(":")[2])):  # the oldest make room first
        namespace, tag, span, rest = name.split(":", 3)
        await connection.command("RENAME", name, f"{namespace}:{tag}:{int(span) - spans}:{rest}")


async def test_articles_asked_for_together_hear_of_their_own(clusters: Clusters) -> None:
    """One call for many: firsts, a copy of one of them, and one without fingerprints enough to be a copy."""
    asked = {"a": range(16), "b": range(100, 116), "c": range(4, 20), "d": range(3)}
    told = await asyncio.gather(*(ask(clusters, name, numbers) for name, numbers in asked.items()))
    assert list(told) == [article_id(first) for first in "abad"]
