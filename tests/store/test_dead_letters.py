"""Dead letters: listed, found, revived once, purged; revive and purge each branch against a real server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from worker.events.envelope import dead_event, malformed_event
from worker.store.dead_letters import DeadLetter, DeadLetters

if TYPE_CHECKING:
    from tests.store.acting import Act

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def buried(act: Act, url: str = "http://a.example/1", **wishes: object) -> DeadLetter:
    """A URL's dead letter."""
    await act.admit(url, **wishes)
    lease = await act.claimed()
    event = dead_event(lease.task, "http_404", "gone", partition=0, namespace="ingest", now=NOW)
    await act.frontier.bury(lease, "http_404", event)
    letters = [letter async for letter in DeadLetters(act.connection, act.keys).all()]
    return letters[-1]


async def test_retry_makes_a_new_task_of_the_same_wish(act: Act) -> None:
    """A revived URL waits again with all that its producer said, and leaves the dead stream."""
    letter = await buried(
        act, meta={"k": 1}, id="mine", priority="high", requested_url="http://A.example/1#x"
    )
    seq = await DeadLetters(act.connection, act.keys).retry(letter)
    task = (await act.claimed()).task
    assert task.seq == seq
    assert (task.url, task.meta, task.id, task.priority, task.attempt, task.requested_url) == (
        "http://a.example/1",
        {"k": 1},
        "mine",
        "high",
        0,
        "http://A.example/1#x",
    )
    ledger = await act.ledger()
    assert (ledger.accepted, ledger.dead, ledger.leased, ledger.reasons) == (1, 0, 1, {})
    assert await act.streams() == (0, 0)


async def test_retry_twice_is_one_task(act: Act) -> None:
    """Two operators who retry the same letter make one task."""
    letters = DeadLetters(act.connection, act.keys)
    letter = await buried(act)
    assert await letters.retry(letter) is not None
    assert await letters.retry(letter) is None
    assert (await act.ledger()).waiting == 1


async def test_malformed_item_cannot_be_retried(act: Act) -> None:
    """There is no URL to retry in a malformed item, and the answer says what to do."""
    event = malformed_event(item="nonsense", why="not a URL", number=1, namespace="ingest", now=NOW)
    await act.inbox.reject(1, event)
    letters = DeadLetters(act.connection, act.keys)
    (letter,) = [letter async for letter in letters.all()]
    with pytest.raises(ValueError, match="add it again"):
        await letters.retry(letter)


async def test_purge_deletes_and_the_ledger_remembers(act: Act) -> None:
    """Purged letters are gone from the stream; that their URLs ended dead stays in the ledger."""
    letters = DeadLetters(act.connection, act.keys)
    letter = await buried(act)
    assert await letters.purge([letter]) == 1
    assert await letters.purge([letter]) == 0
    ledger = await act.ledger()
    assert (ledger.dead, ledger.traffic) == (1, {"purged": 1})


async def test_find_by_id(act: Act) -> None:
    """A letter is found by the id that the list shows; a wrong id is refused with a right one."""
    letters = DeadLetters(act.connection, act.keys)
    letter = await buried(act)
    assert await letters.find(letter.id) == letter
    assert await letters.find("1-1") is None
    with pytest.raises(ValueError, match="ids look like"):
        await letters.find("latest")


async def test_list_pages_through_all(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    """More letters than one page holds are all listed, in order."""
    monkeypatch.setattr("worker.store.dead_letters._PAGE", 2)
    for number in range(5):
        await buried(act, f"http://a.example/{number}")
    listed = [letter.url async for letter in DeadLetters(act.connection, act.keys).all()]
    assert listed == [f"http://a.example/{number}" for number in range(5)]
