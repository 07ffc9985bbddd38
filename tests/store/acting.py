"""Short words for what the store's tests do again and again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from worker.model import Submission
from worker.store.ledger import Ledger, read_ledger
from worker.urls import host_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.model import Lease
    from worker.store.connection import Connection
    from worker.store.frontier import Frontier
    from worker.store.inbox import Admission, Inbox
    from worker.store.keys import Keys

EVENT: dict[str, str | bytes] = {"id": "e", "data": b"{}"}


def submission(url: str, **changes: Any) -> Submission:
    """A producer's plain wish for `url`."""
    plain = Submission(url=url, host=host_key(url), requested_url=url)
    return replace(plain, **changes)


WEEK_MS = 7 * 86_400_000


@dataclass
class Act:
    """A worker, a producer, and an eye on Redis."""

    connection: Connection
    keys: Keys
    inbox: Inbox
    frontier: Frontier
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def admit(self, *urls: str, **changes: Any) -> list[Admission]:
        """Admit URLs as inbox items of new numbers."""
        return await self.inbox.admit([(next(self.numbers), submission(url, **changes)) for url in urls])

    async def lease(self, url: str = "http://a.example/1") -> Lease:
        """Admit one URL and claim it."""
        await self.admit(url)
        return await self.claimed()

    async def claimed(self) -> Lease:
        """Claim one URL; the test fails when there is none."""
        (lease,) = (await self.frontier.claim(1)).leases
        return lease

    async def expire(self, lease: Lease) -> None:
        """Let the lease run out, as if its time had passed."""
        await self.connection.command("ZADD", self.keys.part(lease.partition, "leases"), 1, lease.token)

    async def due(self, host: str = "a.example") -> None:
        """Let the host's rest be over, as if its time had passed."""
        key = self.keys.part(0, f"host:{host}")
        if await self.connection.command("EXISTS", key):
            await self.connection.command("HSET", key, "at", 1)
        if await self.connection.command("ZSCORE", self.keys.part(0, "ready"), host) is not None:
            await self.connection.command("ZADD", self.keys.part(0, "ready"), 1, host)

    async def host(self, host: str = "a.example") -> dict[str, int]:
        """The fleet's state of the host."""
        reply = await self.connection.command("HGETALL", self.keys.part(0, f"host:{host}"))
        return {name.decode(): int(value) for name, value in reply.items()}

    async def ledger(self) -> Ledger:
        """The ledger, which must balance whenever a test looks."""
        ledger = await read_ledger(self.connection, self.keys)
        assert ledger.balanced, ledger
        return ledger

    async def streams(self) -> tuple[int, int]:
        """Lengths of the articles and the dead stream."""
        return (
            await self.connection.command("XLEN", self.keys.articles()),
            await self.connection.command("XLEN", self.keys.dead()),
        )

    async def names(self, pattern: str = "*") -> list[bytes]:
        """The keys that match, wherever they are."""
        return [name async for page in self.connection.scan(pattern, count=1000) for name in page]

    async def now_ms(self) -> int:
        """Redis' clock."""
        seconds, micros = await self.connection.command("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    async def age_seen(self, age_s: float) -> None:
        """Let it be so much longer ago that each URL was accepted or ended; digests stay in their buckets."""
        for name in await self.names(self.keys.part(0, "seen:*")):
            head, week, bucket = name.decode().rsplit(":", 2)
            kept = await self.connection.command("HGETALL", name)
            await self.connection.command("DEL", name)
            for digest, time in kept.items():
                older, at_ms = divmod(int(week) * WEEK_MS + int(time) - int(age_s * 1000), WEEK_MS)
                await self.connection.command("HSET", f"{head}:{older}:{bucket}", digest, at_ms)
