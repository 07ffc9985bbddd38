"""Visits and revisions: what finish keeps, what recall and admit make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.model import Record, Validators, Visit
from worker.store.settling import Settled
from worker.urls import article_id

if TYPE_CHECKING:
    from tests.store.acting import Act
    from worker.model import Lease

URL = "http://a.example/1"
VISIT = Visit(1, URL, Validators('"abc"', "Thu, 01 Jan 2026 00:00:00 GMT"), "p" * 96)


def visit_key(act: Act, url: str = URL) -> str:
    return act.keys.part(0, f"visit:{article_id(url)}")


async def again(act: Act) -> Lease:
    """The URL, forced in and claimed."""
    await act.admit(URL, force=True)
    return await act.claimed()


async def age(act: Act, age_s: float) -> None:
    """Let everything that is known of visits be so much older."""
    await act.age_seen(age_s)
    if kept := await act.connection.command("GET", visit_key(act)):
        then, rest = await act.now_ms() - int(age_s * 1000), kept.split(b" ", 1)[1].decode()
        await act.connection.command("SET", visit_key(act), f"{then} {rest}", "KEEPTTL")


async def test_the_visit_is_kept_with_the_event(act: Act) -> None:
    """What finish was given is recalled by the next visit, and its key ends by itself."""
    lease = await act.lease(URL)
    assert await act.frontier.visits.recall(lease) == Record(0, None)
    assert await act.frontier.finish(lease, EVENT, visit=VISIT) is Settled.DONE
    assert await act.frontier.visits.recall(lease) == Record(1, VISIT)
    ttl_s = await act.connection.command("TTL", visit_key(act))
    assert 29 * 86_400 < ttl_s <= 30 * 86_400
    at_ms = int((await act.connection.command("GET", visit_key(act))).split()[0])
    assert abs(at_ms - await act.now_ms()) < 10_000


@pytest.mark.parametrize("etag", ["", "x" * 513, '"ä"', '"\udc80"', '"a\x7f"'])
async def test_validators_that_cannot_be_sent_back_are_not_kept(act: Act, etag: str) -> None:
    """A validator that is empty, endless or not printable ASCII is left out."""
    lease = await act.lease(URL)
    await act.frontier.finish(lease, EVENT, visit=replace(VISIT, validators=Validators(etag, None)))
    assert (await act.frontier.visits.recall(lease)).visit == replace(VISIT, validators=Validators())


async def test_a_first_visit_is_known_by_its_task(act: Act) -> None:
    """The line says whether an event was published before: only then must the record be asked for."""
    first = await act.lease(URL)
    await act.frontier.finish(first, EVENT, visit=VISIT)
    assert (first.task.revision, (await again(act)).task.revision) == (1, 2)


async def test_repeated_finish_moves_nothing(act: Act) -> None:
    """A finish whose reply was lost is repeated without a second event, revision or visit."""
    lease = await act.lease(URL)
    await act.frontier.finish(lease, EVENT, visit=VISIT)
    before = await act.connection.command("GET", visit_key(act))
    later = replace(VISIT, revision=2, prints="q")
    assert await act.frontier.finish(lease, EVENT, visit=later) is Settled.REPEATED
    assert await act.connection.command("GET", visit_key(act)) == before
    assert await act.frontier.visits.recall(lease) == Record(1, VISIT)


async def test_lost_lease_keeps_no_visit(act: Act) -> None:
    """A worker that lost its lease moves neither the revision nor the visit."""
    lease = await act.lease(URL)
    await act.expire(lease)
    await act.frontier.reap()
    assert await act.frontier.finish(lease, EVENT, visit=VISIT) is Settled.LOST
    assert await act.frontier.visits.recall(lease) == Record(0, None)


async def test_unchanged_keeps_the_revision_and_renews_the_visit(act: Act) -> None:
    """An unchanged article is an event and an end of its own; its next event has the next revision."""
    await act.frontier.finish(await act.lease(URL), EVENT, visit=VISIT)
    await act.connection.command("PEXPIRE", visit_key(act), 60_000)
    lease, renewed = await again(act), replace(VISIT, validators=Validators('"new"', None))
    assert await act.frontier.finish(lease, EVENT, end="unchanged", visit=renewed) is Settled.DONE
    assert await act.frontier.visits.recall(lease) == Record(1, renewed)
    assert await act.connection.command("PTTL", visit_key(act)) > 60_000
    assert (await again(act)).task.revision == 2
    assert await act.streams() == (2, 0)
    ledger = await act.ledger()
    assert (ledger.articles, ledger.unchanged) == (1, 1)


async def test_the_later_of_two_tasks_is_told(act: Act) -> None:
    """Of two tasks of a URL, the later one writes nothing under a taken revision, and keeps its lease."""
    first = await act.lease(URL)
    await act.frontier.finish(first, EVENT, visit=VISIT)
    one = await again(act)
    await act.frontier.finish(one, EVENT, visit=replace(VISIT, revision=2))
    two = await again(act)
    for end, revision in (("articles", 1), ("articles", 2), ("unchanged", 1)):
        stale = replace(VISIT, revision=revision)
        settled = await act.frontier.finish(two, EVENT, end=end, visit=stale)  # type: ignore[arg-type]
        assert settled is Settled.OUTDATED
    assert await act.streams() == (2, 0)
    assert (await act.ledger()).leased == 1
    third = replace(VISIT, revision=3)
    assert await act.frontier.finish(two, EVENT, visit=third) is Settled.DONE
    assert await act.frontier.finish(two, EVENT, visit=third) is Settled.REPEATED
    assert await act.frontier.visits.recall(two) == Record(3, third)


async def test_an_expired_visit_leaves_the_revision(act: Act) -> None:
    """When the visit has expired and its URL is no duplicate any more, the next revision is the next one."""
    await act.frontier.finish(await act.lease(URL), EVENT, visit=VISIT)
    await act.connection.command("DEL", visit_key(act), act.keys.articles())
    for key in await act.names(act.keys.part(0, "seen:*")):
        await act.connection.command("DEL", key)
    await act.admit(URL)
    lease = await act.claimed()
    assert (lease.task.revision, await act.frontier.visits.recall(lease)) == (2, Record(1, None))


async def test_revisions_share_their_keys(act: Act) -> None:
    """A revision for good costs Redis some bytes, not a key."""
    urls = [f"http://a.example/{n}" for n in range(300)]
    for url in urls:
        await act.frontier.finish(await act.lease(url), EVENT)
    keys = await act.names(act.keys.part(0, "revisions:*"))
    assert sum([await act.connection.command("HLEN", key) for key in keys]) == len(urls)
    assert await act.connection.command("OBJECT", "ENCODING", keys[0]) in {b"listpack", b"ziplist"}


async def test_recrawl_after_takes_what_was_visited_long_ago(act: Act) -> None:
    """A URL seen before is taken again once its last visit is so long ago, and is a duplicate until then."""
    await act.frontier.finish(await act.lease(URL), EVENT, visit=VISIT)
    await age(act, 1000)
    (early,) = await act.admit(URL, recrawl_after_s=1100.0)
    (due,) = await act.admit(URL, recrawl_after_s=1000.0)
    assert (early.seq, due.seq is not None) == (None, True)
    assert (await act.claimed()).task.revision == 2
    assert (await act.ledger()).reasons == {"refused:duplicate": 1}


async def test_recrawl_after_counts_from_the_acceptance(act: Act) -> None:
    """A URL that was just accepted again is a duplicate, however old its last article is."""
    await act.frontier.finish(await act.lease(URL), EVENT, visit=VISIT)
    await age(act, 1000)
    await act.admit(URL, recrawl_after_s=500.0)
    (second,) = await act.admit(URL, recrawl_after_s=500.0)
    assert second.seq is None


async def test_recrawl_after_counts_from_a_burial(act: Act) -> None:
    """A URL that waited long and has just been buried was just visited."""
    lease = await act.lease(URL)
    await age(act, 1000)
    await act.frontier.bury(lease, "http_404", EVENT)
    (second,) = await act.admit(URL, recrawl_after_s=500.0)
    assert second.seq is None


async def test_recrawl_after_outlasts_the_days_of_duplicates(act: Act) -> None:
    """Asked not to visit again before 20 days, nobody does after 10, though INGEST_SEEN_DAYS are over."""
    await act.frontier.finish(await act.lease(URL), EVENT, visit=VISIT)
    await age(act, 10 * 86_400)
    (early,) = await act.admit(URL, recrawl_after_s=20 * 86_400.0)
    (plain,) = await act.admit(URL)
    assert (early.seq, plain.seq is not None) == (None, True)


@pytest.mark.parametrize(
    "wish", [{"force": True}, {"recrawl_after_s": 0.0}, {"force": True, "recrawl_after_s": 9e9}]
)
async def test_force_takes_a_url_at_any_time(act: Act, wish: dict[str, object]) -> None:
    """Forced, or to be visited again after no time at all, a URL is never a duplicate."""
    await act.admit(URL)
    (second,) = await act.admit(URL, **wish)
    assert second.seq is not None


async def test_recrawl_after_an_eternity_takes_what_was_never_seen(act: Act) -> None:
    """A new URL is taken, whatever is said of recrawling."""
    (first,) = await act.admit(URL, recrawl_after_s=253_402_300_799.0)
    assert first.seq is not None
