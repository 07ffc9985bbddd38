"""Turns: a host's slots and spacing for requests that are no task's, counted with all others of the fleet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.store.hosts import Hosts, tell
from worker.urls import partition_of

if TYPE_CHECKING:
    from worker.model import Signal
    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Turn:
    """A slot of the host, which may be asked in `wait_s`."""

    host: str
    id: int
    wait_s: float


class Turns:
    """The turns that the fleet gives. Of one who has died, `reap` ends it, or the next who asks."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self.hosts = Hosts(connection, keys)
        self._connection = connection
        self._keys = keys

    async def begin(self, host: str, *, for_s: float, longest_wait_s: float) -> Turn | float:
        """A turn of `for_s` that begins within `longest_wait_s`; else in how many seconds to ask again."""
        identity = secrets.randbits(48)
        taken, wait_ms = await self._connection.run(
            "turn_begin", [self._tag(host)], [identity, host, int(for_s * 1000), int(longest_wait_s * 1000)]
        )
        return Turn(host, identity, wait_ms / 1000) if taken else wait_ms / 1000

    async def extend(self, turn: Turn, *, for_s: float) -> None:
        """Keep it for `for_s` more."""
        args: list[Word] = [turn.id, turn.host, int(for_s * 1000), 0]
        await self._connection.run("turn_begin", [self._tag(turn.host)], args)

    async def end(self, turn: Turn, signal: Signal, url: str) -> None:
        """Give the slot back, and let the fleet learn from how the request for `url` went."""
        words = self.hosts.words_of(signal, url)
        done, *told = await self._connection.run(
            "turn_end", [self._tag(turn.host)], [turn.id, turn.host, words]
        )
        if done:
            tell(turn.host, told[0], told[1], signal)

    async def slow_down(self, host: str, delay_s: float | None) -> None:
        """Keep a host's Crawl-delay for the whole fleet, or drop it."""
        await self.hosts.slow_down(host, delay_s)

    def _tag(self, host: str) -> str:
        return self._keys.tag(partition_of(host, self._keys.partitions))
