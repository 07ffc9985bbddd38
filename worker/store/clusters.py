"""Stories: which articles tell the same one, on whichever hosts they stand.

One slot holds them for all partitions: copies of a wire's text stand on different hosts, and of two that come
at once the script lets one be the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys


class Clusters:
    """The fingerprints of each story's first article, for `days` days at least and twice as many at most."""

    def __init__(self, connection: Connection, keys: Keys, *, days: int) -> None:
        self._connection = connection
        self._keys = keys
        self._days = days

    async def of(self, article: str, fingerprints: Sequence[bytes], *, least: int) -> str:
        """The cluster of an article: the id of the first one that shared `least` fingerprints, or its own.

        Asked again for the same article with the same fingerprints, it says the same.
        """
        args: list[Word] = [self._days, least, bytes.fromhex(article), *map(_place, fingerprints)]
        first: bytes = await self._connection.run("cluster", [self._keys.clusters], args)
        return first.hex()


def _place(fingerprint: bytes) -> bytes:
    """By the first 14 bits, so that Redis packs up to some hundreds into one hash."""
    name = int.from_bytes(fingerprint[:2], "big") >> 2
    return b"%04x%b" % (name, fingerprint[1:])
