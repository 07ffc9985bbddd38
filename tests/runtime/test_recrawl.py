"""Articles visited again, from a publisher on a loopback port to the streams in Redis."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT
from tests.runtime.conftest import InProcess
from tests.runtime.publisher import Publisher
from worker.clock import SystemClock
from worker.fetch.session import Fetcher
from worker.model import Submission
from worker.pipeline import Pipeline
from worker.retry import RetryPolicy
from worker.runtime.work import Work
from worker.store.hosts import HostPolicy
from worker.store.ledger import read_ledger
from worker.urls import article_id, host_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.runtime.conftest import Bench
    from tests.servers import RedisServer
    from worker.model import Lease

_AT_ONCE = HostPolicy(spacing_s=0, delay_factor=0)
PUBLISHED, UNCHANGED = "article.published.v1", "article.unchanged.v1"


@dataclass
class Crawl:
    """A worker, and the publisher that it visits again and again."""

    bench: Bench
    publisher: Publisher
    work: Work
    number: int = 0

    async def admit(self, path: str) -> None:
        """Force the URL in."""
        url = self.publisher.url(path)
        self.number += 1
        await self.bench.inbox.admit([(self.number, Submission(url, host_key(url), url, force=True))])

    async def claim(self) -> Lease:
        """Claim a URL; the test fails when there is none."""
        (lease,) = (await self.bench.frontier.claim(1)).leases
        return lease

    async def visit(self, path: str) -> tuple[str, dict[str, Any]]:
        """Force the URL in and work until it has ended; its event's type and data."""
        await self.admit(path)
        while leases := (await self.bench.frontier.claim(1)).leases:
            await self.work.run(leases[0])
        return (await self.events())[-1]

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """The type and data of every event of an article; the ledger must tell the same."""
        entries = await self.bench.connection.command("XRANGE", self.bench.keys.articles(), "-", "+")
        events = [(fields[b"type"].decode(), orjson.loads(fields[b"data"])) for _, fields in entries]
        ledger = await read_ledger(self.bench.connection, self.bench.keys)
        kinds = [kind for kind, _ in events]
        assert ledger.balanced
        assert (ledger.articles, ledger.unchanged) == (kinds.count(PUBLISHED), kinds.count(UNCHANGED))
        assert (self.bench.stats.total("published"), self.bench.stats.total("unchanged")) == (
            ledger.articles,
            ledger.unchanged,
        )
        return events


@pytest.fixture
async def crawl(bench: Bench) -> AsyncIterator[Crawl]:
    """The bench's worker with a fetcher of its own, and a publisher."""
    clock = SystemClock()
    await bench.frontier.hosts.configure(_AT_ONCE)
    async with (
        Publisher() as publisher,
        Fetcher(guard=LOOPBACK, user_agent=USER_AGENT, limits=LIMITS) as fetcher,
    ):
        policy = RetryPolicy(max_attempts=1, base_s=1, max_s=10)
        pipeline = Pipeline(fetcher, None, InProcess(), policy, max_redirects=5, clock=clock)
        work = Work(
            pipeline,
            bench.frontier,
            bench.in_work,
            bench.stats,
            bench.sightings,
            namespace="ingest",
            max_crashes=2,
            clock=clock,
        )
        yield Crawl(bench, publisher, work)


async def test_the_server_says_unchanged_by_etag(crawl: Crawl) -> None:
    """The ETag of the last visit goes along, and its 304 ends as unchanged, visit after visit."""
    await crawl.visit("etag")
    for _ in range(2):
        kind, data = await crawl.visit("etag")
        assert (kind, data["revision"], data["fetch"]["status"], data["fetch"]["bytes"]) == (
            UNCHANGED,
            1,
            304,
            0,
        )
        assert (data["article_id"], data["url"]) == (
            article_id(crawl.publisher.url("etag")),
            crawl.publisher.url("etag"),
        )
    assert [none_match for _, none_match, _ in crawl.publisher.asked] == [None, *[crawl.publisher.etag] * 2]
    assert crawl.publisher.statuses == [200, 304, 304]
    assert crawl.bench.events()[-1] == "article_unchanged"


async def test_the_server_says_unchanged_by_date(crawl: Crawl) -> None:
    """A server without ETags is asked by its own Last-Modified, which outlives a 304 that leaves it out."""
    await crawl.visit("date")
    assert [(await crawl.visit("date"))[0] for _ in range(2)] == [UNCHANGED] * 2
    assert crawl.publisher.statuses == [200, 304, 304]


async def test_a_server_without_validators_is_compared_with(crawl: Crawl) -> None:
    """Where the server always sends the page, an equal one is unchanged all the same."""
    first = await crawl.visit("none")
    kind, data = await crawl.visit("none")
    assert (kind, data["revision"], data["fetch"]["status"]) == (UNCHANGED, 1, 200)
    assert data["fetch"]["bytes"] == first[1]["fetch"]["bytes"]
    assert crawl.publisher.asked == [("/none", None, None)] * 2


@pytest.mark.parametrize("path", ["etag", "none"])
async def test_a_changed_page_is_the_next_revision(crawl: Crawl, path: str) -> None:
    """A change is an event of the same article and the next revision, which names what differs."""
    seen = [await crawl.visit(path)]
    crawl.publisher.title = "Another title of words"
    seen.append(await crawl.visit(path))
    seen.append(await crawl.visit(path))
    crawl.publisher.author, crawl.publisher.times = "Bo Example", 5
    seen.append(await crawl.visit(path))
    assert [(kind, data["revision"]) for kind, data in seen] == [
        (PUBLISHED, 1),
        (PUBLISHED, 2),
        (UNCHANGED, 2),
        (PUBLISHED, 3),
    ]
    assert len({data["article_id"] for _, data in seen}) == 1
    told = [(data["change"], data["changed_fields"]) for kind, data in seen if kind == PUBLISHED]
    assert told == [("new", []), ("updated", ["title"]), ("updated", ["text", "authors"])]
    assert [data["task"]["revision"] for _, data in seen] == [1, 2, 2, 3]


