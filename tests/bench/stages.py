"""Each stage of the pipeline by itself, so that its CPU can be told from the others'."""

from __future__ import annotations

import asyncio
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from itertools import cycle, islice
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from tests.bench.measure import RedisUse, cost
from worker.clock import SystemClock
from worker.errors import NotAnArticle
from worker.events.envelope import article_event
from worker.extract.pool import ExtractionPool
from worker.fetch.guard import AddressGuard
from worker.fetch.session import Fetcher
from worker.model import Page, Submission, Task
from worker.reading import Reading, read_page
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.inbox import Inbox
from worker.telemetry.log import configure_logging, get_logger, reset_logging
from worker.urls import host_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from tests.bench.origin import BenchPage
    from worker.store.connection import Connection
    from worker.store.keys import Keys

Event = dict[str, str | bytes]
Item = TypeVar("Item")

_AT_ONCE = 16
_TINY: Event = {"id": "0", "data": b"{}"}
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Stages:
    """CPU milliseconds a page: in the worker's own process, and for extraction in its children."""

    redis: float
    fetch: float
    extract_children: float
    extract_worker: float
    publish: float

    @property
    def total(self) -> float:
        """All stages together."""
        return self.redis + self.fetch + self.extract_children + self.extract_worker + self.publish


async def measure(
    connection: Connection, keys: Keys, urls: Sequence[str], pages: Sequence[BenchPage]
) -> Stages:
    """Run each stage by itself, over as many pages as there are URLs. Empties the server."""
    count = len(urls)
    sample = list(islice(cycle(pages), count))
    articles = [(page, article) for page in pages if (article := _article(page))]
    events = list(islice(cycle([_event(page, article) for page, article in articles]), count))
    redis_ms = await _frontier_ms(connection, keys, urls, [_TINY] * count)
    with_events_ms = await _frontier_ms(connection, keys, urls, events)
    async with cost() as building:
        for page, article in articles:
            _event(page, article)
    children_ms, worker_ms = await _extract_ms(sample)
    return Stages(
        redis=redis_ms,
        fetch=await _fetch_ms(urls),
        extract_children=children_ms,
        extract_worker=worker_ms,
        publish=building.cpu_ms_each(len(articles)) + max(0.0, with_events_ms - redis_ms),
    )


async def _frontier_ms(
    connection: Connection, keys: Keys, urls: Sequence[str], events: Sequence[Event]
) -> float:
    """Inbox, admission, claims and finishes, with nothing between them."""
    await connection.command("FLUSHALL")
    await Inbox(connection, keys, worker="bench").push(urls)
    frontier = Frontier(connection, keys, worker="bench", limits=FrontierLimits(), clock=SystemClock())
    await frontier.hosts.configure(HostPolicy(spacing_s=0))
    left = iter(events)
    async with cost() as spent:
        await admit_all(connection, keys)
        while leases := (await frontier.claim(32)).leases:
            await asyncio.gather(*(frontier.finish(lease, next(left)) for lease in leases))
    return spent.cpu_ms_each(len(urls))


async def redis_us(connection: Connection, keys: Keys, pages: Sequence[BenchPage], count: int) -> float:
    """CPU microseconds that Redis spends on a URL, from the inbox to its real event. Empties the server."""
    articles = [(page, article) for page in pages if (article := _article(page))]
    events = islice(cycle([_event(page, article) for page, article in articles]), count)
    urls = [f"http://h{n % 500}.example/{n}" for n in range(count)]
    before = await RedisUse.of(connection)
    await _frontier_ms(connection, keys, urls, list(events))
    return ((await RedisUse.of(connection)).cpu_s - before.cpu_s) / count * 1e6


async def admit_all(connection: Connection, keys: Keys) -> None:
    """Move the whole inbox into the frontier."""
    inbox = Inbox(connection, keys, worker="bench", forget_after_s=0)
    while items := await inbox.take(100):
        wishes = [(item.number, _submission(item.raw.decode())) for item in items]
        await inbox.admit(wishes)
        await inbox.untake({number: 0 for number, _ in wishes})


async def _fetch_ms(urls: Sequence[str]) -> float:
    guard = AddressGuard([ip_network("127.0.3.0/24")])
    async with Fetcher(guard=guard, user_agent="ingest-bench", as_sent=True) as fetcher, cost() as spent:
        await _each(urls, fetcher.request)
    return spent.cpu_ms_each(len(urls))


async def _extract_ms(sample: Sequence[BenchPage]) -> tuple[float, float]:
    async with ExtractionPool(
        processes=2, timeout_s=30, memory_limit_bytes=2**30, others=(read_page,)
    ) as pool:
        await pool.warm()

        async def read(page: BenchPage) -> None:
            try:
                codings = ("gzip",) if page.is_gzip else ()
                await pool.call(read_page, page.wire, url=page.url, content_type="text/html", codings=codings)
            except NotAnArticle:
                return

        async with cost() as spent:
            await _each(sample, read)
        return pool.stats.cpu_s / len(sample) * 1000, spent.cpu_ms_each(len(sample))


def log_line_us() -> float:
    """CPU microseconds of a JSON line on a pipe that somebody reads: that of a published article."""
    with subprocess.Popen(("cat",), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        pipe = cast("BinaryIO", reader.stdin)
        configure_logging("json", "info", ("token", "key"), pipe, worker="bench-1-0000")
        url = "https://news.example.com/2026/01/02/a-ferry-leaves-the-quay-at-nine?edition=uk"
        log = get_logger(task_id="17", url=url, host="news.example.com", attempt=0)
        began = time.process_time()
        for _ in range(_LINES):
            log.info(
                "article_published",
                article_id="0" * 32,
                event_id=f"{'0' * 32}.17",
                revision=1,
                change="new",
                title="The night ferry leaves the quay at nine",
                word_count=612,
                paragraphs=31,
                confidence=0.912,
                extract_ms=9,
                age_ms=512,
            )
        spent_s = time.process_time() - began
        reset_logging()
    return spent_s / _LINES * 1e6


def _submission(url: str) -> Submission:
    return Submission(url=url, host=host_key(url), requested_url=url)


def _article(page: BenchPage) -> Reading | None:
    try:
        reading = read_page(page.body, url=page.url)
        return reading if isinstance(reading, Reading) else None
    except NotAnArticle:
        return None


def _event(page: BenchPage, article: Reading) -> Event:
    task = Task(1, page.url, host_key(page.url), 0, 0, 0, 1, page.url)
    fetched = Page(page.url, 200, b"", "text/html", len(page.wire), 1)
    return article_event(task, article, fetched, partition=0, namespace="bench", fetched_at=_NOW, now=_NOW)


async def _each(items: Iterable[Item], act: Callable[[Item], Awaitable[object]]) -> None:
    """Act on every item, so many at once as a worker would."""
    left = iter(items)

    async def go_on() -> None:
        for item in left:
            await act(item)

    await asyncio.gather(*(go_on() for _ in range(_AT_ONCE)))
