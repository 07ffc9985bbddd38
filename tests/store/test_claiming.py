"""claim, claim_suspect, extend, reap: each branch against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.store.acting import EVENT
from worker.settings import HostOverride
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy

if TYPE_CHECKING:
    from tests.store.acting import Act
    from worker.clock import FakeClock


async def test_one_of_each_host(act: Act) -> None:
    """A claim takes one URL of each host, however many wait for one of them."""
    await act.admit(
        *(f"http://slow.example/{n}" for n in range(50)), "http://a.example/", "http://b.example/"
    )
    claim = await act.frontier.claim(10)
    assert sorted(lease.task.host for lease in claim.leases) == ["a.example", "b.example", "slow.example"]


async def test_busy_host_is_left_alone(act: Act) -> None:
    """While its one slot is taken, a host is not asked again."""
    await act.admit("http://a.example/1", "http://a.example/2")
    await act.claimed()
    claim = await act.frontier.claim(10)
    assert claim.leases == ()
    assert claim.next_due_s is None


async def test_slots_allow_as_many(act: Act) -> None:
    """A host with two slots is asked twice at once, and not three times."""
    await act.frontier.hosts.configure(
        HostPolicy(spacing_s=0), {"a.example": HostOverride(spacing_s=0, slots=2)}
    )
    await act.admit(*(f"http://a.example/{n}" for n in range(3)))
    await act.claimed()
    await act.claimed()
    assert (await act.frontier.claim(1)).leases == ()


async def test_slots_are_spaced(act: Act) -> None:
    """With several slots, the spacing counts between the starts."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=7, slots=2))
    await act.admit("http://a.example/1", "http://a.example/2")
    await act.claimed()
    claim = await act.frontier.claim(1)
    assert claim.leases == ()
    assert claim.next_due_s is not None
    assert 6 < claim.next_due_s <= 7


async def test_first_come_first_served(act: Act) -> None:
    """A host's URLs are claimed in the order in which they were accepted."""
    await act.admit(*(f"http://a.example/{n}" for n in range(3)))
    order = []
    for _ in range(3):
        lease = await act.claimed()
        order.append(lease.task.url[-1])
        await act.frontier.finish(lease, EVENT)
    assert order == ["0", "1", "2"]


async def test_high_priority_goes_first(act: Act) -> None:
    """A host's urgent URLs pass its others."""
    await act.admit("http://a.example/normal")
    await act.admit("http://a.example/urgent", priority="high")
    assert (await act.claimed()).task.url == "http://a.example/urgent"


async def test_crawl_delay_slows_and_its_end_heals(act: Act) -> None:
    """A Crawl-delay is kept for the fleet until the host drops it."""
    await act.frontier.hosts.slow_down("a.example", 9)
    await act.frontier.finish(await act.lease("http://a.example/1"), EVENT)
    await act.admit("http://a.example/2")
    claim = await act.frontier.claim(1)
    assert claim.next_due_s is not None
    assert 8 < claim.next_due_s <= 9
    await act.frontier.hosts.slow_down("a.example", None)
    assert await act.connection.command("EXISTS", act.keys.part(0, "crawl_delay")) == 0


async def test_lost_claim_reply_strands_nothing(act: Act) -> None:
    """The same claim sent again answers with the same leases, and makes no more."""
    await act.admit("http://a.example/", "http://b.example/")
    args: list[str | int] = ["one", "claim-id", 5, 50000, 0]
    first = await act.connection.run("claim", [act.keys.tag(0)], args)
    again = await act.connection.run("claim", [act.keys.tag(0)], args)
    assert len(first) == 2 + 2 * 4
    assert again[2:] == first[2:]
    assert (await act.ledger()).leased == 2


async def test_claiming_pauses_at_the_backlog(act: Act, clock: FakeClock) -> None:
    """With too many articles unread, nothing is claimed, and the claim says so."""
    await act.frontier.finish(await act.lease(), EVENT)
    await act.admit("http://b.example/")
    limits = FrontierLimits(lease_s=50, max_backlog=1)
    pausing = Frontier(act.connection, act.keys, worker="one", limits=limits, clock=clock)
    claim = await pausing.claim(5)
    assert claim.paused
    assert claim.leases == ()


async def test_extend_moves_the_end(act: Act) -> None:
    """An extended lease runs for its whole length again."""
    lease = await act.lease()
    await act.expire(lease)
    assert await act.frontier.extend([lease]) == set()
    assert await act.frontier.reap() == []


async def test_extend_names_the_lost(act: Act) -> None:
    """Extending a lease that was taken back says so, and does not revive it."""
    lease = await act.lease()
    await act.expire(lease)
    await act.frontier.reap()
    assert await act.frontier.extend([lease]) == {lease.key}
    assert await act.connection.command("ZCARD", act.keys.part(0, "leases")) == 0


async def test_reap_makes_suspects(act: Act) -> None:
    """A task whose worker vanished waits apart, with one more crash, and frees its host."""
    lease = await act.lease()
    await act.admit("http://a.example/2")
    await act.expire(lease)
    (reaped,) = await act.frontier.reap()
    assert (reaped.worker, reaped.task.crashes, reaped.task.attempt) == ("one", 1, 0)
    assert await act.frontier.suspects() == 1
    assert (await act.claimed()).task.url == "http://a.example/2"
    ledger = await act.ledger()
    assert (ledger.waiting, ledger.leased, ledger.traffic) == (1, 1, {"reaped": 1})


async def test_reap_is_bounded(act: Act) -> None:
    """One call takes back at most its limit."""
    await act.admit(*(f"http://h{n}.example/" for n in range(5)))
    for lease in (await act.frontier.claim(5)).leases:
        await act.expire(lease)
    assert [len(await act.frontier.reap(limit=3)) for _ in range(3)] == [3, 2, 0]


