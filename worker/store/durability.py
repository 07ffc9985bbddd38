"""A write that counts as made once a replica has it, too: INGEST_DURABILITY=wait.

WAIT counts the replicas that have what its own connection has written, so it goes with the write over one
connection. A call that is repeated may write nothing, and then Redis 8 and Valkey 9 answer WAIT at once,
whatever the replicas have: hence the small write between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.asyncio import RedisCluster

from worker.errors import StoreUnavailable
from worker.store.cluster import on_one_node

if TYPE_CHECKING:
    from worker.store.cluster import Words
    from worker.store.topology import Client

_REPLICAS = 1


class Unconfirmed(StoreUnavailable):
    """A write that was made, and that no replica has confirmed in time."""


async def confirmed(client: Client, words: Words, touched: str | None, timeout_ms: int) -> Any:
    """The reply to a write, once a replica has it. `touched` is a hash in its slot; None if it always writes.

    Raises Unconfirmed if none has within `timeout_ms`: the write stands, and the call may be repeated.
    """
    touch: list[Words] = [("HSET", touched, "touched", 1)] if touched else []
    commands: list[Words] = [words, *touch, ("WAIT", _REPLICAS, timeout_ms)]
    if isinstance(client, RedisCluster):
        replies = await on_one_node(client, touched or str(words[1]), commands)
    else:
        async with client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            replies = await pipeline.execute(raise_on_error=False)
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    if int(replies[-1]) < _REPLICAS:
        raise Unconfirmed(
            f"no replica has confirmed a write within {timeout_ms} ms, as INGEST_DURABILITY=wait asks; "
            "it stands in Redis, and may be lost if that fails over now"
        )
    return replies[0]
