"""Numbers that no failover gives twice: of items, tasks and leases."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.servers import RedisServer
from tests.store.acting import EVENT, submission
from worker.store.connection import Connection
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.settling import Settled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.acting import Act

URLS = ("http://a.example/1", "http://b.example/2", "http://c.example/3")


async def test_tokens_leap_on_another_primary(act: Act) -> None:
    """A primary that lacks the last numbers of the one before gives none of them a second time."""
    held = [await act.lease(url) for url in URLS[:2]]
    await act.connection.command("HSET", act.keys.part(0, "clock"), "replid", "another")
    await act.connection.command("DECRBY", act.keys.part(0, "seq"), 2)  # as if forgotten
    new = await act.lease(URLS[2])
    assert new.token > held[-1].token + 1_000
    assert await act.frontier.finish(new, EVENT) is Settled.DONE
    assert (await act.lease("http://d.example/4")).token == new.token + 2


async def test_two_losses_in_a_row_give_no_token_twice(tmp_path: Path) -> None:
    """Redis starts twice from one snapshot: what was given between is not given again after that."""
    server = RedisServer(tmp_path / "r", options=("--appendonly", "no")).start()
    given: list[int] = []
    try:
        for number, url in enumerate(URLS):
            async with Connection(server.url) as connection:
                (admission,) = await Inbox(connection, Keys(), worker="one").admit(
                    [(number, submission(url))]
                )
                given.append(admission.seq or 0)
                if number == 0:
                    await connection.command("SAVE")
            server.stop(signal.SIGKILL)
            server.start()
    finally:
        server.stop(signal.SIGKILL)
    first, second, third = given
    assert second != third
    assert min(second, third) > first + 1_000


async def test_item_numbers_rise_with_the_clock(act: Act) -> None:
    """An item's number is one that no earlier moment can have given, whatever Redis remembers of numbers."""
    await act.inbox.push(URLS)
    first, second, third = [item.number for item in await act.inbox.take(10)]
    assert first >= (await act.now_ms() - 60_000) * 1000
    assert (second, third) == (first + 1, first + 2)
    await act.inbox.untake(dict.fromkeys((first, second, third), 0))
    await act.connection.command("DEL", act.keys.numbers)  # as if forgotten
    await act.inbox.push(URLS)
    assert min(item.number for item in await act.inbox.take(10)) > third


async def test_item_numbers_rise_when_the_clock_does_not(act: Act) -> None:
    """A clock that was set back gives no number twice."""
    ahead = (await act.now_ms() + 3_600_000) * 1000
    await act.connection.command("SET", act.keys.numbers, ahead)
    await act.inbox.push(URLS)
    assert [item.number for item in await act.inbox.take(10)] == [ahead + 1, ahead + 2, ahead + 3]
