"""Group commit: what a worker tells Redis about the same time goes in one call.

A script's fixed costs (the call, the clock, the rules of hosts, the ledger) are then paid once. Who comes
alone goes at once; in a crowd, that is once several have come during one call, calls go at intervals.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from functools import partial
from typing import TYPE_CHECKING, Any

from worker.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from worker.store.connection import Word

    #: Given a partition and the words of each entry; returns what became of each.
    Send = Callable[[int, Sequence[Sequence[Word]]], Coroutine[Any, Any, Sequence[Any]]]
    Entry = tuple[Sequence[Word], asyncio.Future[Any]]

_INTERVAL_S = 0.02
#: So many calls of one entry each, one after another, and the crowd has gone.
_LONE_CALLS = 3
#: In one call, during which Redis serves nobody else.
_MOST = 64
_MOST_BYTES = 1_000_000


class GroupCommit:
    """Each partition has calls of its own."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: dict[int, deque[Entry]] = defaultdict(deque)
        self._senders: dict[int, asyncio.Task[None]] = {}
        self._crowd: dict[int, int] = defaultdict(int)  # lone calls until it has gone

    async def commit(self, partition: int, words: Sequence[Word]) -> Any:
        """What became of the entry. Raises what its call raises; cancelled, it may yet be written."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[partition].append((words, future))
        if partition not in self._senders:
            self._senders[partition] = asyncio.create_task(self._send_all(partition))
        return await future

    async def _send_all(self, partition: int) -> None:
        waiting = self._waiting[partition]
        try:
            while group := _next_group(waiting):
                await self._call(partition, group)
                self._crowd[partition] = _LONE_CALLS if len(group) > 1 else max(self._crowd[partition] - 1, 0)
                if self._crowd[partition]:
                    await asyncio.sleep(_INTERVAL_S)
        finally:
            del self._senders[partition]
            while waiting:  # only if it was cancelled itself
                waiting.popleft()[1].cancel()

    async def _call(self, partition: int, group: Sequence[Entry]) -> None:
        futures = [future for _, future in group]
        said = [words for words, _ in group]
        call: asyncio.Task[Sequence[Any]] = asyncio.create_task(self._outcomes(partition, said))
        for future in futures:
            future.add_done_callback(partial(_give_up, call, futures))
        try:
            await asyncio.wait({call})
        finally:
            call.cancel()
            _tell(call, futures)

    async def _outcomes(self, partition: int, said: Sequence[Sequence[Word]]) -> Sequence[Any]:
        try:
            return await self._send(partition, said)
        except StoreUnavailable:
            raise
        except Exception as fault:
            if len(said) == 1:
                return [fault]
        # Something is wrong with one of them: that one fails alone, and the others are only repeated.
        return [(await self._outcomes(partition, [words]))[0] for words in said]


def _give_up(call: asyncio.Task[Any], futures: Sequence[asyncio.Future[Any]], _: object) -> None:
    """End a call that nobody waits for any more; it may itself wait for Redis, for long."""
    if all(future.cancelled() for future in futures):
        call.cancel()


def _tell(call: asyncio.Task[Sequence[Any]], futures: Sequence[asyncio.Future[Any]]) -> None:
    for place, future in enumerate(futures):
        if future.done():
            continue
        if not call.done() or call.cancelled():
            future.cancel()
        elif failure := call.exception():
            future.set_exception(failure)
        elif isinstance(outcome := call.result()[place], Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _next_group(waiting: deque[Entry]) -> list[Entry]:
    group: list[Entry] = []
    size_bytes = 0
    while waiting and len(group) < _MOST and size_bytes < _MOST_BYTES:
        words, future = waiting.popleft()
        if not future.cancelled():
            group.append((words, future))
            size_bytes += sum(len(word) for word in words if isinstance(word, (str, bytes)))
    return group
