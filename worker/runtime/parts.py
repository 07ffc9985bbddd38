"""All parts of a worker, put together from its settings."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker import __version__
from worker.archive.writer import Archive
from worker.clock import Clock, SystemClock
from worker.extract.pool import ExtractionPool
from worker.fetch.budget import BodyBudget
from worker.fetch.gate import RobotsGate
from worker.fetch.guard import AddressGuard
from worker.fetch.limits import FetchLimits
from worker.fetch.proxies import Proxies
from worker.fetch.robots import product_token
from worker.fetch.session import Fetcher
from worker.fetch.targets import Targets
from worker.fetch.transport import trusting
from worker.habits.sightings import Sightings
from worker.hooks import NO_HOOKS, Hooks
from worker.pipeline import Pipeline
from worker.reading import read_page
from worker.retry import RetryPolicy
from worker.runtime.in_work import InWork
from worker.runtime.stories import stories_of
from worker.runtime.work import Work
from worker.store.connection import Connection
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.robots_cache import RobotsCache
from worker.telemetry.log import get_logger
from worker.telemetry.stats import Stats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worker.fetch.gate import Cache
    from worker.fetch.recording import Recorder
    from worker.settings import Settings


#: Of more sources than a worker can end URLs of between two looks of its listener, none is worth the memory.
_SOURCES_SEEN = 10_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loops share."""

    settings: Settings
    worker: str
    connection: Connection
    keys: Keys
    inbox: Inbox
    frontier: Frontier
    pool: ExtractionPool
    in_work: InWork
    stats: Stats
    sightings: Sightings
    hooks: Hooks
    work: Work
    clock: Clock


class LoggedOutages:
    """Tells the log when Redis goes away and comes back."""

    def unavailable(self, why: str) -> None:
        """The first failed call of an outage."""
        get_logger().warning("redis_unavailable", error=why)

    def restored(self, after_s: float) -> None:
        """The answer to the last call that waited."""
        get_logger().info("redis_restored", down_s=round(after_s, 3))


def worker_name() -> str:
    """A name that no other worker has, nor this machine's next one under the same process id."""
    host = socket.gethostname().translate({ord(char): "_" for char in " :{}"})
    return f"{host}-{os.getpid()}-{secrets.token_hex(2)}"


@asynccontextmanager
async def archive_of(settings: Settings) -> AsyncIterator[Recorder | None]:
    """The archive of what is fetched, if the settings want one."""
    if settings.archive_dir is None:
        yield None
        return
    facts = {
        "software": f"ingest/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "robots": "obey" if settings.obey_robots else "ignore",
        "http-header-user-agent": settings.user_agent,
    }
    async with Archive(settings.archive_dir, file_bytes=settings.archive_file_bytes, facts=facts) as archive:
        yield archive


def fetcher_of(settings: Settings, recorder: Recorder | None = None, *, as_sent: bool = False) -> Fetcher:
    """A fetcher within the settings' limits; `recorder` keeps what it fetches. For `as_sent` see Fetcher."""
    return Fetcher(
        guard=AddressGuard(settings.allow_networks),
        user_agent=settings.user_agent,
        limits=FetchLimits(
            connect_timeout_s=settings.connect_timeout_s,
            headers_timeout_s=settings.headers_timeout_s,
            stall_timeout_s=settings.stall_timeout_s,
            total_timeout_s=settings.total_timeout_s,
            least_bytes_per_s=settings.least_bytes_per_s,
            body_limit_bytes=settings.body_limit_bytes,
            header_limit_bytes=settings.header_limit_bytes,
            header_limit_lines=settings.header_limit_lines,
        ),
        targets=Targets(settings.deny_hosts, settings.allow_ports, settings.allow_schemes),
        proxies=Proxies.from_settings(settings.proxy, settings.proxies, trusted=settings.proxies_resolve),
        tls=trusting(settings.ca_file) if settings.ca_file else None,
        recorder=recorder,
        as_sent=as_sent,
    )


