"""The inbox: a list that any producer pushes to, and how its items reach the frontier without loss.

take → admit (or reject) → untake. A worker that dies in between leaves its items in its taken list, where
another adopts them; `admit` knows an item by its number, so a second time changes nothing.
"""

from __future__ import annotations

import math
import time
from array import array
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.store.lines import flat, joined, tail_of
from worker.urls import article_id, partition_of, url_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from worker.model import Submission
    from worker.store.connection import Connection
    from worker.store.keys import Keys

#: Items are taken until they hold this much: a batch of giants must not fill a worker's memory.
TAKEN_AT_ONCE_BYTES = 4_000_000
#: By one call. Whoever has adopted what many had taken holds thousands, and a script's arguments are no list.
_ADMITTED_AT_ONCE = 100
#: How long a worker that takes items without a heartbeat counts as alive.
_UNHEARD_TTL_MS = 60_000
#: A number that has left the taken list is forgotten no sooner: a worker that was stopped in the middle of an
#: admission may still send it, and must find its numbers remembered.
_FORGET_AFTER_S = 120.0
#: By one admission, and a batch more: after 300,000 URLs and a pause, all at once kept Redis busy for 0.5 s.
_FORGOTTEN_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """A raw item of the inbox, under its fleet-wide number."""

    number: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of an item: a task with a seq, or a duplicate, whose `seq` is None."""

    number: int
    submission: Submission
    partition: int
    seq: int | None


class Inbox:
    """One worker's view of the inbox."""

    def __init__(
        self,
        connection: Connection,
        keys: Keys,
        *,
        worker: str,
        seen_days: int = 7,
        forget_after_s: float = _FORGET_AFTER_S,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._worker = worker
        self._seen_days = seen_days
        # Numbers that have left the taken list, and when, by partition, for a later `admit` to let go. In two
        # minutes there may be a million of them.
        self._untaken: dict[int, deque[tuple[float, array[int]]]] = defaultdict(deque)
        self._forget_after_s = forget_after_s

    async def push(self, items: Iterable[str | bytes]) -> None:
        """Put items at the end of the inbox, as a producer does; after a lost reply they may stand twice."""
        await self._connection.append(self._keys.queue, items)

    async def length(self) -> int:
        """Items that no worker has taken yet."""
        return int(await self._connection.command("LLEN", self._keys.queue))

    async def is_quiet(self, seconds: float) -> bool:
        """Wait for an item that may be taken; true if none came for so long, or half a reply's timeout.

        The first item is moved to where it stands, in one step: it stays for whoever takes it, and all who
        wait are woken. Raises StoreUnavailable at once where Redis is away, or has no memory left for writes;
        StoreForbids where the ACL does not give BLMOVE.
        """
        wait_s = min(seconds, self._connection.longest_wait_s)
        queue = self._keys.queue
        return await self._connection.once("BLMOVE", queue, queue, "LEFT", "LEFT", wait_s) is None

    async def take(self, limit: int) -> list[Item]:
        """Everything in this worker's taken list, filled from the inbox up to `limit`."""
        entries = await self._connection.run(
            "take",
            [self._keys.queue, self._keys.taken(self._worker), self._keys.numbers, self._keys.workers],
            [limit, TAKEN_AT_ONCE_BYTES, self._worker, _UNHEARD_TTL_MS],
        )
        return [Item(int(number), raw) for number, _, raw in (entry.partition(b" ") for entry in entries)]

    async def admit(self, items: Sequence[tuple[int, Submission]]) -> list[Admission]:
        """Accept numbered submissions; asked again for the same numbers, it answers the same."""
        shares: dict[int, list[tuple[int, Submission]]] = defaultdict(list)
        for number, submission in items:
            shares[partition_of(submission.host, self._keys.partitions)].append((number, submission))
        admissions = []
        for partition, share in _batches(shares):
            args: list[str | bytes | int] = [self._seen_days, joined(self._forgettable(partition))]
            for number, item in share:
                args += [number, item.host, url_digest(item.url), article_id(item.url), item.not_before_ms]
                args += [_again_after_ms(item), int(item.priority == "high"), tail_of(item)]
            seqs = await self._connection.run(
                "admit", [self._keys.tag(partition)], args, lasting=self._keys.part(partition, "clock")
            )
            admissions += [
                Admission(number, item, partition, seq if seq > 0 else None)
                for (number, item), seq in zip(share, seqs, strict=True)
            ]
        return admissions

    async def reject(self, number: int, dead_letter: Mapping[str, str | bytes]) -> None:
        """Bury an item that can never become a task; a second time under its number changes nothing."""
        await self._connection.run(
            "reject",
            [self._keys.tag(0)],
            [number, *flat(dead_letter)],
            lasting=self._keys.part(0, "clock"),
        )

    async def untake(self, partitions: Mapping[int, int]) -> None:
        """Drop admitted items, given as number → partition, from the taken list.

        Redis may forget only those that were still in it: what another worker has adopted meanwhile, that
        worker admits again, and must find remembered.
        """
        reply = await self._connection.run("untake", [self._keys.taken(self._worker)], list(partitions))
        gone: dict[int, array[int]] = defaultdict(lambda: array("q"))
        for number in map(int, reply):
            gone[partitions[number]].append(number)
        for partition, numbers in gone.items():
            self._untaken[partition].append((time.monotonic(), numbers))

    def _forgettable(self, partition: int) -> list[int]:
        untaken, numbers = self._untaken[partition], list[int]()
        while (
            untaken
            and len(numbers) < _FORGOTTEN_AT_ONCE
            and time.monotonic() - untaken[0][0] >= self._forget_after_s
        ):
            numbers += untaken.popleft()[1]
        return numbers

    async def beat(self, ttl_s: float) -> list[str]:
        """Say that this worker lives for `ttl_s` more; returns workers that have been silent for longer."""
        reply = await self._connection.run("beat", [self._keys.workers], [self._worker, int(ttl_s * 1000)])
        return [name.decode() for name in reply if name.decode() != self._worker]

    async def adopt(self, silent: str, limit: int) -> int:
        """Move a silent worker's taken items to our own list; returns how many."""
        keys = [self._keys.workers, self._keys.taken(silent), self._keys.taken(self._worker)]
        return int(await self._connection.run("adopt", keys, [silent, limit]))

    async def leave(self) -> None:
        """Sign off at shutdown; what is still taken is then adopted by others, in time."""
        keys = [self._keys.workers, self._keys.taken(self._worker)]
        await self._connection.run("leave", keys, [self._worker])

    async def workers(self) -> list[str]:
        """Every worker that has signed on and neither signed off nor been given up."""
        return [name.decode() for name in await self._connection.command("ZRANGE", self._keys.workers, 0, -1)]

    async def taken(self) -> int:
        """Items taken by all workers and not admitted yet."""
        return sum(
            [
                int(await self._connection.command("LLEN", self._keys.taken(worker)))
                for worker in await self.workers()
            ]
        )


def _batches(
    shares: Mapping[int, Sequence[tuple[int, Submission]]],
) -> Iterator[tuple[int, Sequence[tuple[int, Submission]]]]:
    for partition, share in shares.items():
        for start in range(0, len(share), _ADMITTED_AT_ONCE):
            yield partition, share[start : start + _ADMITTED_AT_ONCE]


def _again_after_ms(item: Submission) -> int | str:
    """How old the last visit must be for a URL seen before; "" for one that is then a duplicate."""
    if item.force:
        return 0
    return "" if item.recrawl_after_s is None else math.ceil(item.recrawl_after_s * 1000)
