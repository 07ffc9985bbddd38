"""How leases end: each once, fenced by its token, and with what its request tells of the host."""

from __future__ import annotations

from collections import defaultdict
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, cast

from worker.store.group_commit import GroupCommit
from worker.store.hosts import tell
from worker.store.lines import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import Lease, Signal
    from worker.store.connection import Connection, Word
    from worker.store.hosts import Hosts
    from worker.store.keys import Keys


class Settled(IntEnum):
    """What became of an attempt to end a lease."""

    LOST = 0
    DONE = 1
    REPEATED = 2
    OUTDATED = 3  # another task has published the article meanwhile: nothing was written, the lease is ours


class Settling:
    """The ends of one worker's leases. Finishes that come together go together; all others are rare."""

    def __init__(self, connection: Connection, keys: Keys, hosts: Hosts) -> None:
        self._connection = connection
        self._keys = keys
        self._hosts = hosts
        self._finishes = GroupCommit(self._finish)
        # Tokens whose settling this worker has heard back: Redis need not remember them any longer.
        self._confirmed: dict[int, list[int]] = defaultdict(list)

    async def finish(self, lease: Lease, signal: Signal, rest: Sequence[Word]) -> Settled:
        """End the lease by `finish.lua`, whose words follow the signal."""
        words = [lease.token, self._hosts.words_of(signal, lease.task.target), *rest]
        return self._settled(lease, signal, await self._finishes.commit(lease.partition, words))

    async def settle(
        self, name: Literal["bury", "requeue"], lease: Lease, signal: Signal, rest: Sequence[Word]
    ) -> Settled:
        """End the lease by another script, whose words follow the confirmed tokens."""
        said = self._hosts.words_of(signal, lease.task.target)
        args: list[Word] = [lease.token, said, self._heard(lease.partition), *rest]
        # What else a failover undoes is only done again.
        return self._settled(
            lease, signal, await self._run(name, lease.partition, args, lasts=name == "bury")
        )

    async def _finish(self, partition: int, finishes: Sequence[Sequence[Word]]) -> Sequence[Any]:
        args: list[Word] = [self._heard(partition)]
        for words in finishes:
            args += [len(words), *words]
        return cast("Sequence[Any]", await self._run("finish", partition, args, lasts=True))

    async def _run(self, name: str, partition: int, args: Sequence[Word], *, lasts: bool) -> Any:
        lasting = self._keys.part(partition, "clock") if lasts else None
        return await self._connection.run(name, [self._keys.tag(partition)], args, lasting=lasting)

    def _heard(self, partition: int) -> str:
        return joined(self._confirmed.pop(partition, []))

    def _settled(self, lease: Lease, signal: Signal, reply: Any) -> Settled:
        settled = Settled(reply[0] if isinstance(reply, list) else reply)
        if settled is Settled.DONE:
            tell(lease.task.host, reply[1], reply[2], signal)
        if settled is not Settled.OUTDATED:
            self._confirmed[lease.partition].append(lease.token)
        return settled
