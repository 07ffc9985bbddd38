"""Copies of one story, from pages on several hosts to their events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.runtime.conftest import InProcess
from worker.clock import SystemClock
from worker.extract.fingerprints import SHARED_BY_COPIES, fingerprints
from worker.model import Page, Submission
from worker.pipeline import Pipeline
from worker.retry import RetryPolicy
from worker.runtime.stories import Stories
from worker.runtime.work import Work
from worker.store.clusters import Clusters
from worker.urls import article_id, host_key

if TYPE_CHECKING:
    from tests.runtime.conftest import Bench

#: A paragraph of a wire's text, which no other number has.
_SAYS = (
    "Clerk number {n} of the harbour office told reporters on day {n} that pier {n} would be closed to all "
    "boats of class {n} until the divers of crew {n} had looked at pillar {n}, which ship {n} had struck."
)
_SAYS_ARTICLE = b'<script type="application/ld+json">{"@type": "NewsArticle", "headline": "A pier"}</script>'
A, B, C = "http://a.example/1", "http://b.example/story", "http://c.example/x"


def page(*numbers: int, title: str = "Pier closed to boats") -> bytes:
    """A page of paragraphs of these numbers."""
    text = "".join(f"<p>{_SAYS.format(n=number)}</p>" for number in numbers)
    return f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}".encode()


@pytest.fixture
def stories(bench: Bench) -> Work:
    """The bench's worker, looking for copies."""
    clock = SystemClock()
    policy = RetryPolicy(max_attempts=1, base_s=1, max_s=10)
    return Work(
        Pipeline(bench.web, None, InProcess(), policy, max_redirects=5, clock=clock),
        bench.frontier,
        bench.in_work,
        bench.stats,
        bench.sightings,
        stories=Stories(Clusters(bench.connection, bench.keys, days=3, least=SHARED_BY_COPIES)),
        namespace="ingest",
        max_crashes=2,
        clock=clock,
    )


async def visit(bench: Bench, work: Work, url: str, body: bytes) -> dict[str, Any]:
    """The event of a page at that URL."""
    bench.numbers.append(len(bench.numbers) + 1)
    submission = Submission(url, host_key(url), url, force=True)
    await bench.inbox.admit([(bench.numbers[-1], submission)])
    async with asyncio.timeout(10):
        # The host rests for as long as its last page took: a millisecond.
        while not (leases := (await bench.frontier.claim(1)).leases):
            pass
    (lease,) = leases
    bench.web.answer = Page(url, 200, body, "text/html", wire_bytes=len(body), duration_ms=1)
    await work.run(lease)
    last = await bench.connection.command("XREVRANGE", bench.keys.articles(), "+", "-", "COUNT", 1)
    data: dict[str, Any] = orjson.loads(last[0][1][b"data"])
    assert data["url"] == url
    return data


async def test_copies_have_the_cluster_of_the_first(bench: Bench, stories: Work) -> None:
    """On whichever host they stand, under another headline, with another end; others have their own."""
    first = await visit(bench, stories, A, page(1, 2, 3, 4, 5))
    copy = await visit(bench, stories, B, page(1, 2, 3, 4, title="Divers look at a pillar"))
    other = await visit(bench, stories, C, page(11, 12, 13, 14))
    ids = [article_id(url) for url in (A, A, C)]
    assert [event["cluster_id"] for event in (first, copy, other)] == ids
    published = [line for line in bench.lines() if line["event"] == "article_published"]
    assert [line.get("copy_of") for line in published] == [None, article_id(A), None]


async def test_a_revision_keeps_its_cluster(bench: Bench, stories: Work) -> None:
    """Also when the text has become another one's."""
    await visit(bench, stories, A, page(1, 2, 3, 4, 5))
    await visit(bench, stories, C, page(11, 12, 13, 14))
    await visit(bench, stories, B, page(1, 2, 3, 4))
    unchanged = await visit(bench, stories, B, page(1, 2, 3, 4))
    changed = await visit(bench, stories, B, page(11, 12, 13, 14))
    assert "cluster_id" not in unchanged
    assert (changed["revision"], changed["cluster_id"]) == (2, article_id(A))


async def test_a_short_text_has_none(bench: Bench, stories: Work) -> None:
    """Until it has become an article that can be told from others."""
    said = "The pier is closed to all boats until divers have looked at the pillar that a ship has struck."
    ticker = (
        page().replace(b"<body>", b"<body>" + _SAYS_ARTICLE) + f"<p>{said}</p><p>More follows.</p>".encode()
    )
    assert (await visit(bench, stories, A, ticker))["cluster_id"] is None
    assert (await visit(bench, stories, A, page(1, 2, 3)))["cluster_id"] == article_id(A)


async def test_a_death_before_the_event_changes_nothing(bench: Bench, stories: Work) -> None:
    """Whoever died between the two scripts left fingerprints; the next try says the same, in one event."""
    body = page(1, 2, 3, 4)
    found = await InProcess().extract(body, url=A)
    looking = Stories(Clusters(bench.connection, bench.keys, days=3, least=SHARED_BY_COPIES))
    prints = fingerprints(found.text)
    assert await looking.cluster_of(article_id(A), prints, None) == article_id(A)  # and no event follows
    assert (await visit(bench, stories, A, body))["cluster_id"] == article_id(A)
    assert (await bench.lengths()) == (1, 0)


async def test_none_is_looked_for_unless_wanted(bench: Bench) -> None:
    """The field is there, and empty."""
    first = await visit(bench, bench.work, A, page(1, 2, 3, 4))
    assert first["cluster_id"] is None
    names = [name async for names in bench.connection.scan("{ingest:clusters}*", count=100) for name in names]
    assert names == []
