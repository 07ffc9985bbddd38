"""What a host has coming by its answers: spacing, penalties, and what of it lasts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.model import Signal
from worker.settings import HostOverride
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.scripts import script
from worker.urls import parse_item

if TYPE_CHECKING:
    from tests.store.acting import Act
    from worker.clock import FakeClock

THROTTLED = Signal("throttled", reason="http_429")


async def rest_ms(act: Act, signal: Signal, host: str = "a.example") -> int:
    """How long the host rests after one more request that went like this."""
    await act.due(host)
    lease = await act.lease(f"http://{host}/{next(act.numbers)}")
    before = await act.now_ms()
    await act.frontier.finish(lease, EVENT, signal=signal)
    return (await act.host(host)).get("at", before) - before


async def test_a_slow_host_rests_for_as_long_as_it_took(act: Act) -> None:
    """The rest after a request is the host's latency times the factor, where that is over the spacing."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=1, delay_factor=2))
    assert await rest_ms(act, Signal("ok", latency_s=0.1)) == pytest.approx(1000, abs=100)
    assert await rest_ms(act, Signal("ok", latency_s=3), "b.example") == pytest.approx(6000, abs=100)


async def test_latency_is_smoothed_and_bounded(act: Act) -> None:
    """One slow answer counts by half of it, and the rest has an upper bound."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, delay_max_s=5))
    assert await rest_ms(act, Signal("ok", latency_s=2)) == pytest.approx(2000, abs=100)
    assert await rest_ms(act, Signal("ok", latency_s=4)) == pytest.approx(3000, abs=100)
    assert await rest_ms(act, Signal("ok", latency_s=40)) == pytest.approx(5000, abs=100)


async def test_errors_never_speed_a_host_up(act: Act) -> None:
    """A failure that comes fast leaves the rest as it is; one that comes late makes it longer."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0))
    await rest_ms(act, Signal("ok", latency_s=2))
    assert await rest_ms(act, Signal("failed", latency_s=0.001)) == pytest.approx(2000, abs=100)
    assert await rest_ms(act, Signal("failed", latency_s=4)) == pytest.approx(3000, abs=100)
    assert await rest_ms(act, Signal("ok", latency_s=0.001)) == pytest.approx(1500, abs=100)


async def test_what_a_hang_has_taught_heals_without_latencies(act: Act) -> None:
    """Successes that say nothing of the latency halve what failures added, and leave what answers taught."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0))
    await rest_ms(act, Signal("ok", latency_s=1))
    assert await rest_ms(act, Signal("failed", latency_s=15)) == pytest.approx(8000, abs=100)
    rests = [await rest_ms(act, Signal("ok")) for _ in range(5)]
    assert rests == pytest.approx([4000, 2000, 1000, 1000, 1000], abs=100)
    await rest_ms(act, Signal("failed", latency_s=15), "b.example")
    rests = [await rest_ms(act, Signal("ok"), "b.example") for _ in range(14)]
    assert rests[-1] < 100
    assert "lag" not in await act.host("b.example")


async def test_an_operator_may_turn_the_factor_off(act: Act) -> None:
    """A host's own factor goes before the fleet's; what its table leaves out is as for all others."""
    own = {"a.example": HostOverride(delay_factor=0)}
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0.5, delay_factor=3), own)
    assert await rest_ms(act, Signal("ok", latency_s=9)) == pytest.approx(500, abs=100)


async def test_several_slots_share_the_latency(act: Act) -> None:
    """With more slots the starts are as far apart as keeps that many requests under way."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, slots=4))
    await rest_ms(act, Signal("ok", latency_s=8))
    await act.due()
    before = await act.now_ms()
    await act.lease("http://a.example/next")
    assert (await act.host())["at"] - before == pytest.approx(2000, abs=100)


async def test_penalties_double_and_heal(act: Act) -> None:
    """Each 429 without Retry-After doubles the rest up to a maximum; each success takes one strike away."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, penalty_s=10, penalty_max_s=35))
    rests = [round(await rest_ms(act, THROTTLED) / 1000) for _ in range(5)]
    assert rests == [10, 20, 35, 35, 35]
    await rest_ms(act, Signal("ok"))
    await rest_ms(act, Signal("ok"))
    assert (await act.host())["strikes"] == 1
    assert round(await rest_ms(act, THROTTLED) / 1000) == 20
    for _ in range(3):
        await rest_ms(act, Signal("ok"))
    assert "strikes" not in await act.host()


async def test_retry_after_is_the_rest(act: Act) -> None:
    """A host that says for how long is left alone for that, and it counts as a strike."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, penalty_s=10))
    asked = Signal("throttled", hold_s=3)
    assert await rest_ms(act, asked) == pytest.approx(3000, abs=100)
    assert round(await rest_ms(act, THROTTLED) / 1000) == 20


