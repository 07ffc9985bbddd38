"""Finishes that come together: one call for all, and each hears what became of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.store.acting import EVENT
from worker.errors import StoreUnavailable
from worker.store.group_commit import GroupCommit
from worker.store.settling import Settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tests.store.acting import Act


class Calls:
    """What was sent, answered once it may be."""

    def __init__(self) -> None:
        self.made: list[list[str]] = []
        self.may_end = asyncio.Event()
        self.failure: Exception | None = None
        self.cancelled = asyncio.Event()

    async def send(self, partition: int, entries: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """Each entry's first word is its reply."""
        self.made.append([f"{partition}:{words[0]}" for words in entries])
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if self.failure:
            raise self.failure
        return [words[0] for words in entries]


async def begun(*work: Any) -> list[asyncio.Task[Any]]:
    """Tasks that have come as far as they can."""
    tasks = [asyncio.create_task(each) for each in work]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_what_comes_together_goes_in_one_call() -> None:
    """Each partition in one of its own; replies find their entries."""
    calls = Calls()
    calls.may_end.set()
    group = GroupCommit(calls.send)
    entries = [(0, "a"), (1, "b"), (0, "c")]
    replies = await asyncio.gather(*(group.commit(part, [word]) for part, word in entries))
    assert list(replies) == ["a", "b", "c"]
    assert sorted(calls.made) == [["0:a", "0:c"], ["1:b"]]


async def test_one_call_at_a_time() -> None:
    """What comes during a call goes together in the next one."""
    calls = Calls()
    group = GroupCommit(calls.send)
    tasks = await begun(group.commit(0, ["a"]))
    tasks += await begun(group.commit(0, ["b"]), group.commit(0, ["c"]))
    assert calls.made == [["0:a"]]
    calls.may_end.set()
    assert [await task for task in tasks] == ["a", "b", "c"]
    assert calls.made == [["0:a"], ["0:b", "0:c"]]
    assert await group.commit(0, ["d"]) == "d"  # whoever comes after all has its call, too


async def test_who_comes_alone_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after another they go at once, whatever the interval."""
    monkeypatch.setattr("worker.store.group_commit._INTERVAL_S", 3600)
    calls = Calls()
    calls.may_end.set()
    group = GroupCommit(calls.send)
    async with asyncio.timeout(10):
        for turn in "abc":
            assert await group.commit(0, [turn]) == turn


async def test_a_crowd_goes_at_intervals_until_it_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a call for several, what comes soon goes together; after some lone calls, at once again."""
    monkeypatch.setattr("worker.store.group_commit._INTERVAL_S", 0.3)
    calls = Calls()
    calls.may_end.set()
    group = GroupCommit(calls.send)
    await asyncio.gather(group.commit(0, ["a"]), group.commit(0, ["b"]))
    first = asyncio.create_task(group.commit(0, ["c"]))
    await asyncio.sleep(0.001)
    await asyncio.gather(first, group.commit(0, ["d"]))
    assert calls.made == [["0:a", "0:b"], ["0:c", "0:d"]]
    for turn in "efg":
        await group.commit(0, [turn])
    assert not group._crowd[0]


async def test_giants_go_apart() -> None:
    """A call carries about a megabyte: Redis serves nobody else meanwhile."""
    calls = Calls()
    calls.may_end.set()
    group = GroupCommit(calls.send)
    await asyncio.gather(*(group.commit(0, [word, b"x" * 600_000]) for word in "abc"))
    assert calls.made == [["0:a", "0:b"], ["0:c"]]


async def test_all_hear_of_a_failure_and_the_next_ones_are_sent() -> None:
    """A failed call is the end of its entries alone."""
    calls = Calls()
    calls.failure = StoreUnavailable("gone")
    calls.may_end.set()
    group = GroupCommit(calls.send)
    outcomes = await asyncio.gather(*(group.commit(0, [word]) for word in "ab"), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["gone", "gone"]
    calls.failure = None
    assert await group.commit(0, ["c"]) == "c"


async def test_a_call_ends_with_the_last_who_waits_for_it() -> None:
    """One that is cancelled takes nobody with it; the last takes the call, too."""
    calls = Calls()
    group = GroupCommit(calls.send)
    one, other = await begun(group.commit(0, ["a"]), group.commit(0, ["b"]))
    one.cancel()
    await asyncio.wait([one])
    assert (other.done(), calls.cancelled.is_set()) == (False, False)
    other.cancel()
    await asyncio.wait([other])
    await asyncio.wait_for(calls.cancelled.wait(), 5)
    calls.may_end.set()
    assert await group.commit(0, ["c"]) == "c"


async def test_who_has_left_is_not_sent() -> None:
    """What was cancelled before its call is not in it."""
    calls = Calls()
    group = GroupCommit(calls.send)
    first, left, third = await begun(group.commit(0, ["a"]), group.commit(0, ["b"]), group.commit(0, ["c"]))
    (late, later) = await begun(group.commit(0, ["d"]), group.commit(0, ["e"]))
    late.cancel()
    await asyncio.wait([late])
    calls.may_end.set()
    assert [await task for task in (first, left, third, later)] == ["a", "b", "c", "e"]
    assert calls.made == [["0:a", "0:b", "0:c"], ["0:e"]]


async def test_finishes_of_one_call_are_apart(act: Act) -> None:
    """In one script call: done, lost and repeated ones each get their own answer, and the ledger balances."""
    await act.admit(*(f"http://{host}.example/1" for host in "abcd"))
    leases = (await act.frontier.claim(10)).leases
    done, again, lost, last = leases
    await act.frontier.finish(again, EVENT)
    await act.expire(lost)
    await act.frontier.reap()
    ends = list(
        await asyncio.gather(*(act.frontier.finish(lease, EVENT) for lease in (done, again, lost, last)))
    )
    assert ends == [Settled.DONE, Settled.REPEATED, Settled.LOST, Settled.DONE]
    assert await act.streams() == (3, 0)
    ledger = await act.ledger()
    assert (ledger.articles, ledger.waiting, ledger.leased, ledger.balanced) == (3, 1, 0, True)


async def test_one_lease_ends_once_in_a_call(act: Act) -> None:
    """Should a worker finish a lease twice in one call, one event comes of it."""
    lease = await act.lease()
    ends = await asyncio.gather(*(act.frontier.finish(lease, EVENT) for _ in range(2)))
    assert sorted(ends) == [Settled.DONE, Settled.REPEATED]
    assert await act.streams() == (1, 0)


async def test_a_fault_is_that_of_its_entry_alone() -> None:
    """Where a call fails for what is in it, its entries are sent alone, and one fails."""

    async def send(_: int, entries: Sequence[Sequence[Any]]) -> Sequence[Any]:
        if ["bad"] in entries:
            raise ValueError("bad")
        return [words[0] for words in entries]

    group = GroupCommit(send)
    outcomes = await asyncio.gather(
        *(group.commit(0, [word]) for word in ("a", "bad", "c")), return_exceptions=True
    )
    assert [str(outcome) for outcome in outcomes] == ["a", "bad", "c"]
    assert isinstance(outcomes[1], ValueError)
