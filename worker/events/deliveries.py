"""What one consumer holds of its group: it reads, takes over, keeps its hold, acknowledges, and gives back.

An event is handed out at least once, whatever dies: it is pending from its delivery to its acknowledgement,
and whoever sees it pending and idle for `idle_ms` takes it over. Three things are counted on:

- The living renew their hold on all that they have: only the dead, the stuck and those who failed lose it.
- The search for idle events goes through the whole list of what is pending, to its tail, and then anew.
- Redis counts deliveries. An event that came twice already is taken alone: the death of a process counts
  against the event that it had in hand, and hardly ever against its neighbours.
"""

from __future__ import annotations

from collections import deque
from itertools import groupby, islice
from typing import TYPE_CHECKING, Literal

from worker.events.event import Event, UnreadableEventError, event_of, partition_in, rejection
from worker.events.notices import notice
from worker.store.consumer_group import PAGE, Delivered, GroupMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.clock import Clock
    from worker.events.copies import Copies
    from worker.events.subscription import Subscription, Terms
    from worker.store.consumer_group import ConsumerGroup, Pending

#: Deliveries after which an event is taken over alone.
_SUSPECT_AFTER = 2
_LONGEST_PAUSE_S = 5.0
_POLL_S = 0.1

Key = tuple[str, str]