async def test_a_release_says_nothing_about_the_host(act: Act) -> None:
    """A lease given back without a request neither heals nor hurts."""
    await rest_ms(act, THROTTLED)
    await act.due()
    await act.frontier.release(await act.lease("http://a.example/other"))
    assert (await act.host())["strikes"] == 1


async def test_what_was_learnt_goes_an_hour_after_the_last_request(act: Act) -> None:
    """An idle host's strikes and latency are forgotten by themselves."""
    await rest_ms(act, Signal("ok", latency_s=0.2))
    ttl_ms = await act.connection.command("PTTL", act.keys.part(0, "host:a.example"))
    assert 3_500_000 < ttl_ms <= 3_601_000


async def test_rules_of_an_older_worker_still_read(act: Act) -> None:
    """During an upgrade a worker of the last release writes two numbers: they count, nothing else."""
    await act.connection.command("HSET", act.keys.part(0, "policy"), "*", "3000 1")
    assert await rest_ms(act, Signal("failed", latency_s=9)) == pytest.approx(3000, abs=100)


async def test_a_broken_policy_is_the_default(act: Act) -> None:
    """Words that are no numbers stop no script half-way: the defaults stand for them."""
    await act.connection.command("HSET", act.keys.part(0, "policy"), "*", "2000 - -")
    assert await rest_ms(act, Signal("ok")) == pytest.approx(2000, abs=100)
    await act.ledger()


async def test_no_rule_replaces_the_fleets_own(act: Act) -> None:
    """Whatever the rules for single hosts are called, the fleet's policy is the one that was given."""
    policy = HostPolicy(spacing_s=3)
    await act.frontier.hosts.configure(policy, {"*": HostOverride(slots=2)})
    kept = await act.connection.command("HGET", act.keys.part(0, "policy"), "*")
    assert kept.decode() == policy.words()


async def test_crawl_delay_yields_only_to_a_spacing_of_the_operators(act: Act) -> None:
    """A Crawl-delay holds where the operator has said something else of the host than its spacing."""
    own = {"a.example": HostOverride(slots=3), "b.example": HostOverride(spacing_s=2)}
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0), own)
    for host in own:
        await act.frontier.hosts.slow_down(host, 7)
    assert round(await rest_ms(act, Signal("ok"), "a.example") / 1000) == 7
    assert round(await rest_ms(act, Signal("ok"), "b.example") / 1000) == 2


async def test_rules_taken_out_are_gone(act: Act) -> None:
    """A host that the newest rules do not name is as all others."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0), {"a.example": HostOverride(spacing_s=9)})
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0))
    assert await rest_ms(act, Signal("ok")) < 1000


async def test_hosts_of_a_domain_may_count_as_one(act: Act, clock: FakeClock) -> None:
    """Grouped by domain, two hosts share slot and spacing, through admission, redirect and retry."""
    limits = FrontierLimits(lease_s=50, grouping="domain")
    act.frontier = Frontier(act.connection, act.keys, worker="one", limits=limits, clock=clock)
    items = [parse_item(b"http://%s.example.org/1" % name, "domain") for name in (b"www", b"news")]
    await act.inbox.admit([(number, item) for number, item in enumerate(items, start=1)])
    (lease,) = (await act.frontier.claim(9)).leases
    assert (lease.task.host, lease.task.url) == ("example.org", "http://www.example.org/1")
    await act.frontier.redirect(lease, "http://other.example/", "other.example")
    leases = {lease.task.host: lease for lease in (await act.frontier.claim(9)).leases}
    await act.frontier.finish(leases["example.org"], EVENT)
    await act.frontier.retry(leases["other.example"], delay_s=-1)
    assert (await act.claimed()).task.host == "example.org"


def test_the_policy_is_written_in_the_order_that_the_scripts_read() -> None:
    """Python's fields and Lua's names stand for the same numbers."""
    (listed,) = re.findall(r"local RULES = \{(.*?)\}", script("claim").text, re.DOTALL)
    names = re.findall(r"'(\w+)'", listed)
    policy = HostPolicy(0.001, 2, 3, 0.004, 0.005, 0.006, 7, 0.008, 0.009, 10)
    assert policy.words() == "1 2 3 4 5 6 7 8 9 10"
    assert names == [
        *("spacing", "slots", "factor", "longest_delay", "penalty", "longest_penalty"),
        *("failures", "open", "longest_open", "address_slots"),
    ]
