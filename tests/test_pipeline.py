"""The pipeline: every way that a request can turn out, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from worker.clock import FakeClock
from worker.errors import ExtractCrashed, ExtractTimeout, FetchFailed, NotAnArticle
from worker.model import NotModified, Page, Redirect, Signal, Task
from worker.pipeline import Pipeline
from worker.retry import RETRY_AFTER_LIMIT_S, Again, Bury, RetryPolicy, signal_of
from worker.telemetry.log import get_logger
from worker.verdict import Failed, Hop, Learnt, Postponed, Publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.model import Validators

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

    answer: Page | Redirect | NotModified | FetchFailed = PAGE
    asked: list[str] = field(default_factory=list)
    cookies: tuple[tuple[str, str], ...] = ()

    async def request(
        self, url: str, *, validators: Validators | None = None, cookies: Sequence[tuple[str, str]] = ()
    ) -> Page | Redirect | NotModified:
        self.asked.append(url)
        self.cookies = tuple(cookies)
        if isinstance(self.answer, FetchFailed):
            raise self.answer
        return self.answer


@dataclass(frozen=True)
class Learning:
    """What came of asking for it."""

    rules: Robots | None
    failure: FetchFailed | None
    signal: Signal


@dataclass
class Robots:
    """A robots.txt that allows or not, known or not."""

    allowed: bool = True
    known: bool = True
    reachable: bool = True
    asked: bool = True
    crawl_delay_s: float | None = None
    signal: Signal = Signal("throttled", 0.5, 60, "http_503")  # noqa: RUF009 - frozen

    def allows(self, url: str) -> bool:
        return self.allowed

    async def rules(self, url: str) -> Robots | None:
        return self if self.known else None

    async def learn(self, url: str) -> Learning:
        if not self.reachable:
            return Learning(None, FetchFailed("robots_unreachable", retry_after_s=60), self.signal)
        return Learning(self, None, self.signal) if self.asked else Learning(None, None, Signal())


@dataclass
class Reader:
    """Extracts in this process; fails first, as told."""

    failures: list[Exception] = field(default_factory=list)

    async def call(self, function: Callable[..., Any], page: bytes, **arguments: Any) -> Any:
        if self.failures:
            raise self.failures.pop(0)
        return function(page=page, **arguments)


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
    """A page with an article is to be published, with what was fetched, but not its body."""
    verdict = await pipeline().process(TASK, get_logger())
    assert isinstance(verdict, Publish)
    assert (verdict.reading.title, verdict.page) == ("A title of some words", replace(PAGE, body=b""))


async def test_unknown_robots_costs_the_request() -> None:
    """While robots.txt is unknown, the lease's one request is spent on it, and the page is not asked for."""
    web = Web()
    verdict = await pipeline(web, Robots(known=False, crawl_delay_s=4)).process(TASK, get_logger())
    assert (verdict, web.asked) == (Learnt(crawl_delay_s=4, signal=Robots.signal), [])


async def test_host_that_is_another_ones_by_now_is_not_asked() -> None:
    """What is known of robots.txt may come late: the lease is looked at again, right before the request."""
    verdict = await pipeline(web := Web(), Robots()).process(TASK, get_logger(), may_ask=lambda: False)
    assert (verdict, web.asked) == (Postponed(0), [])


async def test_robots_asked_for_by_another_worker_postpone() -> None:
    """While another worker takes its time to learn robots.txt, nothing is asked and no attempt is spent."""
    web = Web()
    verdict = await pipeline(web, Robots(known=False, asked=False)).process(TASK, get_logger())
    assert (type(verdict), web.asked) == (Postponed, [])


async def test_disallowed_url_is_buried_unasked() -> None:
    """What robots.txt disallows is not requested, and ends as `robots`."""
    web = Web()
    failed = await ended(pipeline(web, Robots(allowed=False)))
    assert (failed.next, web.asked) == (Bury("robots"), [])


