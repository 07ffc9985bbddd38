"""Articles that are read anew from an archive: published as any other, by no task, and counted apart."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from worker.store.lines import flat
from worker.store.visits import Visits
from worker.urls import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.model import Visit
    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys
    from worker.store.visits import Known


class Reissue(IntEnum):
    """What became of an attempt to publish."""

    OUTDATED = 0  # another event of the article came first: compare with that one
    DONE = 1
    REPEATED = 2  # by this very call, whose reply was lost
    FULL = 3  # consumers have to catch up


class Reprocessing:
    """What is known of articles by URL, and how their next revision is written without a lease."""

    def __init__(self, connection: Connection, keys: Keys, *, visit_days: int, max_backlog: int) -> None:
        self._connection = connection
        self._keys = keys
        self._visits = Visits(connection, keys, days=visit_days)
        self._max_backlog = max_backlog

    def partition(self, host: str) -> int:
        """Where the events of a host key are."""
        return partition_of(host, self._keys.partitions)

    async def known(self, url: str, host: str) -> Known:
        """What is known of the article at the canonical `url`."""
        return await self._visits.known(url, self.partition(host))

    async def publish(self, url: str, host: str, event: Mapping[str, str | bytes], visit: Visit) -> Reissue:
        """Write the event of revision `visit.revision`, with the revision and the visit, in one step."""
        partition = self.partition(host)
        args: list[Word] = [*self._visits.words_of(url, visit), self._max_backlog, *flat(event)]
        lasting = self._keys.part(partition, "clock")
        reply = await self._connection.run("reprocess", [self._keys.tag(partition)], args, lasting=lasting)
        return Reissue(int(reply))
