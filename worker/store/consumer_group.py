"""A consumer group over the output streams, as one of its consumers uses it.

An entry is *pending* from its delivery to its acknowledgement; Redis keeps for each who has it, since when
(its *idle* time), and how often it was delivered. Every call here may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis import exceptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from worker.store.connection import Connection

#: What stands before every entry of a stream, and behind: XGROUP's words.
FROM_START, FROM_NOW = "0", "$"
#: Pending entries looked at in one call.
PAGE = 100
_HELD_BY_NONE_MS = 2**32  # of idle time: 49 days, longer than any limit


@dataclass(frozen=True, slots=True)
class Delivered:
    """An entry that was just delivered to us. `deliveries` counts this one in."""

    stream: str
    entry: str
    fields: dict[bytes, bytes]
    deliveries: int


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry that somebody has and has not acknowledged."""

    entry: str
    consumer: str
    idle_ms: int
    deliveries: int


class GroupMissingError(Exception):
    """The group is not there: never made, destroyed, or gone with a FLUSHALL."""


class ConsumerGroup:
    """One consumer's view of its group. Raises what `Connection` raises; see there."""

    def __init__(self, connection: Connection, group: str, consumer: str) -> None:
        self._connection = connection
        self.group = group
        self.consumer = consumer

    async def join(self, stream: str, start: str) -> bool:
        """Make the group, and the stream, where there is none; whether it was made now.

        A new group is given what stands behind the entry id `start`; one that is there keeps its place.
        """
        try:
            await self._connection.command("XGROUP", "CREATE", stream, self.group, start, "MKSTREAM")
        except exceptions.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
            return False
        return True

    async def is_made(self, stream: str) -> bool:
        """Whether the stream has this group already."""
        return any(_pairs(each)[b"name"] == self.group.encode() for each in await self._groups(stream))

    async def read(self, streams: Sequence[str], count: int, *, wait_s: float = 0) -> list[Delivered]:
        """What nobody was given yet, `count` of each stream at most; waits for something to come.

        In a cluster all `streams` must have one hash tag. Raises GroupMissingError.
        """
        waiting = ("BLOCK", max(1, int(wait_s * 1000))) if wait_s else ()
        reply = await self._of_group(
            *("XREADGROUP", "GROUP", self.group, self.consumer, "COUNT", count, *waiting, "STREAMS"),
            *(*streams, *(">" for _ in streams)),
        )
        return [
            Delivered(stream.decode(), entry.decode(), fields, 1)
            for stream, entries in reply or ()
            for entry, fields in entries
        ]

    async def pending(
        self, stream: str, start: str = "-", end: str = "+", *, ours: bool = False
    ) -> list[Pending]:
        """A page of what is pending from `start` on, whoever has it, or of `ours`. Raises GroupMissingError.

        A page of fewer than PAGE is the last one.
        """
        whose = (self.consumer,) if ours else ()
        reply = await self._of_group(
            "XPENDING", stream, self.group, start, end, PAGE, *whose, parse_detail=True
        )
        return [
            Pending(
                each["message_id"].decode(),
                each["consumer"].decode(),
                each["time_since_delivered"],
                each["times_delivered"],
            )
            for each in reply
        ]

    async def entry(self, stream: str, entry: str) -> dict[bytes, bytes] | None:
        """The fields of an entry; None when it is not in the stream any more."""
        page = await self._connection.command("XRANGE", stream, entry, entry)
        return page[0][1] if page else None

    async def take_over(self, stream: str, idle_ms: int, entries: Sequence[Pending]) -> list[Delivered]:
        """Those of `entries` that were still idle for `idle_ms`: ours now, and delivered once more.

        Of several who try, one is given the entry. Raises GroupMissingError.
        """
        reply = await self._of_group(
            "XCLAIM", stream, self.group, self.consumer, idle_ms, *(each.entry for each in entries)
        )
        before = {each.entry: each.deliveries for each in entries}
        taken = [(entry.decode(), fields) for entry, fields in reply if fields]
        return [Delivered(stream, entry, fields, before[entry] + 1) for entry, fields in taken]

    async def take_aside(self, stream: str, idle_ms: int, entry: str) -> bool:
        """As `take_over`, for one entry that is not to be handled: it does not count as a delivery."""
        words = ("XCLAIM", stream, self.group, self.consumer, idle_ms, entry, "JUSTID")
        return bool(await self._of_group(*words, parse_justid=True))

    async def renew(self, stream: str, entries: Iterable[str]) -> set[str]:
        """Set the idle time of `entries` back, of those that are still ours; which those are.

        Raises GroupMissingError.
        """
        held = sorted(set(entries), key=entry_order)
        if not held:
            return set()
        start, ours = held[0], set[str]()
        while page := await self.pending(stream, start, held[-1], ours=True):
            ours.update(each.entry for each in page)
            if len(page) < PAGE:
                break
            start = f"({page[-1].entry}"
        # XCLAIM knows no owner: what was claimed between the two calls comes back to us, to be handled twice.
        if still := [entry for entry in held if entry in ours]:
            await self._claim(stream, still)
        return set(still)

    async def give_back(self, stream: str, entries: Sequence[str], deliveries: int) -> None:
        """Let anybody take over entries of ours at once, as if each had been delivered `deliveries` times.

        Raises GroupMissingError.
        """
        if not entries:
            return
        await self._claim(stream, entries, "IDLE", _HELD_BY_NONE_MS, "RETRYCOUNT", deliveries)

    async def acknowledge(self, stream: str, entries: Sequence[str]) -> int:
        """End their being pending; of how many. A group that is gone has none."""
        return int(await self._connection.command("XACK", stream, self.group, *entries))

    async def reject(self, rejected: str, stream: str, entry: str, letter: bytes) -> None:
        """Keep `letter` in the hash `rejected` under the entry, and acknowledge it.

        Two steps, the write that may be refused first; whoever dies between them leaves the entry pending.
        """
        await self._connection.command("HSET", rejected, f"{stream.rpartition(':')[2]}/{entry}", letter)
        await self.acknowledge(stream, [entry])

    async def lag(self, stream: str) -> int:
        """Entries that the group was not given yet, and those that are pending; all, if there is no group."""
        groups = [_pairs(each) for each in await self._groups(stream)]
        ours = next((group for group in groups if group[b"name"] == self.group.encode()), None)
        if ours is None:
            return int(await self._connection.command("XLEN", stream))
        undelivered = ours.get(b"lag")  # not before Redis 7, and not after an XDEL
        if undelivered is None:
            undelivered = await self._behind(stream, ours[b"last-delivered-id"].decode())
        return int(ours[b"pending"]) + int(undelivered)

    async def _groups(self, stream: str) -> list[Any]:
        try:
            groups: list[Any] = await self._connection.command("XINFO", "GROUPS", stream)
        except exceptions.ResponseError as error:
            if "no such key" not in str(error):
                raise
            return []
        return groups

    async def _behind(self, stream: str, last: str) -> int:
        """How many entries stand behind `last`, counted to that end of the stream which comes first.

        It reads what it counts: at most twice the shorter side.
        """
        behind = before = 0
        after, until = f"({last}", last
        while True:
            page = await self._connection.command("XRANGE", stream, after, "+", "COUNT", PAGE)
            behind += len(page)
            if len(page) < PAGE:
                return behind
            after = f"({page[-1][0].decode()}"
            page = await self._connection.command("XREVRANGE", stream, until, "-", "COUNT", PAGE)
            before += len(page)
            if len(page) < PAGE:
                return int(await self._connection.command("XLEN", stream)) - before
            until = f"({page[-1][0].decode()}"

    async def _claim(self, stream: str, entries: Sequence[str], *options: str | int) -> None:
        """Make entries ours, which they should be already, without a delivery."""
        whose: tuple[str | int, ...] = (stream, self.group, self.consumer, 0)
        await self._of_group("XCLAIM", *whose, *entries, *options, "JUSTID", parse_justid=True)

    async def _of_group(self, *words: str | int, **form: bool) -> Any:
        try:
            return await self._connection.command(*words, **form)
        except exceptions.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            raise GroupMissingError(str(error)) from error


def entry_order(entry: str) -> tuple[int, ...]:
    """What to sort entries' ids by."""
    return tuple(map(int, entry.split("-")))


def _pairs(reply: Any) -> dict[bytes, Any]:
    if isinstance(reply, dict):
        return {name.encode() if isinstance(name, str) else name: value for name, value in reply.items()}
    return dict(zip(reply[::2], reply[1::2], strict=True))
