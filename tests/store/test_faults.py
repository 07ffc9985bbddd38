"""Scripts that fail half-way: what they had begun is whole, and nobody else's URL is the worse for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT, submission
from worker.errors import StoreUnavailable
from worker.store.settling import Settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.store.acting import Act

SOUND, DAMAGED = "a.example", "b.example"


async def damage(act: Act, host: str = DAMAGED) -> None:
    """A key that is of another type than the scripts take it for: each that reads it fails."""
    key = act.keys.part(0, f"host:{host}")
    await act.connection.command("DEL", key)
    await act.connection.command("SET", key, "no hash")


async def waiting(act: Act, host: str) -> int:
    """How many lines wait for the host."""
    return int(await act.connection.command("LLEN", act.keys.part(0, f"wait:{host}")))


@pytest.fixture
async def full(act: Act) -> AsyncIterator[None]:
    """Redis has no memory for writes."""
    yield
    await act.connection.of_primaries("CONFIG", "SET", "maxmemory", 0)


@pytest.mark.usefixtures("full")
async def test_without_memory_scripts_wait_and_change_nothing(act: Act) -> None:
    """On every server the refusal is told from a fault: the caller waits, and says what to do."""
    hosts = "abcde"
    await act.admit(
        *(f"http://{host}.example/1" for host in hosts), *(f"http://{h}.example/2" for h in hosts)
    )
    finished, buried, retried, released, _ = (await act.frontier.claim(5)).leases
    before = await act.ledger()
    await act.connection.of_primaries("CONFIG", "SET", "maxmemory", 1)
    outcomes = await asyncio.gather(
        act.frontier.claim(5),
        act.frontier.finish(finished, EVENT),
        act.frontier.bury(buried, "dns", EVENT),
        act.frontier.retry(retried, delay_s=1),
        act.frontier.release(released),
        act.admit("http://new.example/"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(outcomes), outcomes
    assert all("raise maxmemory" in str(outcome) for outcome in outcomes)
    assert await act.ledger() == before
    await act.connection.of_primaries("CONFIG", "SET", "maxmemory", 0)
    assert await act.frontier.finish(finished, EVENT) is Settled.DONE


async def test_a_finish_that_fails_fails_alone(act: Act) -> None:
    """Beside a damaged host others of the same call are done, and nothing of it is written."""
    await act.admit(*(f"http://{host}.example/1" for host in "abcd"))
    leases = (await act.frontier.claim(4)).leases
    await damage(act, leases[1].task.host)
    ends = await asyncio.gather(
        *(act.frontier.finish(lease, EVENT) for lease in leases), return_exceptions=True
    )
    assert "WRONGTYPE" in str(ends.pop(1))
    assert set(ends) <= {Settled.DONE, Settled.REPEATED}
    assert await act.streams() == (3, 0)
    ledger = await act.ledger()
    assert (ledger.articles, ledger.leased) == (3, 1)


async def test_a_claim_that_fails_leaves_no_url_in_two_places(act: Act) -> None:
    """What it leased before the damaged host is a lease, and does not wait any more."""
    await act.admit(f"http://{SOUND}/1", f"http://{DAMAGED}/1")
    await damage(act)
    with pytest.raises(Exception, match="WRONGTYPE"):
        await act.frontier.claim(2)
    leased = int(await act.connection.command("HLEN", act.keys.part(0, "leased")))
    assert (leased, await waiting(act, SOUND), await waiting(act, DAMAGED)) == (1, 0, 1)
    ledger = await act.ledger()
    assert (ledger.leased, ledger.waiting) == (1, 1)


async def test_an_admission_that_fails_pushes_nothing_twice(act: Act) -> None:
    """Asked again, a forced URL waits once."""
    await damage(act)
    wishes = [(1, submission(f"http://{SOUND}/1", force=True)), (2, submission(f"http://{DAMAGED}/1"))]
    for _ in range(2):
        with pytest.raises(Exception, match="WRONGTYPE"):
            await act.inbox.admit(wishes)
    await act.connection.command("DEL", act.keys.part(0, f"host:{DAMAGED}"))
    await act.inbox.admit(wishes)
    assert (await waiting(act, SOUND), await waiting(act, DAMAGED)) == (1, 1)


async def test_thousands_are_admitted_at_once(act: Act) -> None:
    """Whoever has adopted what many had taken holds more than a script's call may have results."""
    admissions = await act.admit(*(f"http://{SOUND}/{number}" for number in range(4_500)))
    assert sum(admission.seq is not None for admission in admissions) == 4_500
    assert (await act.ledger()).waiting == 4_500
