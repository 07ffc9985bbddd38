"""The listener: shares what was seen of sources, and logs which of them fell silent or lost a field."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from worker.habits.habit import Return, Silence, begun, decoded, watched
from worker.habits.rhythm import LEAST_ARTICLES, Rules
from worker.habits.sightings import Seen
from worker.runtime.pause import pause
from worker.store.sources import Change, Sources
from worker.telemetry.log import get_logger
from worker.telemetry.pulse import unheard
from worker.urls import partition_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Sequence

    from worker.habits.habit import Finding, Habit
    from worker.runtime.parts import Parts
    from worker.settings import Settings
    from worker.telemetry.pulse import Beat

#: Sources in one call of a script: a few milliseconds of Redis' time.
_AT_ONCE = 50
_LONGEST_PAUSE_S = 15.0
#: So many of its pauses at most count as watched from one look to the next: Redis may have been away.
_STEP_IN_LOOKS = 3
#: A source of which little is known is forgotten after three days; there may be millions of those.
_YOUNG_TTL_MS = 3 * 86_400_000
#: Others after so many learning times without a sign.
_TTL_IN_LEARNING_TIMES = 4


def looks_every_s(settings: Settings) -> float:
    """How long the listener pauses: the shortest silence that is told must span several looks."""
    return min(_LONGEST_PAUSE_S, settings.silence_after_s / 4)


class Listener:
    """Every worker runs one; what one has told is kept with the source, so that no other tells it again."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        self._parts = parts
        self._sources = Sources(parts.connection, parts.keys)
        self._every_s = looks_every_s(settings)
        self._looked_at = parts.clock.monotonic()
        self._rules = Rules(
            factor=settings.silence_factor,
            after_ms=int(settings.silence_after_s * 1000),
            learn_ms=int(settings.silence_learn_s * 1000),
        )

    async def run(self, stopping: asyncio.Event, beat: Beat = unheard) -> None:
        """Listen until `stopping`, and once more then."""
        while not stopping.is_set():
            beat()
            await pause(stopping, self._every_s)
            await self.listen()

    async def listen(self) -> None:
        """Tell what was seen, and look for sources that are silent for too long.

        While nothing was claimed (consumers lag, Redis is full) or admitted (the frontier is full), a healthy
        source's URLs may stand behind those of others: the watch stands still as well.
        """
        held = self._parts.stats.stood_still_at >= self._looked_at
        self._looked_at = self._parts.clock.monotonic()
        step_ms = 0 if held else int(_STEP_IN_LOOKS * 1000 * self._every_s)
        partitions = self._parts.keys.partitions
        seen: list[dict[str, Seen]] = [{} for _ in range(partitions)]
        for source, each in self._parts.sightings.taken().items():
            seen[partition_of(source, partitions)][source] = each
        for partition, sources in enumerate(seen):
            due = 0 if held else _AT_ONCE
            for batch in _batches(sources):
                await self._listen(partition, batch, step_ms=step_ms, due=due)
                due = 0

    async def _listen(self, partition: int, seen: dict[str, Seen], *, step_ms: int, due: int) -> None:
        now_ms, known = await self._sources.watch(partition, list(seen), step_ms=step_ms, due=due)
        wall_s = int(self._parts.clock.now().timestamp())
        changes: list[Change] = []
        findings: list[list[Finding]] = []
        for source, before in known.items():
            habit, found = watched(
                (decoded(before) or begun(now_ms, wall_s)) if before else None,
                seen.get(source, Seen()),
                now_ms=now_ms,
                wall_s=wall_s,
                rules=self._rules,
            )
            if habit is not None:
                changes.append(self._change(source, before, habit, is_sign=source in seen))
                findings.append(found)
        if not changes:
            return
        kept = await self._sources.learn(partition, changes)
        for change, found, is_kept in zip(changes, findings, kept, strict=True):
            if is_kept:
                _tell(change.source, found)
            elif change.source in seen:
                self._parts.sightings.put_back(change.source, seen[change.source])

    def _change(self, source: str, before: bytes, habit: Habit, *, is_sign: bool) -> Change:
        known = habit.rhythm.articles >= LEAST_ARTICLES
        ttl_ms = max(_TTL_IN_LEARNING_TIMES * self._rules.learn_ms, 1) if known else _YOUNG_TTL_MS
        return Change(
            source,
            before,
            habit.encoded(),
            habit.due_ms(self._rules),
            # What we tell of a source is no sign of it: one that is gone for good is forgotten in the end.
            ttl_ms if is_sign else None,
            habit.last_article_s if habit.rhythm.silent_ms else None,
        )


def _batches(seen: dict[str, Seen]) -> Iterator[dict[str, Seen]]:
    """All of it, some sources at a time; one empty batch if there are none."""
    sources = iter(seen.items())
    yield dict(islice(sources, _AT_ONCE))
    while batch := dict(islice(sources, _AT_ONCE)):
        yield batch


def _tell(source: str, findings: Sequence[Finding]) -> None:
    log = get_logger()
    for each in findings:
        match each:
            case Silence():
                log.warning(
                    "source_silent",
                    host=source,
                    why="failing" if each.failing else "quiet",
                    per_hour=round(each.per_hour, 3),
                    articles=each.articles,
                    last_article_at=datetime.fromtimestamp(each.last_article_s, UTC).isoformat(),
                    silent_s=round(each.silent_ms / 1000, 3),
                    limit_s=round(each.limit_ms / 1000, 3),
                    ended=each.ended,
                    again=each.again or None,
                )
            case Return(silent_ms=silent_ms):
                log.info("source_back", host=source, silent_s=round(silent_ms / 1000, 3))
            case _:
                shares = {"learnt": round(each.learnt, 2), "recent": round(each.recent, 2)}
                if each.lost:
                    log.warning(
                        "field_lost",
                        host=source,
                        field=each.field,
                        **shares,
                        url=each.url,
                        again=each.again or None,
                    )
                else:
                    log.info("field_found", host=source, field=each.field, **shares, url=each.url)
