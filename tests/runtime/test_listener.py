"""The listener: which silences are told, and which are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from worker.habits.habit import Habit
from worker.habits.rhythm import Rhythm, Rules, Span
from worker.habits.shares import Shares
from worker.habits.sightings import Seen
from worker.ops.silent_sources import SilentSource, silent_sources
from worker.runtime.listener import Listener
from worker.store.ledger import read_depths
from worker.store.sources import Change, Sources

if TYPE_CHECKING:
    import io

    from worker.runtime.parts import Parts

HOUR_MS, WEEK_MS = 3_600_000, 7 * 86_400_000
#: As the default settings have it.
RULES = Rules(factor=3, after_ms=HOUR_MS, learn_ms=WEEK_MS)


class Fleet:
    """A source whose articles came hourly for more than a week, listened to by one worker."""

    def __init__(self, parts: Parts, stream: io.BytesIO) -> None:
        self._parts = parts
        self._stream = stream
        self.listener = Listener(parts)
        self.sources = Sources(parts.connection, parts.keys)
        rhythm = Rhythm(
            began_ms=WEEK_MS,
            last_ms=WEEK_MS + 100 * HOUR_MS,
            now=Span(pause_ms=HOUR_MS, articles=100),
            before=Span(WEEK_MS, HOUR_MS, articles=168),
        )
        self.habit = Habit(rhythm, Shares(), {}, last_article_s=1_800_000_000)
        due_ms = rhythm.due_ms(RULES)
        assert due_ms is not None
        self.due_ms = due_ms

    async def meet(self, source: str = "a.example") -> None:
        """Its habit is known, and its silence is due ten seconds after the watch's time."""
        change = Change(source, b"", self.habit.encoded(), self.due_ms, ttl_ms=HOUR_MS)
        assert await self.sources.learn(0, [change]) == [True]
        await self._clock("HSET", "watched", self.due_ms - 10_000)

    async def a_minute_passes(self) -> None:
        """Since anybody looked."""
        await self.sources.watch(0, [], step_ms=0, due=0)
        await self._clock("HINCRBY", "watched_at", -60_000)

    async def _clock(self, command: str, field: str, value: int) -> None:
        clock = self._parts.keys.part(0, "clock")
        await self._parts.connection.command(command, clock, field, value)

    def told(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [orjson.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
async def fleet(parts: Parts, stream: io.BytesIO) -> Fleet:
    fleet = Fleet(parts, stream)
    await fleet.meet()
    return fleet


async def test_a_silence_is_told_once(fleet: Fleet) -> None:
    """With the watch's time its hour comes; the next look is silent."""
    for _ in range(2):
        await fleet.a_minute_passes()
        await fleet.listener.listen()
    (line,) = fleet.told()
    assert (line["event"], line["host"], line["why"]) == ("source_silent", "a.example", "quiet")


async def test_no_source_is_silent_while_nothing_is_admitted_or_claimed(fleet: Fleet, parts: Parts) -> None:
    """URLs of a healthy source may stand in the queue, behind a full frontier: that time does not count."""
    for _ in range(3):
        await fleet.a_minute_passes()
        parts.stats.stand_still()
        await fleet.listener.listen()
    await fleet.listener.listen()
    assert fleet.told() == []
    await fleet.a_minute_passes()
    await fleet.listener.listen()
    assert [line["event"] for line in fleet.told()] == ["source_silent"]


async def test_what_is_seen_meanwhile_is_shared(fleet: Fleet, parts: Parts) -> None:
    """Articles that are published while admission stands still are no less news of their source."""
    await fleet.a_minute_passes()
    await fleet.listener.listen()
    seen = Seen()
    seen.article(1, "http://a.example/1")
    parts.sightings.put_back("a.example", seen)
    parts.stats.stand_still()
    await fleet.listener.listen()
    assert [line["event"] for line in fleet.told()] == ["source_silent", "source_back"]


async def test_who_is_silent_is_kept_until_it_is_back(fleet: Fleet, parts: Parts) -> None:
    """Redis names the source, its last article, why, and what was usual: for status, dashboard, metrics."""

    async def silent() -> list[SilentSource]:
        return await silent_sources(parts.connection, parts.keys, 10)

    assert await silent() == []
    await fleet.a_minute_passes()
    await fleet.listener.listen()
    (line,) = fleet.told()
    (source,) = await silent()
    assert (source.source, source.since, source.why) == ("a.example", line["last_article_at"], "quiet")
    assert source.per_hour == line["per_hour"]
    assert (await read_depths(parts.connection, parts.keys, taken=0)).silent_sources == 1
    seen = Seen()
    seen.article(1, "http://a.example/1")
    parts.sightings.put_back("a.example", seen)
    await fleet.listener.listen()
    assert await silent() == []
    assert (await read_depths(parts.connection, parts.keys, taken=0)).silent_sources == 0


async def test_it_is_told_again_after_a_day_and_lives_no_longer_for_that(fleet: Fleet, parts: Parts) -> None:
    """Whoever lost the first alarm hears another; a source that is gone for good is forgotten in the end."""
    habit, clock = parts.keys.part(0, "habit:a.example"), parts.keys.part(0, "clock")
    await fleet.a_minute_passes()
    await fleet.listener.listen()
    await parts.connection.command("HINCRBY", clock, "watched", 24 * HOUR_MS)
    await fleet.listener.listen()
    await fleet.listener.listen()
    assert [line.get("again") for line in fleet.told()] == [None, True]
    assert 0 < await parts.connection.command("PTTL", habit) <= HOUR_MS
    await parts.connection.command("DEL", habit)
    assert await silent_sources(parts.connection, parts.keys, 10) == []
    await parts.connection.command("HINCRBY", clock, "watched", 24 * HOUR_MS)
    await fleet.listener.listen()
    assert await parts.connection.command("ZCARD", parts.keys.part(0, "silent")) == 0
    assert len(fleet.told()) == 2
