"""Which article of each cluster a consumer group has chosen.

Consumers have no right to scripts, nor to what could harm a stream, such as SET and EXPIRE: so a zset says
how old each field of a hash is, and each choice drops two that are too old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys

#: More than the one that comes.
_DROPPED_AT_ONCE = 2


class Choices:
    """The choices of one group. Of several who call at once one chooses; every call may be repeated."""

    def __init__(self, connection: Connection, keys: Keys, group: str) -> None:
        self._connection = connection
        self._chosen = keys.chosen(group)
        self._ages = keys.chosen_at(group)

    async def choose(self, cluster: str, article: str, *, now_ms: int, kept_ms: int) -> str:
        """The article that is chosen of a cluster, for `kept_ms` from now on: `article`, if none was."""
        # The age comes first, and goes last: no choice is without one, whoever dies between the calls.
        await self._connection.command("ZADD", self._ages, now_ms, cluster)
        if await self._connection.command("HSETNX", self._chosen, cluster, article):
            await self._drop(now_ms - kept_ms)
            return article
        chosen: bytes | None = await self._connection.command("HGET", self._chosen, cluster)
        return article if chosen is None else chosen.decode()  # dropped between the calls

    async def _drop(self, before_ms: int) -> None:
        words = ("ZRANGEBYSCORE", self._ages, "-inf", before_ms, "LIMIT", 0, _DROPPED_AT_ONCE)
        if old := await self._connection.command(*words):
            await self._connection.command("HDEL", self._chosen, *old)
            await self._connection.command("ZREM", self._ages, *old)