class Deliveries:
    """The events that one consumer holds: read ahead, or handed out and not acknowledged."""

    def __init__(
        self,
        group: ConsumerGroup,
        terms: Terms,
        subscription: Subscription,
        clock: Clock,
        *,
        one_by_one: bool = False,
        copies: Copies | None = None,
    ) -> None:
        """`one_by_one`: no command may name several streams. Copies that `copies` knows are left out."""
        self._group = group
        self._terms = terms
        self._subscription = subscription
        self._clock = clock
        self._one_by_one = one_by_one
        self._copies = copies
        self._ahead: deque[Event] = deque()
        self._held: dict[Key, float] = {}  # since when, at least, by our own clock
        self._suspects: deque[tuple[str, str]] = deque()
        self._suspects_turn = True
        self._places: dict[str, str] = {}  # stream → where the search for idle events goes on
        self._search_at = 0.0  # when to begin the next search, and before when to take nothing over
        self._calm_at = 0.0

    async def take(self, count: int, *, wait_s: float, alone: bool = True) -> list[Event]:
        """Up to `count` events to hand out now; none, if nothing came within about `wait_s`.

        A suspect is the only one. `alone=False` brings none.
        """
        while True:
            if not self._ahead:
                try:
                    await self._fetch(max(count, self._terms.batch), wait_s, alone=alone)
                except GroupMissingError:
                    await self._begin_anew()
            if any(self._is_old(event) for event in islice(self._ahead, count)):
                await self.renew()
            if not self._ahead:
                return []
            if taken := await self._take_ahead(count):
                return taken  # else all were copies, and more may stand behind them

    async def _take_ahead(self, count: int) -> list[Event]:
        taken: list[Event] = []
        try:
            while len(taken) < count and self._ahead:
                taken.append(self._ahead.popleft())
                if self._copies is not None and await self._copies.is_one(taken[-1]):
                    await self.acknowledge([taken.pop()])
        except BaseException:  # a cancelled wait: they are the next call's
            self.untake(taken)
            raise
        return taken

    def untake(self, events: Iterable[Event]) -> None:
        """Take them again the next time: they were not handed out."""
        self._ahead.extendleft(reversed(list(events)))

    async def acknowledge(self, events: Iterable[Event]) -> None:
        """They are handled: the group need not have them again."""
        by_stream: dict[str, list[str]] = {}
        for event in events:
            self._held.pop(event.key, None)
            by_stream.setdefault(event.stream, []).append(event.entry)
        for stream, entries in by_stream.items():
            await self._group.acknowledge(stream, entries)

    async def reject(self, event: Event, reason: str) -> None:
        """Give it up for this group: kept among the rejected, and acknowledged."""
        self._held.pop(event.key, None)
        fields = {name.encode(): value.encode() for name, value in event.attributes.items()}
        delivered = Delivered(event.stream, event.entry, fields | {b"data": event.data}, event.deliveries)
        await self._give_up(delivered, reason)

    @staticmethod
    def is_suspect(event: Event) -> bool:
        """Whether it came so often that it may be what killed its consumers."""
        return event.deliveries > _SUSPECT_AFTER

    def let_go(self, events: Iterable[Event]) -> None:
        """Hold them no longer: they come again once they were idle for long enough."""
        for event in events:
            self._held.pop(event.key, None)

    async def give_back(self) -> None:
        """Let others have at once what was read ahead, as if it had never been delivered to us."""
        ahead = sorted(self._ahead, key=_lot)
        self._ahead.clear()
        try:
            for (stream, deliveries), events in groupby(ahead, key=_lot):
                ours = await self._group.renew(stream, [each.entry for each in events])
                await self._group.give_back(stream, sorted(ours), deliveries - 1)
        except GroupMissingError:
            return
        finally:
            self.let_go(ahead)

    async def renew(self) -> None:
        """Tell the group that we live: what is held is idle no longer. What was lost is not held any more."""
        for stream in {stream for stream, _ in self._held}:
            began = self._clock.monotonic()
            entries = [entry for name, entry in self._held if name == stream]
            try:
                ours = await self._group.renew(stream, entries)
            except GroupMissingError:
                ours = set()
            for entry in entries:
                if entry in ours and (stream, entry) in self._held:
                    self._held[stream, entry] = began
                elif self._held.pop((stream, entry), None) is not None:
                    notice("warning", "event_lapsed", group=self._group.group, stream=stream, entry=entry)
        self._ahead = deque(event for event in self._ahead if event.key in self._held)

    def hold_off(self) -> None:
        """Take nothing over for a while: after an outage all looks idle, and the living must renew first."""
        self._calm_at = self._clock.monotonic() + self._terms.idle_ms / 1000

    async def lag(self) -> int:
        """Events that the group was not given yet, or that are pending, over all streams."""
        return sum([await self._group.lag(stream) for stream in self._subscription.names])

    @property
    def _is_calm(self) -> bool:
        return self._clock.monotonic() >= self._calm_at

    async def _begin_anew(self) -> None:
        self._ahead.clear()
        self._held.clear()
        self._suspects.clear()
        self._places.clear()
        await self._subscription.rejoin()

    def _is_old(self, event: Event) -> bool:
        held_s = self._clock.monotonic() - self._held.get(event.key, 0.0)
        return held_s * 1000 > self._terms.idle_ms * 0.8

    async def _fetch(self, count: int, wait_s: float, *, alone: bool) -> None:
        await self._subscription.look()
        if self._clock.monotonic() >= self._search_at and self._is_calm:
            await self._search(count)
        if self._ahead:
            return
        if alone and self._suspects and self._suspects_turn:
            self._suspects_turn = False
            await self._take_suspect(*self._suspects.popleft())
            return
        self._suspects_turn = True
        goes_on = self._places and self._is_calm and (alone or len(self._suspects) < PAGE)
        await self._read(count, 0 if goes_on or (alone and self._suspects) else wait_s)

    async def _read(self, count: int, wait_s: float) -> None:
        began, names = self._clock.monotonic(), self._subscription.names
        if len(names) > 1 and self._one_by_one:
            for name in names:
                await self._accept(await self._group.read([name], count), began)
            if not self._ahead and wait_s:
                await self._clock.sleep(min(wait_s, _POLL_S))
            return
        await self._accept(await self._group.read(names, count, wait_s=wait_s), began)

    async def _search(self, room: int) -> None:
        """One page of what is pending, of each stream; the next call goes on behind it, up to the tail."""
        for stream in self._subscription.names:
            if (start := self._places.get(stream, "-")) != "":
                self._places[stream] = await self._search_page(stream, start, room)
        if not any(self._places.values()):
            self._places.clear()
            self._search_at = self._clock.monotonic() + min(self._terms.idle_ms / 4000, _LONGEST_PAUSE_S)

    async def _search_page(self, stream: str, start: str, room: int) -> str:
        """Take over what is idle, as far as there is room; where the next page begins, or `` at the tail."""
        page = await self._group.pending(stream, start)
        if not self._is_calm:  # that call sat out an outage
            return start
        goes_on = f"({page[-1].entry}" if len(page) == PAGE else ""
        found: list[Pending] = []
        for each in page:
            if each.idle_ms < self._terms.idle_ms or (stream, each.entry) in self._held:
                continue
            if len(self._ahead) + len(found) >= room or len(self._suspects) >= PAGE:
                goes_on = each.entry
                break
            if each.deliveries >= min(_SUSPECT_AFTER, self._terms.max_deliveries):
                if (stream, each.entry) not in self._suspects:
                    self._suspects.append((stream, each.entry))
            else:
                found.append(each)
        await self._take_over(stream, found)
        return goes_on

    async def _take_suspect(self, stream: str, entry: str) -> None:
        for each in await self._group.pending(stream, entry, entry):
            if each.idle_ms < self._terms.idle_ms or not self._is_calm:
                return  # somebody has it; if not, the next search finds it again
            if each.deliveries < self._terms.max_deliveries:
                await self._take_over(stream, [each])
            elif (fields := await self._fields(stream, each)) is not None and (
                await self._group.take_aside(stream, self._terms.idle_ms, entry)
            ):
                given_up = Delivered(stream, entry, fields, each.deliveries)
                await self._give_up(given_up, f"delivered {each.deliveries} times and never acknowledged")

    async def _fields(self, stream: str, pending: Pending) -> dict[bytes, bytes] | None:
        """What an entry holds. One that was deleted is acknowledged, and told of by whoever was first."""
        fields = await self._group.entry(stream, pending.entry)
        if fields is None and await self._group.acknowledge(stream, [pending.entry]):
            gone = Delivered(stream, pending.entry, {}, pending.deliveries)
            self._tell("warning", "event_gone", gone, owner=pending.consumer)
        return fields

    async def _take_over(self, stream: str, idle: list[Pending]) -> None:
        # Redis 6.2 and 7 differ in what a claim does with an entry that was deleted.
        there = [each for each in idle if await self._fields(stream, each) is not None]
        if not there:
            return
        began, owners = self._clock.monotonic(), {each.entry: each.consumer for each in there}
        taken = await self._group.take_over(stream, self._terms.idle_ms, there)
        for each in taken:
            self._tell("info", "event_taken_over", each, owner=owners[each.entry])
        await self._accept(taken, began)

    async def _accept(self, delivered: list[Delivered], began: float) -> None:
        for each in delivered:
            try:
                event = event_of(each.stream, each.entry, each.fields, each.deliveries)
            except UnreadableEventError as error:
                await self._give_up(each, f"unreadable: {error}")
                continue
            self._held[event.key] = began
            self._ahead.append(event)

    async def _give_up(self, event: Delivered, reason: str) -> None:
        letter = rejection(
            reason, event.entry, event.fields, deliveries=event.deliveries, now=self._clock.now()
        )
        hash_key = self._terms.rejected(partition_in(event.stream))
        await self._group.reject(hash_key, event.stream, event.entry, letter)
        self._tell("warning", "event_rejected", event, reason=reason)

    def _tell(self, level: Literal["info", "warning"], what: str, event: Delivered, **more: object) -> None:
        notice(
            level,
            what,
            group=self._group.group,
            stream=event.stream,
            entry=event.entry,
            deliveries=event.deliveries,
            **more,
        )


def _lot(event: Event) -> tuple[str, int]:
    return event.stream, event.deliveries
