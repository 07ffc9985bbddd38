"""robots.txt files, kept for the whole fleet. What is in them is not this layer's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.urls import host_key, partition_of

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys


class RobotsCache:
    """An origin's file as bytes, for `ttl_s`."""

    def __init__(self, connection: Connection, keys: Keys, *, ttl_s: float) -> None:
        self._connection = connection
        self._keys = keys
        self._ttl_ms = max(1, int(ttl_s * 1000))

    def _key(self, origin: str) -> str:
        partition = partition_of(host_key(origin + "/"), self._keys.partitions)
        return self._keys.part(partition, f"robots:{origin}")

    async def get(self, origin: str) -> bytes | None:
        """What `put` kept, or None when nothing is kept any more."""
        reply: bytes | None = await self._connection.command("GET", self._key(origin))
        return reply

    async def put(self, origin: str, file: bytes, *, ttl_s: float | None = None) -> None:
        """Keep the file; `ttl_s` where it should be asked for again sooner."""
        ttl_ms = self._ttl_ms if ttl_s is None else max(1, min(self._ttl_ms, int(ttl_s * 1000)))
        await self._connection.command("SET", self._key(origin), file, "PX", ttl_ms)
