"""How old a URL is at its end: what it waited for workers, and not for its own time nor for an operator."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.events.envelope import dead_event
from worker.model import Submission
from worker.store.dead_letters import DeadLetters

if TYPE_CHECKING:
    from tests.runtime.conftest import Bench

MINUTE_MS, DAY_MS = 60_000, 86_400_000


def now_ms() -> int:
    return int(time.time() * 1000)


async def test_a_retried_dead_letter_is_as_old_as_its_retry(bench: Bench) -> None:
    """A URL that an operator puts back to work after a day has not waited for a day."""
    lease = await bench.lease()
    task = replace(lease.task, accepted_ms=now_ms() - DAY_MS)
    event = dead_event(task, "dns", "", partition=0, namespace="ingest", now=datetime.now(UTC))
    await bench.frontier.bury(lease, "dns", event)
    letters = DeadLetters(bench.connection, bench.keys)
    (letter,) = await letters.latest(1)
    await letters.retry(letter)
    (again,) = (await bench.frontier.claim(1)).leases
    assert again.task.accepted_ms // 1000 == task.accepted_ms // 1000, "the event tells when it was accepted"
    await bench.work.run(again)
    assert bench.lines()[-1]["event"] == "article_published"
    assert bench.lines()[-1]["age_ms"] < MINUTE_MS


async def test_a_url_for_later_is_as_old_as_its_time(bench: Bench) -> None:
    """`not_before` is the producer's own wish: it is kept with the task, and age counts from there."""
    due_ms = now_ms() + 50
    url = "http://a.example/1"
    await bench.inbox.admit([(1, Submission(url, "a.example", url, not_before_ms=due_ms))])
    claim = await bench.frontier.claim(1)
    while not claim.leases:
        claim = await bench.frontier.claim(1)
    (lease,) = claim.leases
    assert lease.task.due_ms == due_ms
    await bench.work.run(replace(lease, task=replace(lease.task, accepted_ms=now_ms() - DAY_MS)))
    assert bench.lines()[-1]["event"] == "article_published"
    assert bench.lines()[-1]["age_ms"] < MINUTE_MS