def pool_of(settings: Settings, *, processes: int | None = None) -> ExtractionPool:
    """Extraction processes within the settings' limits."""
    return ExtractionPool(
        processes=processes or settings.extract_processes,
        timeout_s=settings.extract_timeout_s,
        memory_limit_bytes=settings.extract_memory_limit_bytes,
        others=(read_page,),
    )


def connection_of(settings: Settings, *, patience_s: float | None, logged: bool = False) -> Connection:
    """A connection to the settings' Redis; `patience_s` None never gives up."""
    return Connection(
        settings.redis_url,
        timeout_s=settings.redis_timeout_s,
        patience_s=patience_s,
        watch=LoggedOutages() if logged else None,
        durability=settings.durability,
    )


def pipeline_of(
    settings: Settings,
    fetcher: Fetcher,
    pool: ExtractionPool,
    cache: Cache,
    clock: Clock,
    *,
    hooks: Hooks = NO_HOOKS,
) -> Pipeline:
    """A pipeline with these tools; `cache` keeps robots.txt files."""
    gate = RobotsGate(
        cache,
        fetcher,
        user_agent=settings.user_agent,
        pause_s=settings.host_spacing_s,
        turn_s=settings.lease_s,
        clock=clock,
    )
    return Pipeline(
        fetcher=fetcher,
        gate=gate if settings.obey_robots else None,
        extractor=pool,
        policy=RetryPolicy(settings.max_attempts, settings.retry_base_s, settings.retry_max_s),
        max_redirects=settings.max_redirects,
        clock=clock,
        hold=BodyBudget(settings.bodies_limit_bytes).share,
        grouping=settings.host_grouping,
        robot=product_token(settings.user_agent),
        noindex=settings.noindex,
        hooks=hooks,
        clusters=settings.cluster_days > 0,
        body_limit_bytes=settings.body_limit_bytes,
    )


@asynccontextmanager
async def assembled(
    settings: Settings,
    *,
    worker: str,
    connection: Connection,
    extract_processes: int | None = None,
    hooks: Hooks = NO_HOOKS,
) -> AsyncIterator[Parts]:
    """The parts, with their connections and processes open until the block ends."""
    clock = SystemClock()
    keys = Keys(settings.namespace, settings.partitions)
    limits = FrontierLimits(
        lease_s=settings.lease_s,
        max_backlog=settings.max_backlog,
        seen_days=settings.seen_days,
        visit_days=settings.visit_days,
        grouping=settings.host_grouping,
    )
    async with (
        archive_of(settings) as recorder,
        # A program's hooks are given the page as a browser has it.
        fetcher_of(settings, recorder, as_sent=hooks is NO_HOOKS) as fetcher,
        pool_of(settings, processes=extract_processes) as pool,
    ):
        frontier = Frontier(connection, keys, worker=worker, limits=limits, clock=clock)
        if settings.address_slots:
            frontier.hosts.address_of = fetcher.address_of
        cache = RobotsCache(connection, keys, ttl_s=settings.robots_ttl_s, grouping=settings.host_grouping)
        pipeline = pipeline_of(settings, fetcher, pool, cache, clock, hooks=hooks)
        in_work, stats = InWork(clock), Stats(clock)
        sightings = Sightings(_SOURCES_SEEN if settings.silence_factor else 0, settings.host_grouping)
        yield Parts(
            settings=settings,
            worker=worker,
            connection=connection,
            keys=keys,
            inbox=Inbox(connection, keys, worker=worker, seen_days=settings.seen_days),
            frontier=frontier,
            pool=pool,
            in_work=in_work,
            stats=stats,
            sightings=sightings,
            hooks=hooks,
            work=Work(
                pipeline,
                frontier,
                in_work,
                stats,
                sightings,
                stories=stories_of(settings, connection, keys),
                namespace=settings.namespace,
                max_crashes=settings.max_crashes,
                clock=clock,
            ),
            clock=clock,
        )
