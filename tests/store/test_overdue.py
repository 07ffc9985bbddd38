"""How long hosts wait for a worker: what the fleet is scaled by, and the order in which they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store.ledger import overdue_s

if TYPE_CHECKING:
    from tests.store.acting import Act

A, B = "http://a.example", "http://b.example"


async def test_a_new_host_has_not_waited(act: Act) -> None:
    """Its wait begins when its first URL comes, and grows until a worker takes it."""
    assert await overdue_s(act.connection, act.keys) == 0
    await act.admit(f"{A}/1")
    assert await overdue_s(act.connection, act.keys) < 5
    await act.connection.command("ZADD", act.keys.part(0, "ready"), await act.now_ms() - 90_000, "a.example")
    assert 90 <= await overdue_s(act.connection, act.keys) < 95
    await act.claimed()
    assert await overdue_s(act.connection, act.keys) == 0


async def test_a_host_that_had_nothing_to_do_has_not_waited(act: Act) -> None:
    """Nor does the time count in which its rest was over and no URL was there."""
    await act.frontier.finish(await act.lease(f"{A}/1"), {"id": "e", "data": b"{}"})
    await act.connection.command("HSET", act.keys.part(0, "host:a.example"), "at", 1)
    await act.admit(f"{A}/2")
    assert await overdue_s(act.connection, act.keys) < 5


async def test_hosts_are_served_in_the_order_in_which_they_were_due(act: Act) -> None:
    """A host that was never asked goes behind one that waits; more URLs of a host do not move it back."""
    await act.admit(f"{B}/1")
    await act.connection.command("ZADD", act.keys.part(0, "ready"), await act.now_ms() - 1000, "b.example")
    await act.admit(f"{A}/1")
    await act.admit(f"{B}/2")
    assert [(await act.claimed()).task.host for _ in range(2)] == ["b.example", "a.example"]
