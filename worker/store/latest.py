"""The ends of streams, for eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from worker.store.connection import Connection
    from worker.store.keys import Keys

Entry = tuple[int, bytes, dict[bytes, bytes]]


async def latest_entries(
    connection: Connection, keys: Keys, stream: Callable[[int], str], limit: int
) -> list[Entry]:
    """The last entries of a stream of all partitions, latest first: partition, id and fields."""
    entries: list[Entry] = []
    for partition in range(keys.partitions):
        page = await connection.command("XREVRANGE", stream(partition), "+", "-", "COUNT", limit)
        entries += [(partition, entry, fields) for entry, fields in page]
    entries.sort(key=lambda each: tuple(map(int, each[1].split(b"-"))), reverse=True)
    return entries[:limit]


async def latest_articles(connection: Connection, keys: Keys, limit: int) -> list[dict[str, Any]]:
    """The data of the last events of articles, latest first, each with its event's `time`.

    What somebody else wrote to the stream, without these fields, is passed over.
    """
    return [
        {**orjson.loads(fields[b"data"]), "time": fields[b"time"].decode()}
        for _, _, fields in await latest_entries(connection, keys, keys.articles, limit)
        if fields.keys() >= {b"data", b"time"}
    ]
