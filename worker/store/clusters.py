"""Stories: which articles tell the same one, on whichever hosts they stand.

One slot holds them for all partitions: copies of a wire's text stand on different hosts, and of two that come
at once the script lets one be the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from worker.store.group_commit import GroupCommit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys

_PARTITION = 0  # all of them are in one slot


class Clusters:
    """The fingerprints of each story's first article, for `days` days at least and twice as many at most.

    Articles that share `least` of them are copies.
    """

    def __init__(self, connection: Connection, keys: Keys, *, days: int, least: int) -> None:
        self._connection = connection
        self._keys = keys
        self._rules: tuple[Word, ...] = (days, least)
        self._asked = GroupCommit(self._ask)

    async def of(self, article: str, fingerprints: Sequence[bytes]) -> str:
        """The cluster of an article: the id of the first one that it is a copy of, or its own.

        Asked again for the same article with the same fingerprints, it says the same.
        """
        words: list[Word] = [len(fingerprints), bytes.fromhex(article), *map(_place, fingerprints)]
        first: bytes = await self._asked.commit(_PARTITION, words)
        return first.hex()

    async def _ask(self, _: int, articles: Sequence[Sequence[Word]]) -> Sequence[Any]:
        args = [*self._rules, *(word for words in articles for word in words)]
        return cast("Sequence[Any]", await self._connection.run("cluster", [self._keys.clusters], args))


def _place(fingerprint: bytes) -> bytes:
    """By the first 14 bits, so that Redis packs up to some hundreds into one hash."""
    name = int.from_bytes(fingerprint[:2], "big") >> 2
    return b"%04x%b" % (name, fingerprint[1:])
