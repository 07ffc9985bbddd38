"""take, admit, reject, untake, beat, adopt: no item is lost, and none is admitted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.store.acting import EVENT, submission
from worker.store.inbox import Inbox

if TYPE_CHECKING:
    from tests.store.acting import Act


async def test_take_keeps_order_and_numbers(act: Act) -> None:
    """Items are taken in the inbox's order, each under a number of its own, and stay in the taken list."""
    await act.inbox.push(["a", b"b\x00\xff", "c d"])
    items = await act.inbox.take(2)
    assert [item.raw for item in items] == [b"a", b"b\x00\xff"]
    assert items[0].number < items[1].number
    assert await act.inbox.length() == 1


async def test_take_again_answers_what_is_held(act: Act) -> None:
    """What a take with a lost reply moved is found by the next one, which adds no more than its limit."""
    await act.inbox.push(["a", "b", "c"])
    first = await act.inbox.take(2)
    assert await act.inbox.take(2) == first
    assert len(await act.inbox.take(3)) == 3


async def test_take_stops_at_giants(act: Act) -> None:
    """A batch holds at most one item past the size bound."""
    await act.inbox.push([b"x" * 3_000_000] * 4)
    assert len(await act.inbox.take(100)) == 2


async def test_take_of_nothing(act: Act) -> None:
    """An empty inbox gives an empty batch and writes no key."""
    assert await act.inbox.take(10) == []
    assert len(await act.names()) == 2  # the frontier's policy, the number of partitions


async def test_admit_refuses_duplicates(act: Act) -> None:
    """A URL is accepted once; the second is refused and counted apart."""
    (first,) = await act.admit("http://a.example/")
    (second,) = await act.admit("http://a.example/")
    assert first.seq is not None
    assert second.seq is None
    ledger = await act.ledger()
    assert (ledger.accepted, ledger.waiting, ledger.reasons) == (1, 1, {"refused:duplicate": 1})


async def test_admit_is_idempotent_by_number(act: Act) -> None:
    """An item admitted twice under its number, forced or not, is one task and one refusal."""
    items = [
        (1, submission("http://a.example/")),
        (2, submission("http://a.example/")),
        (3, submission("http://a.example/", force=True)),
    ]
    first = await act.inbox.admit(items)
    assert await act.inbox.admit(items) == first
    ledger = await act.ledger()
    assert (ledger.accepted, ledger.refused) == (2, 1)


async def test_force_readmits_with_a_higher_revision(act: Act) -> None:
    """A forced URL is a new task, of the next revision."""
    await act.frontier.finish(await act.lease("http://a.example/"), EVENT)
    await act.admit("http://a.example/", force=True)
    assert (await act.claimed()).task.revision == 2


async def test_force_of_an_unknown_url(act: Act) -> None:
    """Forcing a URL that was never seen is its first revision."""
    await act.admit("http://a.example/", force=True)
    assert (await act.claimed()).task.revision == 1


async def test_dedupe_ends_with_its_days(act: Act) -> None:
    """A URL seen before the dedupe window is accepted again; the window's keys expire by themselves."""
    await act.admit("http://a.example/")
    (key,) = await act.names(act.keys.part(0, "seen:*"))
    assert 14 * 86_400 < await act.connection.command("TTL", key) <= 15 * 86_400
    await act.age_seen(7 * 86_400)
    (inside,) = await act.admit("http://a.example/")
    await act.age_seen(86_400)
    (outside,) = await act.admit("http://a.example/")
    assert (inside.seq, outside.seq is not None) == (None, True)


async def test_not_before_waits(act: Act) -> None:
    """A URL for later is not claimed before its time."""
    await act.admit("http://a.example/", not_before_ms=await act.now_ms() + 60_000)
    claim = await act.frontier.claim(1)
    assert claim.leases == ()
    assert claim.next_due_s is not None
    assert 55 < claim.next_due_s <= 60
    assert (await act.ledger()).waiting == 1


async def test_all_of_a_submission_survives(act: Act) -> None:
    """What the producer said comes back with the lease, untouched."""
    meta = {"a b": [1, "ü", None], "nested": {"x": 'quote " and space'}}
    await act.admit(
        "http://a.example/", requested_url="http://A.example?utm_x=1", id="id 7", meta=meta, priority="high"
    )
    task = (await act.claimed()).task
    assert (task.requested_url, task.id, task.meta, task.priority) == (
        "http://A.example?utm_x=1",
        "id 7",
        meta,
        "high",
    )
    assert task.accepted_ms <= await act.now_ms()


async def test_reject_buries_once(act: Act) -> None:
    """A malformed item is one dead letter, accepted and dead in the ledger, however often it is rejected."""
    await act.inbox.reject(7, EVENT)
    await act.inbox.reject(7, EVENT)
    ledger = await act.ledger()
    assert (ledger.accepted, ledger.dead, ledger.reasons) == (1, 1, {"dead:malformed": 1})
    assert await act.streams() == (0, 1)


async def test_untaken_numbers_are_forgotten(act: Act) -> None:
    """Once an item has left the taken list, Redis stops remembering its number at the next admission."""
    await act.inbox.push(["x", "y"])
    forgetful = Inbox(act.connection, act.keys, worker="one", forget_after_s=0)
    items = await forgetful.take(2)
    await forgetful.admit([(items[0].number, submission("http://a.example/"))])
    await forgetful.reject(items[1].number, EVENT)
    await forgetful.untake({item.number: 0 for item in items})
    assert await forgetful.take(2) == []
    await forgetful.admit([(99, submission("http://b.example/"))])
    remembered = await act.connection.command("ZRANGE", act.keys.part(0, "admitted"), 0, -1)
    assert remembered == [b"99"]


