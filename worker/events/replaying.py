"""The events of a time, read again and without a group: nothing is acknowledged, and nobody is told."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from worker.errors import Misconfigured
from worker.events.event import Event, UnreadableEventError, event_of
from worker.events.notices import notice
from worker.events.subscription import entry_before, partitions_there, stream_names
from worker.store.connection import Connection
from worker.store.consumer_group import FROM_NOW, entry_order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worker.events.subscription import Stream

_PAGE = 100


async def replay(
    redis_url: str,
    *,
    since: str | datetime = "0",
    until: str | datetime = "now",
    prefix: str = "ingest",
    streams: tuple[Stream, ...] = ("articles",),
    partitions: int | None = None,
    timeout_s: float = 5.0,
) -> AsyncIterator[Event]:
    """The events that are still there, in the order of their entries, over all partitions.

    `since` is an aware datetime or the id of an entry, behind which it begins; `until` the same, and
    included; `now` is the end that there is. What every group has acknowledged may be trimmed already. An
    entry that is no event is told of and left out. Raises Misconfigured for what is neither a time nor an id.
    """
    after, end = _bounds(since, until)
    async with Connection(redis_url, timeout_s=timeout_s, patience_s=None) as connection:
        count = partitions or await partitions_there(connection, prefix, streams)
        pages = [
            _Pages(connection, name, after, end)
            for partition in range(count)
            for name in stream_names(prefix, streams, partition)
        ]
        while firsts := [page for page in pages if await page.first() is not None]:
            page = min(firsts, key=lambda each: entry_order(each.ahead[0][0]))
            entry, fields = page.ahead.popleft()
            try:
                event = event_of(page.stream, entry, fields)
            except UnreadableEventError as error:
                notice("warning", "event_unreadable", stream=page.stream, entry=entry, reason=str(error))
                continue
            yield event


class _Pages:
    """One stream's entries, a page at a time."""

    def __init__(self, connection: Connection, stream: str, after: str, end: str) -> None:
        self._connection = connection
        self.stream = stream
        self._after = after
        self._end = end
        self._done = False
        self.ahead: deque[tuple[str, dict[bytes, bytes]]] = deque()

    async def first(self) -> str | None:
        """The entry that is next; None at the end."""
        if not self.ahead and not self._done:
            page = await self._connection.command(
                "XRANGE", self.stream, f"({self._after}", self._end, "COUNT", _PAGE
            )
            self.ahead.extend((entry.decode(), fields) for entry, fields in page)
            self._done = len(page) < _PAGE
            if self.ahead:
                self._after = self.ahead[-1][0]
        return self.ahead[0][0] if self.ahead else None


def _bounds(since: str | datetime, until: str | datetime) -> tuple[str, str]:
    bounds, faults = [], []
    for name, value in (("since", since), ("until", until)):
        try:
            bounds.append(_end(value) if name == "until" else entry_before(value))
            if bounds[-1] == FROM_NOW:
                raise ValueError("what comes from now on is for a consumer: there is nothing to replay")
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise Misconfigured(faults)
    return bounds[0], bounds[1]


def _end(until: str | datetime) -> str:
    if entry_before(until) == FROM_NOW:  # which raises what is wrong with it
        return "+"
    return str(int(until.timestamp() * 1000)) if isinstance(until, datetime) else until
