"""What is done with a lease: each verdict acted on once, and told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.errors import FetchFailed
from worker.model import Redirect
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from tests.runtime.conftest import Bench


async def test_article_is_published_and_told(bench: Bench) -> None:
    """A page becomes one event, one log line and one count."""
    await bench.work.run(await bench.lease())
    assert await bench.lengths() == (1, 0)
    assert bench.events()[-2:] == ["page_fetched", "article_published"]
    assert bench.stats.total("published") == 1


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


async def test_throttled_host_is_held_and_told(bench: Bench) -> None:
    """A 429 holds the whole host back for as long as it asked."""
    bench.web.answer = FetchFailed("http_429", status=429, retry_after_s=40)
    await bench.work.run(await bench.lease())
    assert "host_penalised" in bench.events()
    hold_ms = await bench.connection.command("PTTL", bench.keys.part(0, "host:a.example"))
    assert hold_ms > 35_000


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
