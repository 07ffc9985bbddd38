"""New rules for hosts that have URLs waiting, and requests under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.model import Signal
from worker.settings import HostOverride
from worker.store.hosts import HostPolicy

if TYPE_CHECKING:
    from tests.store.acting import Act

HOST = "a.example"


async def rule(act: Act, **changes: float) -> None:
    """What differs for the host from now on."""
    own = {HOST: HostOverride.model_validate(changes)} if changes else {}
    await act.frontier.hosts.configure(HostPolicy(spacing_s=1), own)


async def asked(act: Act, signal: Signal) -> None:
    """One request of the host that went like this; another URL of it waits."""
    lease = await act.lease()
    await act.admit(f"http://{HOST}/2")
    await act.frontier.finish(lease, EVENT, signal=signal)


async def due_in_s(act: Act) -> float | None:
    """When the next claim could lease something."""
    claim = await act.frontier.claim(9)
    assert claim.leases == ()
    return claim.next_due_s


async def test_fewer_slots_hold_at_once(act: Act) -> None:
    """A host that stood ready by its old slots gets no second request until the first has ended."""
    await rule(act, slots=3, spacing_s=0)
    lease = await act.lease()
    await act.admit(f"http://{HOST}/2")
    await rule(act, slots=1, spacing_s=0)
    assert await due_in_s(act) is None
    await act.frontier.finish(lease, EVENT, signal=Signal("ok"))
    assert (await act.claimed()).task.url == f"http://{HOST}/2"


async def test_a_claim_goes_by_the_rules_of_now(act: Act) -> None:
    """Also where the rules were written without a word to `ready`, as an older worker does."""
    await rule(act, slots=3, spacing_s=0)
    await act.lease()
    await act.admit(f"http://{HOST}/2")
    await act.connection.command("HSET", act.keys.part(0, "policy"), HOST, "0 1 -")
    assert await due_in_s(act) is None
    await act.ledger()


async def test_more_slots_are_used_at_once(act: Act) -> None:
    """A host that was full is ready again."""
    await rule(act, slots=1, spacing_s=0)
    await act.lease()
    await act.admit(f"http://{HOST}/2")
    await rule(act, slots=2, spacing_s=0)
    await act.claimed()


@pytest.mark.parametrize("changes", [{"spacing_s": 2}, {}])
async def test_a_spacing_by_mistake_is_corrected(act: Act, changes: dict[str, float]) -> None:
    """The next request is due by the new spacing, or the fleet's where the rule is gone, counted from now."""
    await rule(act, spacing_s=86_400)
    await asked(act, Signal("ok"))
    assert await due_in_s(act) == pytest.approx(86_400, abs=2)
    await rule(act, **changes)
    assert await due_in_s(act) == pytest.approx(changes.get("spacing_s", 1), abs=0.2)


async def test_a_longer_spacing_hurries_nobody(act: Act) -> None:
    """New rules bring a request forward or leave its time; and the same rules again change nothing."""
    await rule(act, spacing_s=5)
    await asked(act, Signal("ok"))
    at = (await act.host())["at"]
    await rule(act, spacing_s=9)
    await rule(act, spacing_s=9)
    assert (await act.host())["at"] == at


async def test_what_the_host_asked_for_stands(act: Act) -> None:
    """Retry-After holds under new rules, also if a success has healed its strike meanwhile."""
    await rule(act, slots=2, spacing_s=0)
    await act.admit(*(f"http://{HOST}/{n}" for n in range(3)))
    first, second = await act.claimed(), await act.claimed()
    await act.frontier.finish(first, EVENT, signal=Signal("throttled", hold_s=600))
    await act.frontier.finish(second, EVENT, signal=Signal("ok"))
    assert "strikes" not in await act.host()
    await rule(act, slots=2, spacing_s=1)
    assert await due_in_s(act) == pytest.approx(600, abs=2)


async def test_an_open_breaker_stands(act: Act) -> None:
    """New rules bring no probe forward."""
    await rule(act, spacing_s=5)
    await act.admit(*(f"http://{HOST}/{n}" for n in range(6)))
    for _ in range(5):
        await act.due()
        await act.frontier.finish(await act.claimed(), EVENT, signal=Signal("failed"))
    await rule(act, spacing_s=1)
    assert await due_in_s(act) == pytest.approx(60, abs=2)


async def test_rules_of_hosts_unknown_leave_no_trace(act: Act) -> None:
    """A rule makes no key for a host that has nothing to do."""
    await rule(act, spacing_s=5)
    await rule(act)
    assert await act.host() == {}
    assert await act.connection.command("EXISTS", act.keys.part(0, "ready")) == 0
