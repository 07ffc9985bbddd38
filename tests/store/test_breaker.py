"""The breaker of a host: closed, open, half-open by one probe for the whole fleet."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.model import Signal
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy

if TYPE_CHECKING:
    from tests.store.acting import Act
    from worker.clock import FakeClock
    from worker.model import Lease, Sign

FAILED = Signal("failed", reason="timeout")
OK = Signal("ok")
POLICY = HostPolicy(spacing_s=0, breaker_failures=3, breaker_s=60, breaker_max_s=200, penalty_s=0.001)


@pytest.fixture(autouse=True)
async def three_failures_open(act: Act) -> None:
    """Three failures in a row open the breaker: for 60 s, then 120, then 200."""
    await act.frontier.hosts.configure(POLICY)
    await act.admit(*(f"http://a.example/{n}" for n in range(60)))


async def ask(act: Act, signal: Signal) -> Lease:
    """One request of the host, that went like this."""
    await act.due()
    lease = await act.claimed()
    await act.frontier.bury(lease, "timeout", EVENT, signal=signal)
    return lease


async def opened_for_s(act: Act) -> float:
    """How long the host is left alone from now."""
    return round(((await act.host())["at"] - await act.now_ms()) / 1000, 1)


async def test_failures_in_a_row_open_it(act: Act) -> None:
    """The third failure in a row opens the breaker; a success between starts the count anew."""
    for signal in (FAILED, FAILED, OK, FAILED, FAILED):
        await ask(act, signal)
    assert "opened" not in await act.host()
    await ask(act, FAILED)
    assert (await act.host())["opened"] == 1
    assert await opened_for_s(act) == pytest.approx(60, abs=5)
    claim = await act.frontier.claim(9)
    assert claim.leases == ()
    assert claim.next_due_s == pytest.approx(60, abs=1)


async def test_waiting_urls_are_not_counted_against(act: Act) -> None:
    """URLs of an open host wait as they were: no attempt is counted."""
    for _ in range(3):
        await ask(act, FAILED)
    assert (await act.ledger()).waiting == 57
    probe = await ask(act, OK)
    assert (probe.task.attempt, probe.task.crashes) == (0, 0)


async def test_one_probe_for_the_fleet(act: Act, clock: FakeClock) -> None:
    """Once its time is over, one request at a time tries the host, whatever its slots and whoever asks."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, slots=5, breaker_failures=1))
    await ask(act, FAILED)
    await act.due()
    other = Frontier(act.connection, act.keys, worker="two", limits=FrontierLimits(50), clock=clock)
    probes = [lease for who in (act.frontier, other, act.frontier) for lease in (await who.claim(9)).leases]
    assert [lease.probe for lease in probes] == [True]
    await act.due()
    assert (await other.claim(9)).leases == ()
    assert await other.claim_suspect() is None


async def test_a_probe_that_fails_opens_it_for_longer(act: Act) -> None:
    """Each failed probe doubles the time, up to a maximum; a success ends it all."""
    for _ in range(3):
        await ask(act, FAILED)
    assert [await _open_again(act) for _ in range(3)] == [120, 200, 200]
    assert (await ask(act, OK)).probe
    assert await act.host() == {} or "opened" not in await act.host()
    assert not (await ask(act, FAILED)).probe


async def _open_again(act: Act) -> float:
    await ask(act, FAILED)
    return await opened_for_s(act)


async def test_a_probe_given_back_leaves_it_open(act: Act) -> None:
    """A worker that stops, or vanishes, with the probe in hand decides nothing: the next one tries."""
    for _ in range(3):
        await ask(act, FAILED)
    await act.due()
    await act.frontier.release(await act.claimed())
    await act.due()
    probe = await act.claimed()
    await act.expire(probe)
    await act.frontier.reap()
    assert (await act.host())["opened"] == 1
    assert "probe" not in await act.host()
    suspect = await act.frontier.claim_suspect()
    assert suspect is None or suspect.probe
    await act.due()
    assert suspect or (await act.frontier.claim_suspect() or await act.claimed()).probe


async def test_stragglers_have_no_say(act: Act) -> None:
    """What was under way when the breaker opened neither closes it nor opens it for longer."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, slots=4, breaker_failures=1, breaker_s=60))
    leases = []
    for _ in range(4):
        await act.due()
        leases.append(await act.claimed())
    for lease, signal in zip(leases, (FAILED, FAILED, OK, FAILED), strict=True):
        await act.frontier.bury(lease, "timeout", EVENT, signal=signal)
        assert (await act.host())["opened"] == 1
    assert 59 <= await opened_for_s(act) <= 60


async def test_a_lost_claim_reply_still_tells_of_the_probe(act: Act) -> None:
    """The same claim sent again says again that its lease is the probe."""
    for _ in range(3):
        await ask(act, FAILED)
    await act.due()
    args: list[str | int] = ["one", "claim-id", 5, 50000, 0]
    first = await act.connection.run("claim", [act.keys.tag(0)], args)
    again = await act.connection.run("claim", [act.keys.tag(0)], args)
    assert first[2:] == again[2:]
    assert first[5] == 1


async def test_off_is_off(act: Act) -> None:
    """With 0 failures there is no breaker, and one that was open is closed."""
    for _ in range(3):
        await ask(act, FAILED)
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, breaker_failures=0))
    for _ in range(20):
        assert not (await ask(act, FAILED)).probe
    assert "opened" not in await act.host()


@dataclass
class Model:
    """The breaker as the issue describes it, for one request at a time."""

    failures: int = 0
    opened: int = 0

    def heard(self, sign: Sign) -> None:
        if sign == "none":
            return
        if sign != "failed":
            self.failures = self.opened = 0
        else:
            self.failures += 1
            if self.opened or self.failures >= POLICY.breaker_failures:
                self.opened += 1


@pytest.mark.parametrize("seed", range(8))
async def test_any_run_of_answers_moves_it_as_the_model_says(act: Act, seed: int) -> None:
    """Whatever the answers, the state is the model's, and exactly the requests of an open host are probes."""
    draw, model = random.Random(seed), Model()
    signs: list[Sign] = ["ok", "failed", "failed", "failed", "throttled", "none"]
    for _ in range(40):
        sign = draw.choice(signs)
        lease = await ask(act, Signal(sign, reason="timeout"))
        assert lease.probe == bool(model.opened)
        model.heard(sign)
        host = await act.host()
        assert (host.get("opened", 0), host.get("failures", 0)) == (model.opened, model.failures)
        if model.opened and sign == "failed":
            expected_s = min(60 * 2 ** (model.opened - 1), 200)
            # Time passes until it is asked.
            assert await opened_for_s(act) == pytest.approx(expected_s, abs=5)
