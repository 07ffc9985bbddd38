"""The script that publishes what was read anew from an archive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.model import Validators, Visit
from worker.store.keys import Keys
from worker.store.ledger import read_ledger
from worker.store.reprocessing import Reissue, Reprocessing
from worker.store.settling import Settled

if TYPE_CHECKING:
    from tests.store.acting import Act
    from worker.store.connection import Connection

URL, HOST = "http://a.example/1", "a.example"
VISIT = Visit(1, URL, Validators('"e"'), "prints00", "0b5e7c1e", 1_700_000_000_000)


@pytest.fixture
def store(connection: Connection, keys: Keys) -> Reprocessing:
    """Without a bound on the stream."""
    return Reprocessing(connection, keys, visit_days=30, max_backlog=0)


async def test_event_revision_and_visit_are_one_step(store: Reprocessing, act: Act) -> None:
    """What is published is known, with the record and the instant of its page; only its own counter moves."""
    assert await store.publish(URL, HOST, EVENT, VISIT) is Reissue.DONE
    known = await store.known(URL, HOST)
    assert (known.record.revision, known.record.visit, known.as_of_ms) == (1, VISIT, VISIT.fetched_ms)
    ledger = await read_ledger(act.connection, act.keys)
    assert (ledger.balanced, ledger.accepted, ledger.articles) == (True, 0, 0)
    assert ledger.traffic == {"reprocessed": 1}
    assert await act.connection.command("XLEN", act.keys.articles()) == 1


async def test_a_repeated_call_changes_nothing(store: Reprocessing, act: Act) -> None:
    """A reply that was lost may be asked for again; another record of the same revision comes too late."""
    await store.publish(URL, HOST, EVENT, VISIT)
    assert await store.publish(URL, HOST, EVENT, VISIT) is Reissue.REPEATED
    assert await store.publish(URL, HOST, EVENT, replace(VISIT, record="other")) is Reissue.OUTDATED
    assert await act.connection.command("XLEN", act.keys.articles()) == 1
    assert (await read_ledger(act.connection, act.keys)).traffic == {"reprocessed": 1}


async def test_a_worker_in_between_comes_first(store: Reprocessing, act: Act) -> None:
    """What a worker has published meanwhile is to be compared with; and a worker hears of ours likewise."""
    lease = await act.lease(URL)
    assert await store.publish(URL, HOST, EVENT, VISIT) is Reissue.DONE
    live = Visit(1, URL, Validators(), "prints11")
    assert await act.frontier.finish(lease, EVENT, visit=live) is Settled.OUTDATED
    assert await act.frontier.finish(lease, EVENT, visit=replace(live, revision=2)) is Settled.DONE
    assert await store.publish(URL, HOST, EVENT, replace(VISIT, revision=2)) is Reissue.OUTDATED
    known = await store.known(URL, HOST)
    assert known.record.visit == replace(live, revision=2)
    assert known.as_of_ms > VISIT.fetched_ms


async def test_a_full_stream_waits_for_its_consumers(connection: Connection, keys: Keys) -> None:
    """At the backlog's limit nothing is written, as a worker claims nothing."""
    store = Reprocessing(connection, keys, visit_days=30, max_backlog=1)
    assert await store.publish(URL, HOST, EVENT, VISIT) is Reissue.DONE
    other = "http://a.example/2"
    assert await store.publish(other, HOST, EVENT, VISIT) is Reissue.FULL
    assert (await store.known(other, HOST)).record.revision == 0
    assert await store.publish(URL, HOST, EVENT, VISIT) is Reissue.REPEATED  # it need not wait
    await connection.command("XTRIM", keys.articles(), "MAXLEN", 0)
    assert await store.publish(other, HOST, EVENT, VISIT) is Reissue.DONE


async def test_partitions_are_those_of_the_host(connection: Connection) -> None:
    """An article's revision is where its host's tasks find it."""
    keys = Keys(partitions=8)
    store = Reprocessing(connection, keys, visit_days=30, max_backlog=0)
    await store.publish(URL, HOST, EVENT, VISIT)
    partition = store.partition(HOST)
    assert await connection.command("XLEN", keys.articles(partition)) == 1
    assert await connection.command("HGET", keys.ledger(partition), "reprocessed") == b"1"
