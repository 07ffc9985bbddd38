"""The dead letters: read, sent round again, or deleted, by an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from worker.clock import Clock, SystemClock
from worker.model import Submission
from worker.store.latest import latest_entries
from worker.store.lines import tail_of
from worker.urls import host_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from worker.grouping import Grouping
    from worker.store.connection import Connection
    from worker.store.keys import Keys

_PAGE = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry of a dead stream. `id` is its name for show, retry and purge: partition and entry id."""

    partition: int
    entry: str
    event: dict[str, str]  # the CloudEvent's attributes
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """The entry's id in the stream, after the partition if that is not the first."""
        return f"{self.partition}/{self.entry}" if self.partition else self.entry

    @property
    def reason(self) -> str:
        """Why, as a row of `worker.outcomes`."""
        return str(self.data["reason"])

    @property
    def url(self) -> str | None:
        """The canonical URL; None for a malformed item."""
        url: str | None = self.data["url"]
        return url


class DeadLetters:
    """The dead streams of all partitions."""

    def __init__(
        self, connection: Connection, keys: Keys, grouping: Grouping = "host", clock: Clock | None = None
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._grouping = grouping
        self._clock = clock or SystemClock()

    async def all(self) -> AsyncIterator[DeadLetter]:
        """Every dead letter, oldest first within its partition."""
        for partition in range(self._keys.partitions):
            start = "-"
            while page := await self._connection.command(
                "XRANGE", self._keys.dead(partition), start, "+", "COUNT", _PAGE
            ):
                for entry, fields in page:
                    yield _letter(partition, entry, fields)
                start = f"({page[-1][0].decode()}"

    async def latest(self, limit: int) -> list[DeadLetter]:
        """The last letters of all partitions, latest first."""
        return [
            _letter(partition, entry, fields)
            for partition, entry, fields in await latest_entries(
                self._connection, self._keys, self._keys.dead, limit
            )
        ]

    async def find(self, letter_id: str) -> DeadLetter | None:
        """The letter of that id, or None. Raises ValueError for what is no id."""
        partition, entry = _parsed(letter_id)
        key = self._keys.dead(partition)
        page = await self._connection.command("XRANGE", key, entry, entry)
        return _letter(partition, *page[0]) if page else None

    async def retry(self, letter: DeadLetter) -> int | None:
        """Let the letter's URL wait again as a new task; its seq, or None when the letter is gone.

        Raises ValueError for a malformed item, which has no URL.
        """
        if letter.url is None:
            raise ValueError("a malformed item has no URL to retry: mend it and add it again")
        task = letter.data["task"]
        host = host_key(letter.url, self._grouping)
        submission = Submission(
            url=letter.url,
            host=host,
            requested_url=letter.data["requested_url"],
            id=task["id"],
            priority=task["priority"],
            meta=task["meta"],
            not_before_ms=int(self._clock.now().timestamp() * 1000),  # it waits anew from here
        )
        accepted_ms = int(datetime.fromisoformat(task["accepted_at"]).timestamp() * 1000)
        args: list[str | int] = [letter.entry, letter.reason, host, int(task["priority"] == "high")]
        args += [task["revision"], accepted_ms, tail_of(submission)]
        seq = int(await self._connection.run("revive", [self._keys.tag(letter.partition)], args))
        return seq or None

    async def purge(self, letters: Sequence[DeadLetter]) -> int:
        """Delete letters for good; returns how many were there."""
        gone = 0
        for partition in {letter.partition for letter in letters}:
            entries = [letter.entry for letter in letters if letter.partition == partition]
            for start in range(0, len(entries), _PAGE):
                page = entries[start : start + _PAGE]
                gone += int(await self._connection.run("purge", [self._keys.tag(partition)], page))
        return gone


def _parsed(letter_id: str) -> tuple[int, str]:
    partition, _, entry = letter_id.rpartition("/")
    milliseconds, _, number = entry.partition("-")
    parts = (milliseconds, number, partition or "0")
    if not all(part.isdecimal() and int(part) < 2**64 for part in parts):
        raise ValueError(f"{letter_id!r} is no dead letter's id: ids look like 1735689600000-0")
    return int(partition or 0), entry


def _letter(partition: int, entry: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    event = {name.decode(): value.decode() for name, value in fields.items() if name != b"data"}
    return DeadLetter(partition, entry.decode(), event, orjson.loads(fields[b"data"]))
