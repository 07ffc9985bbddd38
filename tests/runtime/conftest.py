"""Parts of a worker over the test's own Redis, with a fetcher and a reader that answer as told."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from worker.clock import SystemClock
from worker.extract import extract_article
from worker.habits.sightings import Sightings
from worker.model import Page, Redirect, Submission
from worker.pipeline import Pipeline
from worker.retry import RetryPolicy
from worker.runtime.in_work import InWork
from worker.runtime.parts import assembled
from worker.runtime.work import Work
from worker.settings import Settings
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.inbox import Inbox
from worker.telemetry.log import configure_logging, reset_logging
from worker.telemetry.stats import Stats
from worker.urls import host_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from worker.model import Article, Lease, NotModified, Validators
    from worker.runtime.parts import Parts
    from worker.store.connection import Connection
    from worker.store.keys import Keys

LEASE_S = 30.0
_SENTENCE = b"The ferry left the quay at nine and came back at noon, with all of its passengers. "
HTML = b"<html><body><article><h1>A title of some words</h1>" + b"<p>%s</p>" % (_SENTENCE * 4) * 4


@dataclass
class Answers:
    """Answers every request at once, with a page unless told otherwise."""

    answer: Page | Redirect | NotModified | Exception | None = None
    cookies: list[tuple[tuple[str, str], ...]] = field(default_factory=list)

    async def request(
        self, url: str, *, validators: Validators | None = None, cookies: Sequence[tuple[str, str]] = ()
    ) -> Page | Redirect | NotModified:
        self.cookies.append(tuple(cookies))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or Page(url, 200, HTML, "text/html", wire_bytes=len(HTML), duration_ms=1)


class InProcess:
    """Reads pages here."""

    async def extract(self, page: bytes, **known: Any) -> Article:
        return extract_article(page, **known)

    async def call(self, function: Callable[..., Any], page: bytes, **arguments: Any) -> Any:
        return function(page=page, **arguments)


@dataclass
class Bench:
    """A worker's parts, and eyes on Redis and the log."""

    connection: Connection
    keys: Keys
    inbox: Inbox
    frontier: Frontier
    web: Answers
    in_work: InWork
    stats: Stats
    sightings: Sightings
    work: Work
    stream: io.BytesIO
    numbers: list[int] = field(default_factory=list)

    async def lease(self, url: str = "http://a.example/1") -> Lease:
        """Admit one URL and claim it."""
        self.numbers.append(len(self.numbers) + 1)
        await self.inbox.admit([(self.numbers[-1], Submission(url, host_key(url), url))])
        (lease,) = (await self.frontier.claim(1)).leases
        return lease

    async def expire(self, lease: Lease) -> None:
        """Let the lease run out, and have it taken back."""
        await self.connection.command("ZADD", self.keys.part(0, "leases"), 1, lease.token)
        await self.frontier.reap()

    async def lengths(self) -> tuple[int, int]:
        """Of the articles and the dead stream."""
        return (
            await self.connection.command("XLEN", self.keys.articles()),
            await self.connection.command("XLEN", self.keys.dead()),
        )

    def events(self) -> list[str]:
        """The names of the events in the log so far."""
        return [line["event"] for line in self.lines()]

    def lines(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [orjson.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    """The log, where a line that the catalogue does not know raises."""
    stream = io.BytesIO()
    configure_logging("json", "debug", stream=stream, worker="one", strict=True)
    yield stream
    reset_logging()


@pytest.fixture
async def bench(connection: Connection, keys: Keys, stream: io.BytesIO) -> Bench:
    """One request at a time, no spacing, three attempts."""
    clock, web = SystemClock(), Answers()
    in_work = InWork(clock)
    frontier = Frontier(connection, keys, worker="one", limits=FrontierLimits(lease_s=LEASE_S), clock=clock)
    await frontier.hosts.configure(HostPolicy(spacing_s=0))
    policy = RetryPolicy(max_attempts=3, base_s=1, max_s=10)
    pipeline = Pipeline(web, None, InProcess(), policy, max_redirects=5, clock=clock)
    stats, sightings = Stats(clock), Sightings(100)
    work = Work(pipeline, frontier, in_work, stats, sightings, namespace="ingest", max_crashes=2, clock=clock)
    inbox = Inbox(connection, keys, worker="one")
    return Bench(connection, keys, inbox, frontier, web, in_work, stats, sightings, work, stream)


@pytest.fixture
async def parts(connection: Connection, stream: io.BytesIO) -> AsyncIterator[Parts]:
    """What the loops of a worker of the default settings share."""
    settings = Settings(extract_processes=1)
    async with assembled(settings, worker="one", connection=connection) as parts:
        yield parts
