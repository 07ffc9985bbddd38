"""What is done with a lease: each verdict acted on once, and told."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from worker.errors import FetchFailed, StoreUnusable
from worker.model import Record, Redirect, Signal, Submission
from worker.store.hosts import HostPolicy
from worker.store.ledger import read_ledger
from worker.store.lines import decode
from worker.telemetry.log import get_logger
from worker.verdict import Learnt, Postponed

if TYPE_CHECKING:
    from tests.runtime.conftest import Bench


async def test_article_is_published_and_told(bench: Bench) -> None:
    """A page becomes one event, one log line and one count."""
    await bench.work.run(await bench.lease())
    assert await bench.lengths() == (1, 0)
    assert bench.events()[-2:] == ["page_fetched", "article_published"]
    assert bench.stats.total("published") == 1


async def test_refusal_by_redis_is_no_fault_of_a_page(bench: Bench) -> None:
    """What asks for robots.txt may meet it as well: the worker ends, and no URL is tried again for it."""
    lease = await bench.lease()
    bench.web.answer = StoreUnusable("forbidden")
    with pytest.raises(StoreUnusable):
        await bench.work.run(lease)
    assert "internal_error" not in bench.events()
    assert (await read_ledger(bench.connection, bench.keys)).leased == 1


async def test_lost_lease_is_told_and_nothing_else(bench: Bench) -> None:
    """A worker whose lease was taken back publishes nothing, counts nothing, and says so."""
    lease = await bench.lease()
    await bench.expire(lease)
    await bench.work.run(lease)
    assert await bench.lengths() == (0, 0)
    assert bench.events()[-1] == "lease_lost"
    assert bench.stats.total("published") == 0


async def test_lease_past_its_end_makes_no_request(bench: Bench) -> None:
    """A process that slept past its lease does not even ask the host; what is still its own it gives back."""
    lease = replace(await bench.lease(), expires_monotonic=0.0)
    await bench.work.run(lease)
    ledger = await read_ledger(bench.connection, bench.keys)
    assert (bench.events(), ledger.waiting, ledger.leased) == ([], 1, 0)
    await bench.work.run(lease)
    again = replace((await bench.frontier.claim(1)).leases[0], expires_monotonic=0.0)
    await bench.expire(again)
    await bench.work.run(again)
    assert bench.events() == ["lease_lost"]


async def test_lease_that_ends_while_redis_is_slow_makes_no_request(bench: Bench) -> None:
    """It was ours when the work began, and is not any more when what Redis knows of the article is here."""
    lease = await bench.lease("http://a.example/slow")
    lease = replace(lease, task=replace(lease.task, revision=2), expires_monotonic=time.monotonic() + 0.1)
    await bench.connection.command("CLIENT", "PAUSE", 200, "ALL")
    await bench.work.run(lease)
    assert bench.events() == []
    assert (await read_ledger(bench.connection, bench.keys)).waiting == 1


async def test_failure_is_scheduled_again_then_buried(bench: Bench) -> None:
    """A passing failure waits for its next attempt, and the last one is a dead letter."""
    bench.web.answer = FetchFailed("timeout", "no answer in 30 s")
    lease = await bench.lease()
    await bench.work.run(lease)
    assert bench.events()[-2:] == ["fetch_failed", "retry_scheduled"]
    again = await bench.lease("http://b.example/")
    await bench.work.run(replace(again, task=replace(again.task, attempt=2)))
    assert bench.events()[-2:] == ["fetch_failed", "url_buried"]
    assert await bench.lengths() == (0, 1)
    ledger = await read_ledger(bench.connection, bench.keys)
    assert (ledger.waiting, ledger.dead, ledger.balanced) == (1, 1, True)


async def test_failure_tells_how_long_the_host_took(bench: Bench) -> None:
    """A timeout's line has its duration, by which a host that never answers is seen to be slow."""
    bench.web.answer = FetchFailed("timeout", "no answer in 30 s")
    bench.web.answer.took_s = 30.0
    await bench.work.run(await bench.lease())
    (line,) = [line for line in bench.lines() if line["event"] == "fetch_failed"]
    assert line["duration_ms"] == 30_000


async def test_throttled_host_is_held_and_told(bench: Bench) -> None:
    """A 429 holds the whole host back for as long as it asked."""
    bench.web.answer = FetchFailed("http_429", status=429, retry_after_s=40)
    await bench.work.run(await bench.lease())
    assert "host_penalised" in bench.events()
    hold_ms = await bench.connection.command("PTTL", bench.keys.part(0, "host:a.example"))
    assert hold_ms > 35_000