async def test_many_numbers_are_forgotten_by_and_by(act: Act) -> None:
    """After many URLs and a pause, each admission lets some go: all at once would hold Redis up."""
    forgetful = Inbox(act.connection, act.keys, worker="one", forget_after_s=0)
    admitted = act.keys.part(0, "admitted")
    for batch in range(30):
        await forgetful.push(["x"] * 100)
        numbers = [item.number for item in await forgetful.take(100)]
        await act.connection.command("ZADD", admitted, *(word for n in numbers for word in (batch, n)))
        await forgetful.untake(dict.fromkeys(numbers, 0))
    left = []
    for number in range(1, 5):
        await forgetful.admit([(number, submission("http://a.example/"))])
        left.append(await act.connection.command("ZCARD", admitted) - number)
    assert left == [2000, 1000, 0, 0]


async def test_silent_worker_is_adopted(act: Act) -> None:
    """What a killed worker had taken is admitted by another, once, though it was admitted before."""
    two = Inbox(act.connection, act.keys, worker="two")
    await two.beat(ttl_s=0)
    await two.push(["x", "y"])
    taken = await two.take(2)
    await two.admit([(taken[0].number, submission("http://a.example/"))])  # killed before it could untake

    assert await act.inbox.beat(ttl_s=60) == ["two"]
    assert await act.inbox.adopt("two", 10) == 2
    assert await act.inbox.take(2) == taken
    urls = [submission("http://a.example/"), submission("http://b.example/")]
    await act.inbox.admit([(item.number, url) for item, url in zip(taken, urls, strict=True)])
    ledger = await act.ledger()
    assert (ledger.accepted, ledger.refused) == (2, 0)
    assert await act.inbox.workers() == ["one"]


async def test_living_worker_is_not_adopted(act: Act) -> None:
    """A worker that beats again keeps what it took."""
    two = Inbox(act.connection, act.keys, worker="two")
    await two.push(["x"])
    await two.beat(ttl_s=60)
    await two.take(1)
    assert await act.inbox.beat(ttl_s=60) == []
    assert await act.inbox.adopt("two", 10) == 0


async def test_zombie_does_not_make_redis_forget(act: Act) -> None:
    """A worker whose items were adopted while it slept may not have their numbers forgotten."""
    two = Inbox(act.connection, act.keys, worker="two")
    await two.beat(ttl_s=0)
    await two.push(["x"])
    (item,) = await two.take(1)
    await two.admit([(item.number, submission("http://a.example/"))])
    await act.inbox.adopt("two", 10)
    await two.untake({item.number: 0})
    await two.admit([(999, submission("http://z.example/"))])
    await act.inbox.admit([(item.number, submission("http://a.example/"))])
    assert (await act.ledger()).refused == 0


async def test_strays_are_swept(act: Act) -> None:
    """Numbers left behind by a killed worker go once a million tasks have passed."""
    twice = submission("http://a.example/")
    await act.inbox.admit([(1001, twice), (1002, twice)])
    await act.connection.command("SET", act.keys.part(0, "seq"), 2_000_000)
    await act.admit("http://b.example/")
    await act.admit("http://b.example/")
    numbers = await act.connection.command("ZRANGE", act.keys.part(0, "admitted"), 0, -1)
    assert sorted(numbers) == [b"1", b"2"]


async def test_leave_signs_off(act: Act) -> None:
    """A worker that stopped in order is not waited for."""
    await act.inbox.beat(ttl_s=60)
    await act.inbox.leave()
    assert await act.inbox.workers() == []
    assert await act.inbox.taken() == 0


async def test_clock_set_back_keeps_no_dead_worker_alive(act: Act) -> None:
    """A worker whose end lies far ahead, since the clock went back, is given one ttl from now."""
    two = Inbox(act.connection, act.keys, worker="two")
    await two.beat(ttl_s=3_600)
    await act.inbox.beat(ttl_s=1)
    ends = await act.connection.command("ZSCORE", act.keys.workers, "two")
    assert float(ends) <= await act.now_ms() + 1_000


async def test_leaving_with_items_taken_leaves_a_trace(act: Act) -> None:
    """A worker that signs off while it holds items stays among the workers, and is adopted from."""
    await act.inbox.push(["x"])
    await act.inbox.beat(ttl_s=60)
    await act.inbox.take(1)
    await act.inbox.leave()
    assert await act.inbox.workers() == ["one"]


async def test_taking_signs_on_again(act: Act) -> None:
    """A worker that was given up while it slept stands among the workers again once it holds items."""
    await act.inbox.push(["x"])
    await act.inbox.take(1)
    assert await act.inbox.workers() == ["one"]


async def test_number_of_an_admitted_item_is_remembered_for_a_while(act: Act) -> None:
    """A worker that was stopped in the middle of an admission changes nothing when it goes on late."""
    items = [(1001, submission("http://a.example/", force=True))]
    await act.inbox.admit(items)
    await act.inbox.untake({1001: 0})
    await act.admit("http://b.example/")
    await Inbox(act.connection, act.keys, worker="zombie").admit(items)
    assert (await act.ledger()).accepted == 2
