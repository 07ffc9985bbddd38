"""robots.txt files, kept for the whole fleet. What is in them is not this layer's business."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from worker.robots_copy import RobotsCopy
from worker.urls import host_key, partition_of

if TYPE_CHECKING:
    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys


class RobotsCache:
    """An origin's file as bytes: fresh for `ttl_s` at most, and kept for 31 days for want of a newer one."""

    def __init__(self, connection: Connection, keys: Keys, *, ttl_s: float) -> None:
        self._connection = connection
        self._keys = keys
        self._ttl_s = ttl_s

    async def look(self, origin: str) -> RobotsCopy | None:
        """What is kept; None when nothing is."""
        _, fresh_ms, down_ms, *file = await self._run("robots_ask", origin, "", 0)
        return _copy(fresh_ms, down_ms, file) if file or down_ms >= 0 else None

    async def begin(self, origin: str, *, for_s: float) -> bool:
        """Whether the caller is to ask the origin now, and nobody else for `for_s` seconds.

        Then one of `keep`, `missed` and `give_up` ends it. Not where the copy is fresh, or another one asks.
        """
        reply = await self._run("robots_ask", origin, secrets.token_hex(6), max(1, int(for_s * 1000)))
        return bool(reply[0])

    async def keep(self, origin: str, file: bytes, *, fresh_s: float | None = None) -> None:
        """Keep the file; `fresh_s` where it should be asked for again sooner than after `ttl_s`."""
        fresh_s = self._ttl_s if fresh_s is None else min(self._ttl_s, fresh_s)
        await self._run("robots_keep", origin, max(1, int(fresh_s * 1000)), file)

    async def missed(self, origin: str) -> RobotsCopy:
        """Note that the file could not be had, and return what is kept instead.

        It is asked for again after as long as the outage has lasted, but after 60 s to an hour.
        """
        fresh_ms, down_ms, *file = await self._run("robots_missed", origin)
        return _copy(fresh_ms, down_ms, file)

    async def give_up(self, origin: str) -> None:
        """Let others ask; nothing was learnt."""
        key = self._keys.part(self._partition(origin), f"robots:{origin}")
        await self._connection.command("HDEL", key, "asker", "asking_until")

    async def _run(self, name: str, origin: str, *args: Word) -> list[Any]:
        tag = self._keys.tag(self._partition(origin))
        reply = await self._connection.run(name, [tag], [origin, *args])
        return reply if isinstance(reply, list) else [reply]

    def _partition(self, origin: str) -> int:
        return partition_of(host_key(origin + "/"), self._keys.partitions)


def _copy(fresh_ms: int, down_ms: int, file: list[bytes]) -> RobotsCopy:
    return RobotsCopy(file[0] if file else None, fresh_ms / 1000, down_ms / 1000 if down_ms >= 0 else None)
