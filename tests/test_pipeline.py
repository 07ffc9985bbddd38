"""The pipeline: every way that a request can turn out, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from worker.clock import FakeClock
from worker.errors import ExtractCrashed, ExtractTimeout, FetchFailed, NotAnArticle
from worker.extract import extract_article
from worker.model import Page, Redirect, Task
from worker.pipeline import Failed, Hop, Learnt, Pipeline, Publish
from worker.retry import Again, Bury, RetryPolicy
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from worker.model import Article

TASK = Task(
    seq=1,
    url="http://a.example/1",
    host="a.example",
    attempt=0,
    crashes=0,
    accepted_ms=0,
    revision=1,
    requested_url="http://a.example/1",
)
HTML = b"<html><body><article><h1>A title of some words</h1>" + b"<p>%s</p>" * 4 % (
    (b"The ferry left the quay at nine and came back at noon, with all of its passengers. " * 4,) * 4
)
PAGE = Page(TASK.url, 200, HTML, "text/html; charset=utf-8", wire_bytes=len(HTML), duration_ms=5)


@dataclass
class Web:
    """Answers requests, or raises, as told."""

    answer: Page | Redirect | FetchFailed = PAGE
    asked: list[str] = field(default_factory=list)

    async def request(self, url: str) -> Page | Redirect:
        self.asked.append(url)
        if isinstance(self.answer, FetchFailed):
            raise self.answer
        return self.answer


@dataclass
class Robots:
    """A robots.txt that allows or not, known or not."""

    allowed: bool = True
    known: bool = True
    reachable: bool = True
    crawl_delay_s: float | None = None

    def allows(self, url: str) -> bool:
        return self.allowed

    async def rules(self, url: str) -> Robots | None:
        return self if self.known else None

    async def learn(self, url: str) -> Robots | None:
        return self if self.reachable else None


@dataclass
class Reader:
    """Extracts in this process; fails first, as told."""

    failures: list[Exception] = field(default_factory=list)

    async def extract(self, page: bytes, **known: Any) -> Article:
        if self.failures:
            raise self.failures.pop(0)
        return extract_article(page, **known)


def pipeline(web: Web | None = None, gate: Robots | None = None, reader: Reader | None = None) -> Pipeline:
    return Pipeline(
        fetcher=web or Web(),
        gate=gate,
        extractor=reader or Reader(),
        policy=RetryPolicy(max_attempts=3, base_s=10, max_s=100),
        max_redirects=2,
        clock=FakeClock(),
    )


async def ended(pipe: Pipeline, task: Task = TASK) -> Failed:
    """The failure that the task ends in, this time."""
    verdict = await pipe.process(task, get_logger())
    assert isinstance(verdict, Failed)
    return verdict


async def test_article_is_published() -> None:
    """A page with an article is to be published, with what was fetched."""
    verdict = await pipeline().process(TASK, get_logger())
    assert isinstance(verdict, Publish)
    assert (verdict.article.title, verdict.page) == ("A title of some words", PAGE)


async def test_unknown_robots_costs_the_request() -> None:
    """While robots.txt is unknown, the lease's one request is spent on it, and the page is not asked for."""
    web = Web()
    verdict = await pipeline(web, Robots(known=False, crawl_delay_s=4)).process(TASK, get_logger())
    assert verdict == Learnt(crawl_delay_s=4)
    assert web.asked == []


async def test_disallowed_url_is_buried_unasked() -> None:
    """What robots.txt disallows is not requested, and ends as `robots`."""
    web = Web()
    assert (await ended(pipeline(web, Robots(allowed=False)))).next == Bury("robots")
    assert web.asked == []


async def test_unreachable_robots_is_tried_again() -> None:
    """An unreachable robots.txt forbids fetching for now, and holds the host."""
    following = (await ended(pipeline(gate=Robots(known=False, reachable=False)))).next
    assert isinstance(following, Again)
    assert following.reason == "robots_unreachable"
    assert following.hold_s == following.delay_s


async def test_redirect_is_a_hop_to_its_host() -> None:
    """A redirect is not followed here: it waits for the turn of the host that it leads to."""
    redirect = Redirect(TASK.url, 301, "https://b.example:8443/2?utm_source=x")
    verdict = await pipeline(Web(redirect)).process(TASK, get_logger())
    assert verdict == Hop(redirect, "https://b.example:8443/2?utm_source=x", "b.example:8443")


async def test_hop_is_requested_where_it_leads() -> None:
    """A task on its way requests its last hop."""
    web = Web()
    await pipeline(web).process(replace(TASK, redirects=("http://b.example/2",)), get_logger())
    assert web.asked == ["http://b.example/2"]


@pytest.mark.parametrize(
    ("redirects", "location", "reason"),
    [
        ((), TASK.url, "redirect_loop"),
        (("http://a.example/2",), "http://a.example/2", "redirect_loop"),
        (("http://a.example/2", "http://a.example/3"), "http://a.example/4", "too_many_redirects"),
        ((), "http://a.example/" + "x" * 9000, "bad_redirect"),
    ],
)
async def test_bad_redirects_end(redirects: tuple[str, ...], location: str, reason: str) -> None:
    """Loops, endless chains and unusable targets are buried under their own reasons."""
    task = replace(TASK, redirects=redirects)
    verdict = await ended(pipeline(Web(Redirect(task.target, 302, location))), task)
    assert verdict.next == Bury(reason)


async def test_failure_is_retried_until_the_last_attempt() -> None:
    """A passing failure is tried again while attempts are left, and then buried."""
    pipe = pipeline(Web(FetchFailed("timeout", "after 30 s")))
    first, last = await ended(pipe), await ended(pipe, replace(TASK, attempt=2))
    assert isinstance(first.next, Again)
    assert 1 <= first.next.delay_s <= 10
    assert (last.next, last.error) == (Bury("timeout"), "after 30 s")


async def test_retry_after_wins_and_holds_the_host() -> None:
    """A 429's Retry-After is the least delay, for the URL and for its host."""
    verdict = await ended(pipeline(Web(FetchFailed("http_429", status=429, retry_after_s=50))))
    assert isinstance(verdict.next, Again)
    assert verdict.next.delay_s >= 50
    assert verdict.next.hold_s >= 50
    assert (verdict.status, verdict.retry_after_s) == (429, 50)


async def test_no_article_is_buried_with_why() -> None:
    """A page without an article ends as `not_article`, and the dead letter says why."""
    verdict = await ended(pipeline(reader=Reader([NotAnArticle("listing", "30 links")])))
    assert (verdict.next, verdict.error) == (Bury("not_article"), "listing: 30 links")


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(ExtractTimeout("10 s"), "extract_timeout"), (ExtractCrashed("code -11"), "poison")],
)
async def test_page_that_kills_twice_is_buried(failure: Exception, reason: str) -> None:
    """A page whose process is killed gets one more try at once; the second time it is to blame."""
    once = await pipeline(reader=Reader([failure])).process(TASK, get_logger())
    assert isinstance(once, Publish)
    assert (await ended(pipeline(reader=Reader([failure, failure])))).next == Bury(reason)


async def test_producer_hints_reach_extraction() -> None:
    """What a producer knows about the article is one more source."""
    seen: dict[str, Any] = {}

    class Listening(Reader):
        async def extract(self, page: bytes, **known: Any) -> Article:
            seen.update(known)
            return extract_article(page, **known)

    await pipeline(reader=Listening()).process(replace(TASK, meta={"k": 1}), get_logger())
    assert (seen["hints"], seen["subject"]) == ({"k": 1}, TASK.url)
