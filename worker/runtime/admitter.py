"""The admitter: moves items from the inbox into the frontier, and adopts what dead workers had taken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from worker.errors import Malformed, StoreForbids, StoreUnavailable
from worker.events.envelope import malformed_event
from worker.hooks import NO_HOOKS, Hooks
from worker.model import task_id
from worker.runtime.pace import Pace
from worker.runtime.pause import pause, unless
from worker.store.ledger import read_ledger
from worker.telemetry.log import get_logger, told
from worker.telemetry.pulse import unheard
from worker.urls import parse_item, partition_of, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.clock import Clock
    from worker.grouping import Grouping
    from worker.model import Submission
    from worker.store.connection import Connection
    from worker.store.headroom import Headroom
    from worker.store.inbox import Admission, Inbox, Item
    from worker.store.keys import Keys
    from worker.telemetry.pulse import Beat
    from worker.telemetry.stats import Stats

_BATCH = 100
#: Malformed items that hooks are being told of, at which admission waits for them; a batch may come on top.
_MOST_TELLING = 100
#: Between two signs of life, at most, while nothing comes.
_LONGEST_WAIT_S = 0.5
#: After a wait that the ACL forbids. An operator may load a newer one, and each refusal is a line of ACL LOG.
_FORBIDDEN_S = 60.0


class Admitter:
    """Takes, admits, lets go; stops at the high-water mark: a backlog is cheapest in the inbox."""

    def __init__(
        self,
        connection: Connection,
        keys: Keys,
        inbox: Inbox,
        *,
        frontier_limit: int,
        headroom: Headroom,
        beat_ttl_s: float,
        admitted: asyncio.Event,
        expect: Callable[[int], None] = lambda _: None,
        stats: Stats,
        clock: Clock,
        grouping: Grouping = "host",
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._inbox = inbox
        self._frontier_limit = frontier_limit
        self._headroom = headroom
        self._beat_ttl_s = beat_ttl_s
        self._admitted = admitted
        self._expect = expect  # told of each partition that something was admitted to
        self._stats = stats
        self._clock = clock
        self._grouping = grouping
        self._hooks = hooks
        self._pace = Pace(clock)
        self._next_beat = 0.0
        self._next_wait = 0.0
        self._told_of_waits = False
        self._full = False
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self, stopping: asyncio.Event, beat: Beat = unheard) -> None:
        """Admit until `stopping`, then sign off, and let the hooks that are being told end."""
        quiet, holds = True, await self._is_full()
        try:
            while not stopping.is_set():
                beat()
                await self._beat()
                count = 0 if holds else await self.admit_batch()
                if count < _BATCH:
                    await pause(stopping, self._pace.after(count, quiet=quiet and not holds))
                # Before the wait: an item that ends it is taken without another question.
                holds = await self._is_full()
                if count < _BATCH:
                    quiet = not holds and await self._is_quiet(stopping)
            await self._inbox.leave()
            await asyncio.gather(*self._telling)
        finally:
            for each in self._telling:
                each.cancel()
            await asyncio.gather(*self._telling, return_exceptions=True)

    async def _is_quiet(self, stopping: asyncio.Event) -> bool:
        """Wait until an item may be there; false if one is, or if there is no waiting for it."""
        if self._clock.monotonic() < self._next_wait:
            return False
        try:
            return bool(await unless(stopping, self._inbox.is_quiet(_LONGEST_WAIT_S)))
        except StoreUnavailable:
            return False  # the next call says so, and waits until Redis is back
        except StoreForbids as error:  # an older users.acl, which has all that the job needs
            self._next_wait = self._clock.monotonic() + _FORBIDDEN_S
            if not self._told_of_waits:
                self._told_of_waits = True
                get_logger().warning("waiting_forbidden", error=str(error))
            return False

    async def admit_batch(self) -> int:
        """Admit what was taken, this time or before; returns how many items that were."""
        taken_at = self._clock.monotonic()
        items = await self._inbox.take(_BATCH)
        if not items:
            return 0
        submissions: list[tuple[int, Submission]] = []
        partitions: dict[int, int] = {}
        buried: list[Mapping[str, str | bytes]] = []
        for item in items:
            if self._clock.monotonic() - taken_at > self._beat_ttl_s / 2:
                # We slept, and others may have adopted them: the next take tells what is still ours.
                return len(items)
            try:
                submission = _read(item, self._grouping)
            except Malformed as fault:
                buried.append(await self._bury(item, fault))
                partitions[item.number] = 0
            else:
                submissions.append((item.number, submission))
                partitions[item.number] = partition_of(submission.host, self._keys.partitions)
        for admission in await self._inbox.admit(submissions):
            _tell(admission)
            self._expect(admission.partition)
        self._admitted.set()
        await self._inbox.untake(partitions)
        for event in buried:  # not before: whoever adopts an item tells of it, too
            telling = asyncio.create_task(self._hooks.tell(event))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)
        return len(items)

    async def _bury(self, item: Item, fault: Malformed) -> Mapping[str, str | bytes]:
        event = malformed_event(
            item=fault.item,
            why=fault.why,
            number=item.number,
            namespace=self._keys.namespace,
            now=self._clock.now(),
        )
        await self._inbox.reject(item.number, event)
        get_logger().warning("item_malformed", why=fault.why, item=fault.item, event_id=str(event["id"]))
        return event

    async def _beat(self) -> None:
        if self._clock.monotonic() < self._next_beat:
            return
        self._next_beat = self._clock.monotonic() + self._beat_ttl_s / 3
        for silent in await self._inbox.beat(self._beat_ttl_s):
            if count := await self._inbox.adopt(silent, _BATCH):
                get_logger().warning("taken_adopted", owner=silent, count=count)
                self._next_beat = 0.0  # there may be more of it

    async def _is_full(self) -> bool:
        waiting = (await read_ledger(self._connection, self._keys)).waiting
        was, self._full = self._full, waiting >= self._frontier_limit
        if self._full and not was:
            get_logger().warning("frontier_full", waiting=waiting, limit=self._frontier_limit)
        holds = self._full or len(self._telling) >= _MOST_TELLING or await self._headroom.is_short()
        if holds:
            self._stats.stand_still()
        return holds


def _read(item: Item, grouping: Grouping) -> Submission:
    """The item as a submission. Whatever goes wrong is the end of the item, and never of workers."""
    try:
        return parse_item(item.raw, grouping)
    except Malformed:
        raise
    except Exception as error:
        get_logger().error("internal_error", where="parse_item", **told(error))
        raise Malformed(f"a fault of ours: {type(error).__name__}", quoted(item.raw)) from error


def _tell(admission: Admission) -> None:
    item = admission.submission
    if admission.seq is None:
        get_logger().info("url_refused", reason="duplicate", url=item.url, host=item.host, id=item.id)
        return
    name = task_id(admission.seq, admission.partition)
    requested = item.requested_url if item.requested_url != item.url else None
    get_logger(task_id=name, url=item.url, host=item.host, attempt=0).info(
        "url_accepted", id=item.id, priority=item.priority, requested_url=requested
    )
