"""Commands that belong together, sent to the one node of a cluster that serves their slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis import exceptions
from redis.asyncio.cluster import PipelineCommand

from worker.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import RedisCluster

    Words = Sequence[str | bytes | int | float]

#: After these, another node may serve the slot, and who does is asked anew.
_FORGETTABLE = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ClusterDownError)


async def on_one_node(client: RedisCluster, key: str, commands: Sequence[Words]) -> list[Any]:
    """The replies, errors among them, of the node that serves the slot of `key`.

    A slot that has moved is followed. One that is on its way is not, and raises StoreUnavailable: our scripts
    name one key and use many, of which some would be on one node and some on the other.
    """
    replies = await _asked(client, key, commands)
    if moved := next((reply for reply in replies if type(reply) is exceptions.MovedError), None):
        await client.nodes_manager.move_slot(moved)
        replies = await _asked(client, key, commands)
    if any(isinstance(reply, exceptions.AskError) for reply in replies):
        raise StoreUnavailable(f"the slot of {key} moves to another node: its keys are not all in one place")
    if any(isinstance(reply, _FORGETTABLE) for reply in replies):
        await client.aclose()
    return replies


async def _asked(client: RedisCluster, key: str, commands: Sequence[Words]) -> list[Any]:
    await client.initialize()
    node = client.get_node_from_key(key)
    if node is None:
        raise exceptions.SlotNotCoveredError(f"no node serves the slot of {key}")
    pipeline = [PipelineCommand(position, *command) for position, command in enumerate(commands)]
    try:
        await node.execute_pipeline(pipeline)
    except _FORGETTABLE:
        await client.aclose()
        raise
    return [command.result for command in pipeline]