async def test_suspect_waits_for_its_host(act: Act) -> None:
    """A suspect, too, keeps its host's manners."""
    lease = await act.lease("http://a.example/1")
    await act.expire(lease)
    await act.frontier.reap()
    await act.admit("http://a.example/2")
    other = await act.claimed()
    assert await act.frontier.claim_suspect() is None
    await act.frontier.finish(other, EVENT)
    suspect = await act.frontier.claim_suspect()
    assert suspect is not None
    assert (suspect.task.url, suspect.suspect) == ("http://a.example/1", True)
    assert await act.frontier.suspects() == 0


async def test_lost_reply_of_a_suspect_claim(act: Act) -> None:
    """A suspect claim sent again answers with the lease that it already made."""
    await act.expire(await act.lease())
    await act.frontier.reap()
    first = await act.frontier.claim_suspect()
    assert first == await act.frontier.claim_suspect()
    assert (await act.ledger()).leased == 1


async def test_released_suspect_stays_one(act: Act) -> None:
    """A suspect given back at shutdown, or sent on to its next hop, still runs alone."""
    await act.expire(await act.lease())
    await act.frontier.reap()
    suspect = await act.frontier.claim_suspect()
    assert suspect is not None
    await act.frontier.release(suspect)
    assert await act.frontier.suspects() == 1
    suspect = await act.frontier.claim_suspect()
    assert suspect is not None
    await act.frontier.redirect(suspect, "http://b.example/", "b.example")
    assert await act.frontier.suspects() == 1


async def test_suspect_that_lives_is_cleared(act: Act) -> None:
    """A suspect that comes through alive, if only to be retried, is an ordinary task again."""
    await act.expire(await act.lease())
    await act.frontier.reap()
    suspect = await act.frontier.claim_suspect()
    assert suspect is not None
    await act.frontier.retry(suspect, delay_s=-1)
    assert (await act.claimed()).task.crashes == 0


async def test_all_partitions_are_claimed(act: Act, clock: FakeClock) -> None:
    """With several partitions, every host is reached, and the ledger sums over all of them."""
    act.keys = type(act.keys)(partitions=4)
    act.inbox._keys = act.keys
    act.frontier = Frontier(act.connection, act.keys, worker="one", limits=FrontierLimits(50), clock=clock)
    await act.admit(*(f"http://h{n}.example/" for n in range(20)))
    hosts: set[str] = set()
    for _ in range(4):
        hosts |= {lease.task.host for lease in (await act.frontier.claim(20)).leases}
    assert len(hosts) == 20
    assert (await act.ledger()).leased == 20


async def test_clock_set_back_stalls_nothing(act: Act) -> None:
    """When Redis' clock goes back by an hour, what was due stays due, and leases keep their length."""
    lease = await act.lease("http://a.example/1")
    await act.admit("http://b.example/1")
    for key in ("ready", "leases"):
        for member in await act.connection.command("ZRANGE", act.keys.part(0, key), 0, -1):
            await act.connection.command("ZINCRBY", act.keys.part(0, key), 3_600_000, member)
    # As a claim after the admission leaves it: workers claim once a second and more often.
    await act.connection.command("HSET", act.keys.part(0, "clock"), "last", await act.now_ms() + 3_600_000)
    assert (await act.claimed()).task.url == "http://b.example/1"
    assert await act.frontier.extend([lease]) == set()
    ends = await act.connection.command("ZSCORE", act.keys.part(0, "leases"), lease.token)
    assert abs(float(ends) - await act.now_ms() - 3_600_000 - 50_000) < 5_000


async def test_not_before_is_wall_time(act: Act) -> None:
    """A clock that was once set back does not delay a URL's own time."""
    await act.connection.command("HSET", act.keys.part(0, "clock"), "ahead", 3_600_000)
    await act.admit("http://a.example/", not_before_ms=await act.now_ms() + 60_000)
    claim = await act.frontier.claim(1)
    assert claim.next_due_s is not None
    assert 55 < claim.next_due_s <= 60


async def test_tokens_of_partitions_are_kept_apart(act: Act, clock: FakeClock) -> None:
    """Two leases may share a token in different partitions, and are lost or kept each for itself."""
    keys = type(act.keys)(partitions=2)
    act.keys = act.inbox._keys = keys
    act.frontier = Frontier(act.connection, keys, worker="one", limits=FrontierLimits(50), clock=clock)
    await act.admit(*(f"http://h{n}.example/" for n in range(8)))
    leases = [*(await act.frontier.claim(8)).leases, *(await act.frontier.claim(8)).leases]
    one, two = next(
        (a, b) for a in leases for b in leases if a.token == b.token and a.partition < b.partition
    )
    await act.expire(one)
    await act.frontier.reap()
    assert await act.frontier.extend([one, two]) == {one.key}


async def test_settled_token_is_not_lost(act: Act) -> None:
    """Extending a lease that was just settled does not call it lost: its worker is about to hear."""
    lease = await act.lease()
    await act.frontier.finish(lease, EVENT)
    assert await act.frontier.extend([lease]) == set()


async def test_careful_reaping_waits_after_a_jump(act: Act) -> None:
    """Nothing is taken back on the first look, nor after Redis' time has jumped by more than half a lease."""
    lease = await act.lease()
    await act.expire(lease)
    assert await act.frontier.reap_carefully() is None
    act.frontier._looked_ms[0] -= 26_000
    assert await act.frontier.reap_carefully() is None
    assert len(await act.frontier.reap_carefully() or []) == 1
