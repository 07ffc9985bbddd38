"""Redis as the commands see it: they wait a few seconds for it, and no longer."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.store.connection import Connection
from worker.store.inbox import Inbox
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worker.settings import Settings

_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Store:
    """An open connection, and what is read and written through it."""

    connection: Connection
    keys: Keys
    inbox: Inbox


@asynccontextmanager
async def opened(settings: Settings, *, patience_s: float | None = _PATIENCE_S) -> AsyncIterator[Store]:
    """The settings' Redis; `patience_s` None waits for it without end.

    Using it raises StoreUnavailable when it stays away for longer, and StoreUnusable when it refuses us.
    """
    keys = Keys(settings.namespace, settings.partitions)
    async with Connection(
        settings.redis_url,
        timeout_s=settings.redis_timeout_s,
        patience_s=patience_s,
        durability=settings.durability,
    ) as connection:
        yield Store(connection, keys, Inbox(connection, keys, worker="cli", seen_days=settings.seen_days))
