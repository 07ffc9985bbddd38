"""finish, bury, requeue: each branch against a real server, stale tokens included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.model import Signal
from worker.store.hosts import HostPolicy
from worker.store.settling import Settled

if TYPE_CHECKING:
    from tests.store.acting import Act


async def test_finish_publishes_and_frees(act: Act) -> None:
    """Finishing writes the event, ends the lease and moves the ledger, all at once."""
    lease = await act.lease()
    assert await act.frontier.finish(lease, EVENT) is Settled.DONE
    assert await act.streams() == (1, 0)
    ledger = await act.ledger()
    assert (ledger.articles, ledger.leased, ledger.waiting) == (1, 0, 0)
    assert await act.connection.command("HLEN", act.keys.part(0, "leased")) == 0


async def test_finish_again_is_harmless(act: Act) -> None:
    """A finish whose reply was lost is repeated without a second event."""
    lease = await act.lease()
    await act.frontier.finish(lease, EVENT)
    assert await act.frontier.finish(lease, EVENT) is Settled.REPEATED
    assert await act.streams() == (1, 0)
    assert (await act.ledger()).articles == 1


async def test_stale_lease_cannot_publish(act: Act) -> None:
    """A worker that lost its lease writes no event."""
    lease = await act.lease()
    await act.expire(lease)
    await act.frontier.reap()
    assert await act.frontier.finish(lease, EVENT) is Settled.LOST
    assert await act.streams() == (0, 0)
    assert (await act.ledger()).waiting == 1


async def test_stale_lease_cannot_bury_retry_redirect_or_release(act: Act) -> None:
    """No way of ending a lost lease changes anything."""
    lease = await act.lease()
    await act.expire(lease)
    await act.frontier.reap()
    before = await act.ledger()
    assert await act.frontier.bury(lease, "dns", EVENT) is Settled.LOST
    assert await act.frontier.retry(lease, delay_s=1) is Settled.LOST
    assert await act.frontier.redirect(lease, "http://b.example/", "b.example") is Settled.LOST
    assert await act.frontier.release(lease) is Settled.LOST
    assert await act.ledger() == before
    assert await act.streams() == (0, 0)


async def test_expired_lease_that_nobody_reaped_still_finishes(act: Act) -> None:
    """Until it is taken back, a lease belongs to its worker, late or not."""
    lease = await act.lease()
    await act.expire(lease)
    assert await act.frontier.finish(lease, EVENT) is Settled.DONE


async def test_unchanged_counts_apart(act: Act) -> None:
    """A page that did not change is an end of its own in the ledger."""
    await act.frontier.finish(await act.lease(), EVENT)
    await act.admit("http://a.example/1", force=True)
    await act.frontier.finish(await act.claimed(), EVENT, end="unchanged")
    ledger = await act.ledger()
    assert (ledger.unchanged, ledger.articles) == (1, 1)


async def test_bury_counts_the_reason(act: Act) -> None:
    """A dead letter is counted, and its reason too; a second call adds nothing."""
    lease = await act.lease()
    assert await act.frontier.bury(lease, "http_404", EVENT) is Settled.DONE
    assert await act.frontier.bury(lease, "http_404", EVENT) is Settled.REPEATED
    ledger = await act.ledger()
    assert (ledger.dead, ledger.reasons) == (1, {"dead:http_404": 1})
    assert await act.streams() == (0, 1)


async def test_retry_waits_its_delay(act: Act) -> None:
    """A task to be retried is not claimed before its time, and then with one more attempt."""
    lease = await act.lease()
    assert await act.frontier.retry(lease, delay_s=30) is Settled.DONE
    claim = await act.frontier.claim(1)
    assert claim.leases == ()
    assert claim.next_due_s is not None
    assert 25 < claim.next_due_s <= 30
    (entry,) = await act.connection.command("ZRANGE", act.keys.part(0, "later"), 0, -1)
    await act.connection.command("ZADD", act.keys.part(0, "later"), 1, entry)
    again = await act.claimed()
    assert (again.task.attempt, again.task.url) == (1, lease.task.url)
    assert again.token != lease.token
    assert (await act.ledger()).traffic == {"retried": 1}


async def test_retry_repeated_schedules_once(act: Act) -> None:
    """A retry whose reply was lost does not make two tasks of one."""
    lease = await act.lease()
    await act.frontier.retry(lease, delay_s=30)
    assert await act.frontier.retry(lease, delay_s=30) is Settled.REPEATED
    assert await act.connection.command("ZCARD", act.keys.part(0, "later")) == 1
    assert (await act.ledger()).waiting == 1


async def test_redirect_waits_under_the_other_host(act: Act) -> None:
    """The next hop is claimed as a URL of the host it leads to, and remembers where it came from."""
    lease = await act.lease("http://a.example/1")
    await act.frontier.redirect(lease, "http://b.example/2", "b.example")
    hop = await act.claimed()
    assert hop.task.host == "b.example"
    assert hop.task.target == "http://b.example/2"
    assert hop.task.url == "http://a.example/1"
    assert hop.task.attempt == 0


async def test_cookies_travel_with_the_chain(act: Act) -> None:
    """Each hop's cookies wait with the task, as the server wrote them, with the URL that set them."""
    lease = await act.lease("http://a.example/1")
    cookies = ['a="1 2"; Path=/', "b=\u00fc"]
    await act.frontier.redirect(lease, "http://b.example/2", "b.example", cookies)
    await act.frontier.redirect(await act.claimed(), "http://c.example/3", "c.example", ["c=3"])
    assert (await act.claimed()).task.cookies == (
        ("http://a.example/1", 'a="1 2"; Path=/'),
        ("http://a.example/1", "b=\u00fc"),
        ("http://b.example/2", "c=3"),
    )