async def test_breaker_is_told_as_it_moves(bench: Bench) -> None:
    """An open host, its probe and its recovery are log events, each once."""
    await bench.frontier.hosts.configure(HostPolicy(spacing_s=0, breaker_failures=2))
    bench.web.answer = FetchFailed("connect", "refused")
    for number in range(2):
        await bench.work.run(await bench.lease(f"http://a.example/{number}"))
    (opened,) = [line for line in bench.lines() if line["event"] == "host_opened"]
    assert (opened["host"], opened["reason"], opened["hold_s"]) == ("a.example", "connect", 60.0)
    bench.web.answer = None
    await bench.inbox.admit([(99, Submission("http://a.example/9", "a.example", "http://a.example/9"))])
    await bench.connection.command("HSET", bench.keys.part(0, "host:a.example"), "at", 1)
    await bench.connection.command("ZADD", bench.keys.part(0, "ready"), 1, "a.example")
    (probe,) = (await bench.frontier.claim(1)).leases
    await bench.work.run(probe)
    events = [event for event in bench.events() if event.startswith("host_")]
    assert events == ["host_opened", "host_half_open", "host_closed"]


async def test_a_neighbour_without_crawl_delay_drops_none(bench: Bench) -> None:
    """Where hosts count as their domain, only the domain's own robots.txt may end a Crawl-delay."""
    await bench.frontier.hosts.slow_down("a.example", 7)
    leases = [await bench.lease(url) for url in ("http://www.a.example/", "http://a.example/")]
    for lease, kept in zip(leases, (b"7000", None), strict=True):
        moved = replace(lease, task=replace(lease.task, host="a.example"))
        await bench.work._learnt(moved, Learnt(None, Signal("ok")))
        assert await bench.connection.command("HGET", bench.keys.part(0, "crawl_delay"), "a.example") == kept


async def test_request_for_robots_tells_of_the_host_as_it_went(bench: Bench) -> None:
    """One that fails counts as a failure, and who waited for another worker's tells nothing."""
    await bench.frontier.hosts.configure(HostPolicy(spacing_s=0, breaker_failures=1))
    host = bench.keys.part(0, "host:a.example")
    for signal, opened in ((Signal(), None), (Signal("failed", 0.1, reason="timeout"), b"1")):
        lease = await bench.lease(f"http://a.example/{signal.sign}")
        await bench.work._settle(lease, Learnt(None, signal), Record(), get_logger())
        assert await bench.connection.command("HGET", host, "opened") == opened
        assert bench.stats.total("robots_fetched") == (signal.sign != "none")
        # Its line waits first of its host, before the next one.
        await bench.connection.command("DEL", bench.keys.part(0, "wait:a.example"))


async def test_postponed_task_waits_without_a_place(bench: Bench) -> None:
    """It is not leased again before its time, and no attempt is counted."""
    lease = await bench.lease()
    await bench.work._settle(lease, Postponed(5.0), Record(), get_logger())
    claim = await bench.frontier.claim(1)
    assert claim.leases == ()
    assert claim.next_due_s == pytest.approx(5, abs=1)
    (entry,) = await bench.connection.command("ZRANGE", bench.keys.part(0, "later"), 0, -1)
    assert decode(entry.split(b" ", 1)[1], "a.example").attempt == 0


async def test_redirect_waits_for_its_host(bench: Bench) -> None:
    """A redirect goes back to the frontier, and the next lease is the hop's."""
    lease = await bench.lease()
    bench.web.answer = Redirect(lease.task.url, 301, "http://b.example/2")
    await bench.work.run(lease)
    (hop,) = (await bench.frontier.claim(1)).leases
    assert (hop.task.host, hop.task.target) == ("b.example", "http://b.example/2")
    assert bench.events()[-1] == "redirect_followed"


async def test_fault_of_our_own_is_told_with_its_traceback(bench: Bench) -> None:
    """A bug loses no URL: it is logged whole, and the URL tried again."""
    bench.web.answer = ZeroDivisionError("a bug")
    await bench.work.run(await bench.lease())
    (line,) = [line for line in bench.lines() if line["event"] == "internal_error"]
    assert "ZeroDivisionError: a bug" in line["traceback"]
    assert (await read_ledger(bench.connection, bench.keys)).waiting == 1


async def test_task_that_crashed_too_often_is_poison(bench: Bench) -> None:
    """A task whose workers vanished as often as allowed is buried without another try."""
    lease = await bench.lease()
    await bench.work.run(replace(lease, task=replace(lease.task, crashes=2)))
    assert await bench.lengths() == (0, 1)
    assert (await read_ledger(bench.connection, bench.keys)).reasons == {"dead:poison": 1}
    assert "fetch_started" not in bench.events()


async def test_cookies_live_for_one_chain(bench: Bench) -> None:
    """What a hop sets is sent with the chain's next requests, from Redis too, and with no other URL's."""
    login, page = "http://login.a.example/login", "http://b.example/page"
    lease = await bench.lease(page)
    bench.web.answer = Redirect(page, 302, login)
    await bench.work.run(lease)
    bench.web.answer = Redirect(login, 302, page + "?in", set_cookies=("session=1; Domain=a.example",))
    await bench.work.run((await bench.frontier.claim(1)).leases[0])
    bench.web.answer = None
    await bench.work.run((await bench.frontier.claim(1)).leases[0])
    await bench.work.run(await bench.lease(login))
    assert bench.web.cookies == [(), (), ((login, "session=1; Domain=a.example"),), ()]
    assert await bench.lengths() == (2, 0)