async def test_unreachable_robots_is_tried_again() -> None:
    """An unreachable robots.txt forbids fetching for now, and holds its own host, not a whole domain."""
    verdict = await ended(pipeline(gate=Robots(known=False, reachable=False)))
    assert isinstance(verdict.next, Again)
    assert verdict.next.reason == "robots_unreachable"
    assert verdict.next.delay_s >= 60
    assert verdict.signal == Robots.signal
    neighbour = replace(TASK, url="http://old.a.example/1")
    verdict = await ended(pipeline(gate=Robots(known=False, reachable=False)), neighbour)
    assert isinstance(verdict.next, Again)
    assert (verdict.next.delay_s >= 60, verdict.signal) == (True, Signal())


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


@pytest.mark.parametrize(
    ("chain", "location"),
    [
        (("https://a.example/1", "https://b.example/", "http://b.example/"), "https://a.example/1"),
        (("https://a.example/1",), "http://a.example/1"),
        (("http://a.example:8080/1", "http://a.example/2"), "http://a.example:8080/1"),
    ],
)
async def test_loops_across_hosts_and_schemes(chain: tuple[str, ...], location: str) -> None:
    """A chain that comes back is a loop, wherever it has been; the same host by another scheme is not."""
    pipe = replace(pipeline(Web(Redirect(chain[-1], 302, location))), max_redirects=10)
    assert (await ended(pipe, replace(TASK, redirects=chain))).next == Bury("redirect_loop")
    pipe = pipeline(Web(Redirect(TASK.url, 302, "https://a.example/1")))
    assert isinstance(await pipe.process(TASK, get_logger()), Hop)


async def test_a_wall_may_send_back_once() -> None:
    """A URL is asked again when the chain has set a cookie since; coming back once more is a loop."""
    wall = replace(TASK, redirects=("http://a.example/wall",))
    back = Redirect(wall.target, 302, TASK.url, set_cookies=("seen=1",))
    assert isinstance(await pipeline(Web(back)).process(wall, get_logger()), Hop)
    again = replace(wall.hop(TASK.url, TASK.host, ["seen=1"]), redirects=("http://a.example/wall", TASK.url))
    pipe = replace(pipeline(Web(replace(back, url=TASK.url))), max_redirects=10)
    assert (await ended(pipe, again)).next == Bury("redirect_loop")


async def test_cookies_of_the_chain_are_sent() -> None:
    """The request is made with what the hops before it have set."""
    web = Web()
    cookies = ((TASK.url, "seen=1"),)
    await pipeline(web).process(replace(TASK, cookies=cookies), get_logger())
    assert web.cookies == cookies


async def test_not_modified_without_a_condition_is_a_bad_response() -> None:
    """Nobody asked whether the page had changed."""
    answer = NotModified(TASK.url, 304, duration_ms=1)
    assert (await ended(pipeline(Web(answer)))).next.reason == "bad_response"


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
    assert (verdict.signal.sign, verdict.signal.hold_s) == ("throttled", 50)
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
        async def call(self, function: Callable[..., Any], page: bytes, **arguments: Any) -> Any:
            seen.update(arguments)
            return function(page=page, **arguments)

    await pipeline(reader=Listening()).process(replace(TASK, meta={"k": 1}), get_logger())
    assert (seen["hints"], seen["subject"]) == ({"k": 1}, TASK.url)


@pytest.mark.parametrize(
    ("failure", "signal"),
    [
        (FetchFailed("timeout"), Signal("failed", 7.0, reason="timeout")),
        (FetchFailed("http_404", status=404), Signal("ok", reason="http_404")),
        (
            FetchFailed("http_429", retry_after_s=RETRY_AFTER_LIMIT_S + 1),
            Signal("throttled", 7.0, RETRY_AFTER_LIMIT_S, "http_429"),
        ),
        (FetchFailed("http_500", retry_after_s=9), Signal("failed", 7.0, reason="http_500")),
        (FetchFailed("blocked_address"), Signal("none", reason="blocked_address")),
        (FetchFailed("robots_unreachable", retry_after_s=9), Signal("none", reason="robots_unreachable")),
    ],
)
def test_what_a_failure_says_about_its_host(failure: FetchFailed, signal: Signal) -> None:
    """Only throttling holds the host, a day at most; only slow failures count as slow, and no 404."""
    assert signal_of(failure, 7.0) == signal
