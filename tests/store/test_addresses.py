"""Hosts behind one address share its slots, where the operator says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.model import Signal
from worker.store.hosts import HostPolicy

if TYPE_CHECKING:
    from tests.store.acting import Act
    from worker.model import Lease

HOSTS = [f"h{n}.example" for n in range(5)]


async def claimed(act: Act) -> list[Lease]:
    """Whatever may be claimed now, the rests of all hosts being over."""
    for host in HOSTS:
        await act.due(host)
    return list((await act.frontier.claim(20)).leases)


async def end(act: Act, lease: Lease, address: str | None = "192.0.2.1") -> None:
    """End the request, which this address answered."""
    act.frontier.hosts.address_of = lambda _: address
    await act.frontier.finish(lease, EVENT, signal=Signal("ok"))


@pytest.fixture
async def known(act: Act) -> None:
    """Five hosts, each asked once, at one address with two slots; each has three more URLs waiting."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, delay_factor=0, address_slots=2))
    await act.admit(*(f"http://{host}/{n}" for host in HOSTS for n in range(4)))
    for lease in await claimed(act):
        await end(act, lease)


@pytest.mark.usefixtures("known")
async def test_hosts_at_one_address_share_its_slots(act: Act) -> None:
    """Never more requests at once than the address has slots; and all URLs come to their end."""
    done = 0
    under_way: list[Lease] = []
    while leases := await claimed(act) or under_way:
        under_way += [lease for lease in leases if lease not in under_way]
        assert len(under_way) <= 2
        await end(act, under_way.pop(0))
        done += 1
    assert done == 15
    assert (await act.ledger()).waiting == 0


@pytest.mark.usefixtures("known")
async def test_a_freed_slot_calls_the_next_host(act: Act) -> None:
    """A host that waits for its address is due as soon as a request there ends, and not before."""
    one, _two = await claimed(act)
    claim = await act.frontier.claim(20)
    assert claim.leases == ()
    assert claim.next_due_s is not None
    assert claim.next_due_s > 5
    await end(act, one)
    assert len((await act.frontier.claim(20)).leases) == 1


@pytest.mark.usefixtures("known")
async def test_a_suspect_waits_for_the_address_too(act: Act) -> None:
    """A URL that runs alone takes a slot of its host's address like any other."""
    one, _two = await claimed(act)
    await act.expire(one)
    await act.frontier.reap()
    (_three,) = (await act.frontier.claim(20)).leases
    assert await act.frontier.claim_suspect() is None


@pytest.mark.usefixtures("known")
async def test_a_host_that_moves_takes_its_requests_along(act: Act) -> None:
    """A host that answers from another address counts there from then on."""
    one, two = await claimed(act)
    await end(act, one, "192.0.2.9")
    await end(act, two)
    hosts = {lease.task.host for lease in await claimed(act)}
    assert len(hosts) == 3
    assert one.task.host in hosts


@pytest.mark.usefixtures("known")
async def test_no_limit_forgets_addresses(act: Act) -> None:
    """With 0 nobody waits for an address, and no trace of one is left."""
    await claimed(act)
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, delay_factor=0))
    for _ in range(30):
        for host in HOSTS:
            if await act.connection.command("ZSCORE", act.keys.part(0, "ready"), host) is not None:
                await act.connection.command("ZADD", act.keys.part(0, "ready"), 1, host)
        for token in await act.connection.command("HKEYS", act.keys.part(0, "leased")):
            await act.connection.command("ZADD", act.keys.part(0, "leases"), 1, token)
        await act.frontier.reap()
        for lease in (await act.frontier.claim(20)).leases:
            await end(act, lease)
        while suspect := await act.frontier.claim_suspect():
            await end(act, suspect)
    assert (await act.ledger()).waiting == 0
    assert await act.names(act.keys.part(0, "address:*")) == []
