"""The frontier: which URL may be fetched next, and who holds it. One typed method for each of its scripts.

A lease is ended by exactly one of finish, bury, retry, redirect and release, each fenced by the lease's
token: a worker that lost its lease changes nothing. A call whose reply was lost may be repeated: it answers
REPEATED.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from worker.model import Lease, Signal, Task
from worker.store.hosts import Hosts
from worker.store.lines import decode, encode, flat
from worker.store.settling import Settled, Settling
from worker.store.visits import Visits
from worker.urls import host_key, url_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.clock import Clock
    from worker.grouping import Grouping
    from worker.model import Visit
    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys

Place = Literal["later", "front", "suspects"]
_NO_REQUEST = Signal()


@dataclass(frozen=True, slots=True)
class Claim:
    """Leases, and when to ask again: `next_due_s` is None while nothing waits at all.

    `dues_s` has the same of each partition that was asked.
    """

    leases: tuple[Lease, ...]
    next_due_s: float | None
    paused: bool = False  # the articles stream is at its backlog limit
    dues_s: Mapping[int, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reaped:
    """A task taken back from a worker that let its lease run out."""

    worker: str
    task: Task
    partition: int


@dataclass(frozen=True, slots=True)
class FrontierLimits:
    """How the frontier behaves, from the settings."""

    lease_s: float = 60.0
    max_backlog: int = 0  # 0: none
    grouping: Grouping = "host"
    seen_days: int = 7
    visit_days: int = 30


class Frontier:
    """One worker's view of the frontier."""

    def __init__(
        self, connection: Connection, keys: Keys, *, worker: str, limits: FrontierLimits, clock: Clock
    ) -> None:
        self.hosts = Hosts(connection, keys)
        self.visits = Visits(connection, keys, days=limits.visit_days)
        self._connection = connection
        self._keys = keys
        self._worker = worker
        self._limits = limits
        self._clock = clock
        self._settling = Settling(connection, keys, self.hosts)
        self._lease_ms = int(limits.lease_s * 1000)
        self._turn = 0
        self._looked_ms: dict[int, int] = {}  # Redis' time at the last look for expired leases, by partition

    async def claim(self, limit: int, partitions: Sequence[int] | None = None) -> Claim:
        """Lease up to `limit` URLs, at most one of each host in one call.

        `partitions` are asked in this order, until the limit is reached; without any, all, in turn.
        """
        leases: list[Lease] = []
        dues: dict[int, float | None] = {}
        paused = cut = False
        for partition in self._in_turn() if partitions is None else partitions:
            if cut := len(leases) >= limit:
                break
            asked = self._clock.monotonic()
            args: list[Word] = [
                self._worker,
                secrets.token_hex(6),
                limit - len(leases),
                self._lease_ms,
                self._limits.max_backlog,
            ]
            is_paused, due_ms, *rest = await self._connection.run("claim", [self._keys.tag(partition)], args)
            paused = paused or bool(is_paused)
            dues[partition] = due_ms / 1000 if due_ms >= 0 else None
            leases += [
                self._lease(rest[first : first + 4], partition, asked, suspect=False)
                for first in range(0, len(rest), 4)
            ]
        next_due_s = min((due_s for due_s in dues.values() if due_s is not None), default=None)
        return Claim(tuple(leases), 0.0 if cut else next_due_s, paused, dues)

    def _in_turn(self) -> list[int]:
        first, count = self._turn, self._keys.partitions
        self._turn = (first + 1) % count
        return [(first + step) % count for step in range(count)]

    async def claim_suspect(self) -> Lease | None:
        """Lease a task whose worker vanished, if one's host may be asked now."""
        for partition in range(self._keys.partitions):
            asked = self._clock.monotonic()
            args: list[Word] = [self._worker, self._lease_ms]
            if reply := await self._connection.run("claim_suspect", [self._keys.tag(partition)], args):
                return self._lease(reply, partition, asked, suspect=True)
        return None

    def _lease(self, words: Sequence[Any], partition: int, asked: float, *, suspect: bool) -> Lease:
        token, host, line, probe = words
        return Lease(
            token=token,
            partition=partition,
            task=decode(line, host.decode()),
            expires_monotonic=asked + self._limits.lease_s,
            suspect=suspect,
            probe=bool(probe),
        )

    async def suspects(self) -> int:
        """How many tasks wait to run alone."""
        return sum(
            [int(await self._connection.command("LLEN", f"{tag}:suspects")) for tag in self._keys.tags]
        )

    async def extend(self, leases: Sequence[Lease]) -> set[tuple[int, int]]:
        """Keep leases for another `lease_s`; returns the keys of those that are lost."""
        tokens: dict[int, list[int]] = defaultdict(list)
        for lease in leases:
            tokens[lease.partition].append(lease.token)
        lost: set[tuple[int, int]] = set()
        for partition, share in tokens.items():
            args = [self._lease_ms, *share]
            reply = await self._connection.run("extend", [self._keys.tag(partition)], args)
            lost |= {(partition, token) for token in reply}
        return lost

    async def finish(
        self,
        lease: Lease,
        event: Mapping[str, str | bytes],
        *,
        signal: Signal = _NO_REQUEST,
        end: Literal["articles", "unchanged"] = "articles",
        visit: Visit | None = None,
    ) -> Settled:
        """Publish the event, keep the visit and end the lease, in one step.

        `visit.revision` is the event's, or the task's where no visit is given. OUTDATED: it does not follow
        the last one any more; recall the article, and decide anew.
        """
        kept = self.visits.words(lease.task, visit)
        return await self._settling.finish(lease, signal, [end, *kept, *flat(event)])

    async def bury(
        self,
        lease: Lease,
        reason: str,
        dead_letter: Mapping[str, str | bytes],
        *,
        signal: Signal = _NO_REQUEST,
    ) -> Settled:
        """Write the dead letter and end the lease, in one step."""
        seen: list[Word] = [url_digest(lease.task.url), self._limits.seen_days]
        return await self._settling.settle("bury", lease, signal, [reason, *seen, *flat(dead_letter)])

    async def retry(self, lease: Lease, *, delay_s: float, signal: Signal = _NO_REQUEST) -> Settled:
        """Let the task wait for another attempt. It came through alive, so it is no suspect any more."""
        task = replace(
            lease.task,
            host=host_key(lease.task.url, self._limits.grouping),
            attempt=lease.task.attempt + 1,
            crashes=0,
            redirects=(),
            cookies=(),
            canonical=False,
        )
        return await self._requeue(lease, task, "retried", "later", signal=signal, delay_s=delay_s)

    async def redirect(
        self,
        lease: Lease,
        location: str,
        host: str,
        set_cookies: Sequence[str] = (),
        *,
        canonical: bool = False,
        signal: Signal = _NO_REQUEST,
    ) -> Settled:
        """Let the task wait for its next hop, under the host that it leads to."""
        task = lease.task.hop(location, host, set_cookies, canonical=canonical)
        return await self._requeue(lease, task, "redirected", _front(lease), signal=signal)

    async def release(self, lease: Lease) -> Settled:
        """Give the task back as it was, first of its host; no attempt is counted."""
        task = replace(lease.task, host=self._host_of(lease))
        return await self._requeue(lease, task, "released", _front(lease))

    def is_misplaced(self, lease: Lease) -> bool:
        """Whether the task waited under a host that is none by our grouping: another one admitted it."""
        return lease.task.host != self._host_of(lease)

    def _host_of(self, lease: Lease) -> str:
        return host_key(lease.task.target, self._limits.grouping)

    async def wait_for_turn(
        self, lease: Lease, *, delay_s: float = 0, signal: Signal = _NO_REQUEST
    ) -> Settled:
        """Put the task back as it was, for the sake of robots.txt: first of its host, or after `delay_s`."""
        place = "later" if delay_s and not lease.suspect else _front(lease)
        return await self._requeue(lease, lease.task, "robots", place, signal=signal, delay_s=delay_s)

    async def _requeue(
        self,
        lease: Lease,
        task: Task,
        counter: str,
        place: Place,
        *,
        signal: Signal = _NO_REQUEST,
        delay_s: float = 0,
    ) -> Settled:
        rest: list[Word] = [counter, place, task.host, encode(task), int(delay_s * 1000)]
        return await self._settling.settle("requeue", lease, signal, rest)

    async def reap(self, limit: int = 100) -> list[Reaped]:
        """Take back leases that ran out; their tasks wait as suspects."""
        reaped: list[Reaped] = []
        for partition in range(self._keys.partitions):
            reaped += (await self._reap(partition, limit, last_ms=0))[1]
        return reaped

    async def reap_carefully(self, limit: int = 100) -> list[Reaped] | None:
        """As `reap`; but None, and nothing is taken back, on the first look, and when Redis' time has jumped.

        After a hang, an outage or a clock set forward, leases look expired though their workers live: those
        must get their chance to extend.
        """
        reaped: list[Reaped] = []
        jumped = False
        for partition in range(self._keys.partitions):
            last = self._looked_ms.get(partition, -1)
            now, share = await self._reap(partition, limit, last_ms=last)
            self._looked_ms[partition] = now
            jumped = jumped or last < 0 or now - last > self._lease_ms // 2
            reaped += share
        return None if jumped and not reaped else reaped

    async def _reap(self, partition: int, limit: int, *, last_ms: int) -> tuple[int, list[Reaped]]:
        args = [limit, last_ms, self._lease_ms // 2]
        now, *reply = await self._connection.run("reap", [self._keys.tag(partition)], args)
        return now, [
            Reaped(worker.decode(), decode(line, host.decode()), partition)
            for worker, host, line in zip(reply[::3], reply[1::3], reply[2::3], strict=True)
        ]

    async def trim(self) -> int:
        """Drop articles that every consumer group has acknowledged; returns how many."""
        return sum([int(await self._connection.run("trim", [tag], [])) for tag in self._keys.tags])


def _front(lease: Lease) -> Place:
    return "suspects" if lease.suspect else "front"
