"""What a consumer asked for, and the streams that are it: of all partitions, later ones too."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from worker.errors import Misconfigured, StoreUnusable
from worker.events.notices import notice
from worker.store.consumer_group import FROM_NOW, FROM_START
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.clock import Clock
    from worker.store.connection import Connection
    from worker.store.consumer_group import ConsumerGroup

Stream = Literal["articles", "dead"]

_ENTRY_ID = re.compile(r"\d+(-\d+)?")
_NAME = re.compile(r"[\w.@+-]{1,200}")
#: How far beyond the last known partition a further one is looked for, and how often; and how often the
#: workers' number is asked for until one has told it.
_FURTHER = 64
_LOOK_EVERY_S = 30.0
_ASK_EVERY_S = 1.0
_LONGEST_IDLE_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a consumer asked for; see `ArticleConsumer`. Raises Misconfigured, a sentence for each fault."""

    group: str
    consumer: str
    prefix: str
    streams: tuple[Stream, ...]
    partitions: int | None
    start: str | datetime
    batch: int
    idle_ms: int
    max_deliveries: int

    def __post_init__(self) -> None:
        faults = [
            f"{name}={value!r} should be 1 to 200 letters, digits or any of _ . @ + -"
            for name, value in (("group", self.group), ("consumer", self.consumer))
            if not _NAME.fullmatch(value)
        ]
        faults += [
            f"{name}={value} should be {least} to {most}"
            for name, value, least, most in (
                ("batch", self.batch, 1, 10_000),
                ("idle_ms", self.idle_ms, 100, _LONGEST_IDLE_MS),
                ("max_deliveries", self.max_deliveries, 1, 1_000),
                ("partitions", 1 if self.partitions is None else self.partitions, 1, 16_384),
            )
            if not least <= value <= most
        ]
        if not self.streams or set(self.streams) - {"articles", "dead"}:
            faults.append(f"streams={self.streams!r} should name 'articles', 'dead' or both")
        try:
            entry_before(self.start)
        except ValueError as error:
            faults.append(f"start: {error}")
        if faults:
            raise Misconfigured(faults)

    def rejected(self, partition: int) -> str:
        """The hash that events of this partition go into when the group gives them up."""
        return Keys(self.prefix).rejected(self.group, partition)


class Subscription:
    """The streams of one group: found, and joined."""

    def __init__(self, connection: Connection, group: ConsumerGroup, terms: Terms, clock: Clock) -> None:
        self._connection = connection
        self._group = group
        self._terms = terms
        self._clock = clock
        self._partitions = 0
        self._looked_at: float | None = None
        self._asked_at = 0.0
        self._is_told = terms.partitions is not None
        self._one_at_a_time = asyncio.Lock()
        self.names: tuple[str, ...] = ()

    async def look(self) -> None:
        """Join what is not joined yet: at first everything, later whatever partitions were added."""
        async with self._one_at_a_time:  # a loop and a count of the lag may both come here first
            await self._look()

    async def rejoin(self) -> None:
        """Make the group anew where it is gone (a flush, XGROUP DESTROY), from the start: none is skipped."""
        async with self._one_at_a_time:
            for name in self.names:
                await self._join(name, FROM_START)

    async def _look(self) -> None:
        now, terms = self._clock.monotonic(), self._terms
        first = self._looked_at is None
        is_due = self._looked_at is None or (
            terms.partitions is None and now - self._looked_at >= _LOOK_EVERY_S
        )
        if not is_due and (self._is_told or now - self._asked_at < _ASK_EVERY_S):
            return
        self._asked_at = now
        there = terms.partitions or await partitions_told(self._connection, terms.prefix)
        if there is not None:
            self._is_told = True
        elif is_due:
            there = await partitions_guessed(
                self._connection, terms.prefix, terms.streams, max(self._partitions, 1)
            )
        else:
            return
        # What a partition holds that was not there before came after us: the whole of it is new.
        start = entry_before(terms.start) if first else FROM_START
        for partition in range(self._partitions, there):
            for name in stream_names(terms.prefix, terms.streams, partition):
                if name not in self.names:  # else we were cancelled half-way
                    await self._join(name, start)
                    self.names = (*self.names, name)
        self._partitions, self._looked_at = max(there, self._partitions), now

    async def _join(self, name: str, start: str) -> None:
        if await self._group.join(name, start):
            notice("info", "group_created", group=self._group.group, stream=name, start=start)


async def partitions_there(connection: Connection, prefix: str, streams: Iterable[Stream]) -> int:
    """How many partitions there are: as the workers told, or by a guess."""
    return await partitions_told(connection, prefix) or await partitions_guessed(connection, prefix, streams)


async def partitions_told(connection: Connection, prefix: str) -> int | None:
    """How many partitions the workers have; None of workers that do not tell, or if we may not ask."""
    try:
        told = await connection.command("GET", Keys(prefix).partition_count)
    except StoreUnusable:  # an older users.acl
        return None
    return None if told is None else int(told)


async def partitions_guessed(
    connection: Connection, prefix: str, streams: Iterable[Stream], known: int = 1
) -> int:
    """One more than the highest partition with an entry in `streams`; what we may not look at has none."""
    highest = known - 1
    partition = known
    while partition <= highest + _FURTHER:
        try:
            names = stream_names(prefix, streams, partition)
            if any([await connection.command("XLEN", name) for name in names]):
                highest = partition
        except StoreUnusable:
            break
        partition += 1
    return highest + 1


def stream_names(prefix: str, streams: Iterable[Stream], partition: int) -> list[str]:
    """The keys of one partition's `streams`."""
    keys = Keys(prefix)
    return [{"articles": keys.articles, "dead": keys.dead}[stream](partition) for stream in streams]


def entry_before(start: str | datetime) -> str:
    """The entry id behind which a reader begins that wants what `start` says: `0`, `now`, an id, an instant.

    An instant is that of Redis' clock at the writing, and aware. Raises ValueError.
    """
    if isinstance(start, datetime):
        if start.tzinfo is None:
            raise ValueError(f"{start.isoformat()} has no time zone: say datetime.now(UTC), for instance")
        ms = int(start.timestamp() * 1000)
        return f"{ms - 1}-{2**64 - 1}" if ms > 0 else FROM_START
    if start in {FROM_NOW, "now"}:
        return FROM_NOW
    if _ENTRY_ID.fullmatch(start) and all(int(part) < 2**64 for part in start.split("-")):
        return start
    raise ValueError(
        f"{start!r} should be '0', 'now', an entry's id such as '1735689600000-0', or a datetime"
    )