async def test_retry_after_redirect_starts_over(act: Act) -> None:
    """A task that failed on a hop is retried from its own URL, under its own host, without cookies."""
    lease = await act.lease("http://a.example/1")
    await act.frontier.redirect(lease, "http://b.example/2", "b.example", ["a=1"])
    await act.frontier.retry(await act.claimed(), delay_s=-1)
    again = (await act.claimed()).task
    assert (again.host, again.target, again.redirects, again.cookies) == (
        "a.example",
        "http://a.example/1",
        (),
        (),
    )


async def test_release_gives_back_uncounted_and_first(act: Act) -> None:
    """A task given back is the next of its host, and no attempt is counted."""
    first = await act.lease("http://a.example/1")
    await act.admit("http://a.example/2")
    assert await act.frontier.release(first) is Settled.DONE
    again = await act.claimed()
    assert again.task == first.task


@pytest.mark.parametrize("spacing_s", [0.0, 5.0])
async def test_spacing_counts_from_the_end(act: Act, spacing_s: float) -> None:
    """With one slot, a host's next request waits the spacing from when the last one ended."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=spacing_s))
    lease = await act.lease()
    await act.admit("http://a.example/2")
    before = await act.now_ms()
    await act.frontier.finish(lease, EVENT)
    at = int(await act.connection.command("ZSCORE", act.keys.part(0, "ready"), "a.example"))
    assert at >= before + spacing_s * 1000
    assert at <= await act.now_ms() + spacing_s * 1000


async def test_hold_keeps_the_host_quiet(act: Act) -> None:
    """A host that asked for a pause is left alone for it, though it has URLs waiting."""
    lease = await act.lease()
    await act.admit("http://a.example/2", "http://b.example/1")
    await act.frontier.retry(lease, delay_s=20, signal=Signal("throttled", hold_s=20))
    claim = await act.frontier.claim(9)
    assert [lease.task.host for lease in claim.leases] == ["b.example"]


async def test_a_late_answer_frees_no_second_slot(act: Act) -> None:
    """A settled lease gives its slot back once."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=0, slots=2))
    await act.admit("http://a.example/1", "http://a.example/2")
    one, _two = await act.claimed(), await act.claimed()
    await act.frontier.finish(one, EVENT)
    await act.frontier.finish(one, EVENT)
    assert (await act.host())["busy"] == 1


async def test_confirmed_tokens_are_forgotten(act: Act) -> None:
    """Redis remembers a settled token only until its worker has heard the answer."""
    one = await act.lease("http://a.example/1")
    await act.frontier.finish(one, EVENT)
    two = await act.lease("http://b.example/1")
    await act.frontier.finish(two, EVENT)
    settled = await act.connection.command("ZRANGE", act.keys.part(0, "settled"), 0, -1)
    assert [int(token) for token in settled] == [two.token]


async def test_idle_host_leaves_no_key(act: Act) -> None:
    """The state of a host that nobody uses any more goes away by itself."""
    await act.frontier.finish(await act.lease(), EVENT)
    ttl_ms = await act.connection.command("PTTL", act.keys.part(0, "host:a.example"))
    assert ttl_ms <= 5