async def test_validators_go_only_where_they_came_from(crawl: Crawl) -> None:
    """Behind a redirect the page's validators are sent to the page, and not to what redirects to it."""
    _, first = await crawl.visit("moved")
    assert (first["url"], first["fetch"]["final_url"]) == (
        crawl.publisher.url("moved"),
        crawl.publisher.url("etag"),
    )
    kind, data = await crawl.visit("moved")
    assert data["url"] == first["url"]
    etag = crawl.publisher.etag
    assert (kind, data["fetch"]["final_url"]) == (UNCHANGED, crawl.publisher.url("etag"))
    assert crawl.publisher.asked[2:] == [("/moved", None, None), ("/etag", etag, None)]


async def test_a_304_that_nobody_asked_for_is_no_end(crawl: Crawl) -> None:
    """A server that says 304 to a first visit has sent no article, and Redis keeps no visit of it."""
    await crawl.admit("liar")
    lease = await crawl.claim()
    await crawl.work.run(lease)
    assert await crawl.bench.lengths() == (0, 1)
    assert (await crawl.bench.frontier.visits.recall(lease)).revision == 0


async def test_an_update_after_the_visit_has_expired(crawl: Crawl) -> None:
    """With nothing to compare with, the page is an update of unknown fields, of the next revision."""
    await crawl.visit("etag")
    key = crawl.bench.keys.part(0, f"visit:{article_id(crawl.publisher.url('etag'))}")
    assert await crawl.bench.connection.command("DEL", key) == 1
    kind, data = await crawl.visit("etag")
    assert (kind, data["revision"], data["change"], data["changed_fields"]) == (PUBLISHED, 2, "updated", [])


async def test_a_first_visit_asks_redis_for_no_record(crawl: Crawl) -> None:
    """Only a recrawl costs the call that recalls the last visit."""
    calls = []
    for _ in range(2):  # a script that Redis does not know yet, such as the recall, costs a second call
        await crawl.visit("etag")
    for _ in range(2):
        await crawl.bench.connection.command("CONFIG", "RESETSTAT")
        await crawl.visit("none")
        stats = await crawl.bench.connection.command("INFO", "commandstats")
        calls.append(stats["cmdstat_evalsha"]["calls"])
    assert calls == [4, 5]  # admit, claim, finish, and a claim of nothing; with recall


async def test_two_tasks_of_one_url_at_once(crawl: Crawl) -> None:
    """Both were accepted before any event: the second one compares with what the first one found."""
    await crawl.admit("none")
    await crawl.admit("none")
    await crawl.work.run(await crawl.claim())
    second = await crawl.claim()
    assert second.task.revision == 1
    await crawl.work.run(second)
    crawl.publisher.title = "Another title of words"
    await crawl.visit("none")
    events = await crawl.events()
    assert [(kind, data["revision"]) for kind, data in events] == [
        (PUBLISHED, 1),
        (UNCHANGED, 1),
        (PUBLISHED, 2),
    ]


async def test_a_304_about_an_overtaken_visit_is_asked_again(crawl: Crawl) -> None:
    """When another task publishes while the server says 304, that answers nothing: the URL is next again."""
    await crawl.bench.frontier.hosts.configure(replace(_AT_ONCE, slots=2))
    await crawl.visit("etag")

    async def overtaken() -> None:
        crawl.publisher.title = "Another title of words"
        await crawl.visit("etag")

    crawl.publisher.meanwhile = overtaken
    await crawl.visit("etag")
    assert crawl.publisher.statuses == [200, 200, 304, 304]
    ledger = await read_ledger(crawl.bench.connection, crawl.bench.keys)
    assert (ledger.settled, ledger.traffic["released"]) == (True, 1)
    assert [(kind, data["revision"]) for kind, data in await crawl.events()] == [
        (PUBLISHED, 1),
        (PUBLISHED, 2),
        (UNCHANGED, 2),
    ]


async def test_kill_9_between_fetch_and_finish(crawl: Crawl, redis_server: RedisServer) -> None:
    """A worker killed with the changed page in its hands leaves no revision used up, and none comes twice."""
    await crawl.visit("etag")
    crawl.publisher.title = "Another title of words"
    await crawl.admit("etag")
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runtime.dying", redis_server.url, stderr=asyncio.subprocess.DEVNULL
    )
    assert await victim.wait() == -9
    assert crawl.publisher.statuses == [200, 200]
    connection, leases = crawl.bench.connection, crawl.bench.keys.part(0, "leases")
    (token,) = await connection.command("ZRANGE", leases, 0, -1)
    await connection.command("ZADD", leases, 1, token)
    assert len(await crawl.bench.frontier.reap()) == 1
    suspect = await crawl.bench.frontier.claim_suspect()
    assert suspect is not None
    await crawl.work.run(suspect)
    await crawl.visit("etag")
    assert [(kind, data["revision"]) for kind, data in await crawl.events()] == [
        (PUBLISHED, 1),
        (PUBLISHED, 2),
        (UNCHANGED, 2),
    ]
