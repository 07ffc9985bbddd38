"""When all work is done: nothing in the inbox, nothing on its way into the frontier, nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.cli.store import opened
from worker.runtime.pause import pause
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from worker.cli.store import Store
    from worker.runtime.supervisor import Stop
    from worker.settings import Settings

_LOOK_EVERY_S = 0.2


async def is_empty(store: Store) -> bool:
    """Whether nothing is left to do at this moment.

    Asked in the order in which a URL moves on: one that moves meanwhile is seen at its next place.
    """
    if await store.inbox.length() or await store.inbox.taken():
        return False
    return (await read_ledger(store.connection, store.keys)).settled


async def stop_when_empty(settings: Settings, stop: Stop) -> None:
    """Ask `stop` once nothing is left to do. Raises StoreUnusable when Redis refuses us for good."""
    async with opened(settings, patience_s=None) as store:
        while not stop.stopping.is_set():
            if await is_empty(store):
                stop.ask("empty")
                return
            await pause(stop.stopping, _LOOK_EVERY_S)
