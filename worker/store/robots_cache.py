"""robots.txt files, kept for the whole fleet. What is in them is not this layer's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.robots_copy import RobotsCopy
from worker.urls import host_key, partition_of

if TYPE_CHECKING:
    from worker.grouping import Grouping
    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys


class RobotsCache:
    """An origin's file as bytes: fresh for `ttl_s` at most, and kept for 31 days for want of a newer one."""

    def __init__(
        self, connection: Connection, keys: Keys, *, ttl_s: float, grouping: Grouping = "host"
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._ttl_s = ttl_s
        self._grouping: Grouping = grouping

    async def look(self, origin: str) -> RobotsCopy | None:
        """What is kept; None when nothing is."""
        _, fresh_ms, down_ms, _, *file = await self._run("robots_ask", origin, "", 0, 0)
        return _copy(fresh_ms, down_ms, file) if file or down_ms >= 0 else None

    async def begin(self, origin: str, owner: str, *, for_s: float, rests: int = 0) -> float | None:
        """If `owner` is to ask the origin now, how long its host rests between requests, in seconds.

        Nobody else is to ask for `for_s` seconds and so many rests; one of `keep`, `missed` and `give_up`
        ends it before. None where the copy is fresh, or another one asks.
        """
        asking_ms = max(1, int(for_s * 1000))
        may_ask, _, _, rest_ms, *_ = await self._run("robots_ask", origin, owner, asking_ms, rests)
        return rest_ms / 1000 if may_ask else None

    async def keep(
        self, origin: str, owner: str, file: bytes, *, fresh_s: float | None = None, least_s: float = 0
    ) -> None:
        """Keep the file; `fresh_s` where it should be asked for again sooner than after `ttl_s`.

        For `least_s` it stays fresh in any case.
        """
        fresh_s = self._ttl_s if fresh_s is None else min(self._ttl_s, fresh_s)
        await self._run("robots_keep", origin, owner, max(1, int(max(fresh_s, least_s) * 1000)), file)

    async def missed(self, origin: str, owner: str, *, least_s: float = 0) -> RobotsCopy:
        """Note that the file could not be had, and return what is kept instead.

        It is asked for again after as long as the outage has lasted, but after 60 s to an hour, not before
        `least_s`, and where there is a copy not before the host's next turn.
        """
        fresh_ms, down_ms, *file = await self._run("robots_missed", origin, owner, int(least_s * 1000))
        return _copy(fresh_ms, down_ms, file)

    async def give_up(self, origin: str, owner: str) -> None:
        """Let others ask, if `owner` has the right to; nothing was learnt."""
        await self._run("robots_give_up", origin, owner)

    async def _run(self, name: str, origin: str, *args: Word) -> list[Any]:
        host = host_key(origin + "/", self._grouping)
        tag = self._keys.tag(partition_of(host, self._keys.partitions))
        reply = await self._connection.run(name, [tag], [origin, host, *args])
        return reply if isinstance(reply, list) else [reply]


def _copy(fresh_ms: int, down_ms: int, file: list[bytes]) -> RobotsCopy:
    return RobotsCopy(file[0] if file else None, fresh_ms / 1000, down_ms / 1000 if down_ms >= 0 else None)
