"""The ledger: where every accepted URL is, countable at any moment.

accepted = articles + unchanged + dead + waiting + leased
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys

PLACES = ("articles", "unchanged", "dead", "waiting", "leased")


@dataclass(frozen=True, slots=True)
class Ledger:
    """The counters of all partitions, summed. `reasons` takes `dead:…` and `refused:…` apart."""

    accepted: int
    articles: int
    unchanged: int
    dead: int
    waiting: int
    leased: int
    refused: int
    reasons: dict[str, int]
    traffic: dict[str, int]  # retried, redirected, released, robots, reaped, revived, purged, …

    @property
    def balanced(self) -> bool:
        """Whether every accepted URL is in exactly one place."""
        return self.accepted == self.articles + self.unchanged + self.dead + self.waiting + self.leased

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.waiting == self.leased == 0

    def figures(self) -> dict[str, int]:
        """The ledger's line, as `ingest status --json` prints it."""
        return {name: getattr(self, name) for name in ("accepted", *PLACES, "refused")}


async def read_ledger(connection: Connection, keys: Keys) -> Ledger:
    """Sum the partitions' counters. With several partitions they are read one after the other."""
    total: Counter[str] = Counter()
    for partition in range(keys.partitions):
        reply = await connection.command("HGETALL", keys.ledger(partition))
        total.update({name.decode(): int(value) for name, value in reply.items()})
    names = {"accepted", "refused", *PLACES}
    return Ledger(
        **{name: total[name] for name in names},
        reasons={name: n for name, n in sorted(total.items()) if ":" in name and n},
        traffic={name: n for name, n in sorted(total.items()) if ":" not in name and name not in names},
    )


@dataclass(frozen=True, slots=True)
class Depths:
    """How much stands where, counted from the structures themselves and not from the ledger."""

    inbox: int
    taken: int
    later: int
    suspects: int
    leases: int
    ready_hosts: int
    articles_stream: int
    dead_stream: int
    silent_sources: int


async def read_depths(connection: Connection, keys: Keys, *, taken: int) -> Depths:
    """Count the structures of all partitions."""

    async def total(command: str, name: str) -> int:
        return sum(
            [
                int(await connection.command(command, keys.part(partition, name)))
                for partition in range(keys.partitions)
            ]
        )

    return Depths(
        inbox=int(await connection.command("LLEN", keys.queue)),
        taken=taken,
        later=await total("ZCARD", "later"),
        suspects=await total("LLEN", "suspects"),
        leases=await total("ZCARD", "leases"),
        ready_hosts=await total("ZCARD", "ready"),
        articles_stream=await total("XLEN", "articles"),
        dead_stream=await total("XLEN", "dead"),
        silent_sources=await total("ZCARD", "silent"),
    )


async def overdue_s(connection: Connection, keys: Keys) -> float:
    """For how long the host that waits longest for a worker could have been asked; 0 when none is due."""
    seconds, micros = await connection.command("TIME")
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    longest = 0.0
    for partition in range(keys.partitions):
        first = await connection.command("ZRANGE", keys.part(partition, "ready"), 0, 0, "WITHSCORES")
        if first:
            longest = max(longest, (now_ms - float(first[1])) / 1000)
    return longest
