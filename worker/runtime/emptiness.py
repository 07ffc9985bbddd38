"""When all work is done: nothing in the inbox, nothing on its way into the frontier, nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.runtime.parts import connection_of
from worker.runtime.pause import pause
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from worker.runtime.supervisor import Stop
    from worker.settings import Settings
    from worker.store.connection import Connection

_LOOK_EVERY_S = 0.2


async def is_empty(connection: Connection, keys: Keys, inbox: Inbox) -> bool:
    """Whether nothing is left to do at this moment.

    Asked in the order in which a URL moves on: one that moves meanwhile is seen at its next place.
    """
    if await inbox.length() or await inbox.taken():
        return False
    return (await read_ledger(connection, keys)).settled


async def stop_when_empty(settings: Settings, stop: Stop) -> None:
    """Ask `stop` once nothing is left to do. Raises StoreUnusable when Redis refuses us for good."""
    keys = Keys(settings.namespace, settings.partitions)
    async with connection_of(settings, patience_s=None) as connection:
        inbox = Inbox(connection, keys, worker="emptiness", seen_days=settings.seen_days)
        while not stop.stopping.is_set():
            if await is_empty(connection, keys, inbox):
                stop.ask("empty")
                return
            await pause(stop.stopping, _LOOK_EVERY_S)
