"""Turns: requests that are no task's share the slots and the spacing of their host with those that are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from worker.model import Signal
from worker.store.hosts import HostPolicy
from worker.store.turns import Turn, Turns

if TYPE_CHECKING:
    from tests.store.acting import Act
    from worker.store.connection import Connection
    from worker.store.frontier import Frontier
    from worker.store.keys import Keys

HOST = "a.example"
URL = f"http://{HOST}/feed"
OK = Signal("ok", 0.1)


@pytest.fixture
def turns(connection: Connection, keys: Keys) -> Turns:
    """The fleet's."""
    return Turns(connection, keys)


async def taken(turns: Turns, host: str = HOST) -> Turn:
    """A turn of the host; the test fails where there is none."""
    turn = await turns.begin(host, for_s=60, longest_wait_s=100)
    assert isinstance(turn, Turn), turn
    return turn


async def refused(turns: Turns, *, longest_wait_s: float = 10) -> float:
    """In how many seconds to ask again; the test fails where there is a turn."""
    wait_s = await turns.begin(HOST, for_s=60, longest_wait_s=longest_wait_s)
    assert isinstance(wait_s, float)
    return wait_s


async def test_turn_takes_the_slot_of_a_task(turns: Turns, act: Act) -> None:
    """While it lasts, no URL of the host is claimed; then it is."""
    await act.admit("http://a.example/1", "http://b.example/1")
    turn = await taken(turns)
    assert [lease.task.host for lease in (await act.frontier.claim(5)).leases] == ["b.example"]
    await turns.end(turn, Signal(), URL)
    assert [lease.task.host for lease in (await act.frontier.claim(5)).leases] == [HOST]
    assert await act.names("{ingest:0}:turns") == []


async def test_task_takes_the_slot_of_a_turn(turns: Turns, act: Act) -> None:
    """While a URL of the host is in work, there is no turn."""
    lease = await act.lease("http://a.example/1")
    assert await refused(turns) > 0
    assert await act.frontier.release(lease)
    await taken(turns)


async def test_turns_of_a_host_follow_each_other(turns: Turns) -> None:
    """One slot is one turn at a time; other hosts have their own."""
    await taken(turns)
    assert await refused(turns) > 0
    await taken(turns, "b.example")


async def test_turn_keeps_the_spacing(turns: Turns, frontier: Frontier, act: Act) -> None:
    """It begins once the host has rested, and holds its place until then; the next URL waits for its rest."""
    await frontier.hosts.configure(HostPolicy(spacing_s=60, delay_factor=0))
    first = await taken(turns)
    assert first.wait_s == 0
    await turns.end(first, OK, URL)
    second = await taken(turns)
    assert 30 < second.wait_s <= 60
    assert (
        90_000 < (await act.host())["at"] - await act.now_ms() <= 120_000
    )  # after its begin, not from now on
    await act.admit("http://a.example/1")
    await act.due()
    assert (await act.frontier.claim(1)).leases == ()
    await turns.end(second, OK, URL)
    at = (await act.host())["at"]
    assert 30_000 < at - await act.now_ms() <= 120_000


async def test_long_wait_is_refused(turns: Turns, frontier: Frontier, act: Act) -> None:
    """Who cannot wait for so long takes nothing, and is told for how long it would have been."""
    await frontier.hosts.configure(HostPolicy(spacing_s=90, delay_factor=0))
    await turns.end(await taken(turns), OK, URL)
    assert 50 < await refused(turns, longest_wait_s=10) <= 90
    assert (await act.host())["busy"] == 0


async def test_same_turn_again(turns: Turns, connection: Connection, keys: Keys, act: Act) -> None:
    """A reply that was lost costs no second slot."""
    args: list[str | int] = [7, HOST, 60_000, 10_000]
    replies = [await connection.run("turn_begin", [keys.tag(0)], args) for _ in range(2)]
    assert replies == [[1, 0], [1, 0]]
    assert (await act.host())["busy"] == 1


async def test_ended_twice(turns: Turns, act: Act) -> None:
    """The second time, the slot may be another's."""
    turn = await taken(turns)
    await turns.end(turn, OK, URL)
    await taken(turns)
    await turns.end(turn, OK, URL)
    assert (await act.host())["busy"] == 1


async def test_fleet_learns_from_a_turn(turns: Turns, frontier: Frontier, act: Act) -> None:
    """A host that asks for rest by a turn's request has it from tasks, too."""
    await act.admit("http://a.example/1")
    await turns.end(await taken(turns), Signal("throttled", hold_s=30, reason="http_429"), URL)
    assert (await act.frontier.claim(1)).leases == ()
    assert (await act.host())["strikes"] == 1


async def test_worker_ends_the_turn_of_one_who_died(
    turns: Turns, act: Act, connection: Connection, keys: Keys
) -> None:
    """`reap` frees the host: no feeder need come for its articles to be fetched again."""
    await act.admit("http://a.example/1")
    turn = await taken(turns)
    await connection.command("ZADD", keys.part(0, "turns"), 1, f"{turn.id} {HOST}")
    await act.frontier.reap(100)
    assert len((await act.frontier.claim(1)).leases) == 1


async def test_next_turn_ends_that_of_one_who_died(
    turns: Turns, act: Act, connection: Connection, keys: Keys
) -> None:
    """Where no worker reaps, whoever asks next does; but not as soon as it has run out."""
    turn = await taken(turns)
    name = f"{turn.id} {HOST}"
    await connection.command("ZADD", keys.part(0, "turns"), await act.now_ms() - 30_000, name)
    assert await refused(turns) > 0
    await connection.command("ZADD", keys.part(0, "turns"), await act.now_ms() - 61_000, name)
    await taken(turns)
    assert (await act.host())["busy"] == 1


async def test_extended_turn_is_kept(turns: Turns, act: Act, connection: Connection, keys: Keys) -> None:
    """As long as its owner says that it lives, nobody ends it."""
    turn = await taken(turns)
    await connection.command("ZADD", keys.part(0, "turns"), 1, f"{turn.id} {HOST}")
    await turns.extend(turn, for_s=60)
    await act.frontier.reap(100)
    assert await refused(turns) > 0
    assert (await act.host())["busy"] == 1


async def test_crawl_delay(turns: Turns, act: Act, frontier: Frontier) -> None:
    """What a host's robots.txt asks for holds for the fleet."""
    await turns.slow_down(HOST, 90)
    await turns.end(await taken(turns), OK, URL)
    assert await refused(turns) > 10
