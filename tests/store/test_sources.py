"""The habits of sources in Redis: kept by one worker at a time, and watched while a worker looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.store.sources import Change, Sources

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys


@pytest.fixture
def sources(connection: Connection, keys: Keys) -> Sources:
    return Sources(connection, keys)


def change(before: bytes, after: bytes, due_ms: int | None = None, ttl_ms: int = 60_000) -> Change:
    return Change("a.example", before, after, due_ms, ttl_ms)


async def watch(
    sources: Sources, *names: str, step_ms: int = 60_000, due: int = 10
) -> tuple[int, dict[str, bytes]]:
    return await sources.watch(0, names, step_ms=step_ms, due=due)


async def test_the_second_of_two_workers_changes_nothing(sources: Sources) -> None:
    """Who made a change of an older habit is told so, and the first one's stays."""
    assert await sources.learn(0, [change(b"", b"one")]) == [True]
    assert await sources.learn(0, [change(b"", b"two")]) == [False]
    assert (await watch(sources, "a.example", "b.example"))[1] == {"a.example": b"one", "b.example": b""}


async def test_a_repeated_change_is_kept_once(sources: Sources) -> None:
    """A call whose reply was lost may be made again."""
    for _ in range(2):
        assert await sources.learn(0, [change(b"", b"one", 5)]) == [True]


async def test_only_due_sources_are_told(sources: Sources) -> None:
    """By the watch's time, so many at most, and none whose alarm was told."""
    now_ms, _ = await watch(sources)
    await sources.learn(
        0,
        [
            Change(f"{n}.example", b"", b"habit", now_ms + due, 60_000)
            for n, due in ((1, 0), (2, 0), (3, 9**9))
        ],
    )
    assert (await watch(sources, due=1))[1] == {"1.example": b"habit"}
    assert (await watch(sources))[1].keys() == {"1.example", "2.example"}
    await sources.learn(0, [Change("1.example", b"habit", b"told", None, 60_000)])
    assert (await watch(sources))[1].keys() == {"2.example"}


async def test_a_forgotten_source_is_due_no_more(
    sources: Sources, connection: Connection, keys: Keys
) -> None:
    """A habit that ran out takes its place among the due ones along."""
    await sources.learn(0, [change(b"", b"one", 0)])
    assert 0 < await connection.command("PTTL", keys.part(0, "habit:a.example")) <= 60_000
    await connection.command("DEL", keys.part(0, "habit:a.example"))
    await watch(sources)
    assert await connection.command("ZCARD", keys.part(0, "habits")) == 0


async def test_time_without_a_look_is_not_watched(
    sources: Sources, connection: Connection, keys: Keys
) -> None:
    """After an hour without workers, as much is watched as one step; and a clock set back takes nothing."""
    began_ms, _ = await watch(sources)
    for by_ms in (-3_600_000, 7_200_000):
        await connection.command("HINCRBY", keys.part(0, "clock"), "watched_at", by_ms)
        now_ms, _ = await watch(sources, step_ms=500)
        assert began_ms <= now_ms <= began_ms + 1000
