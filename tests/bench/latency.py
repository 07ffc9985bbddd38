"""`make bench-latency`: from RPUSH to the event, idle and under load, beyond the server's own time."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tests.bench.extract_report import percentile
from tests.bench.origin import pages
from tests.bench.served import Served, served, shared_pages
from tests.bench.workers import until, workers_of
from tests.chaos.fleet import ROOT
from tests.servers import RedisServer
from worker.errors import NotAnArticle
from worker.extract import extract_article
from worker.store.connection import Connection
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KNOWN, _NEW, _CROWD = "127.0.4", "127.0.5", "127.0.6"
_KNOWN_HOSTS, _CROWD_HOSTS = 20, 100
#: Visits of each known host before the clock starts: every extraction process has read a few pages then.
_WARM_UPS = 3
_APART_S = (0.1, 0.2)
#: Beyond the spacing of hosts, so that none of those that were warmed up holds its next URL back.
_REST_S = 2.0
#: Idle, the default politeness; under load none, or it would be all that is measured.
_SETTINGS = {"INGEST_ALLOW_NETWORKS": "127.0.0.0/8", "INGEST_LOG_FORMAT": "json"}
_IMPOLITE = {"INGEST_HOST_SPACING_S": "0", "INGEST_HOST_SLOTS": "4", "INGEST_HOST_DELAY_FACTOR": "0"}


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says."""

    urls: int
    new_hosts: int
    crowd: int
    workers: int
    delay_ms: float
    folder: Path | None
    json: Path


@dataclass(frozen=True, slots=True)
class Probe:
    """A URL whose way is timed. `robots`: its host's robots.txt is asked for first."""

    kind: str
    url: str
    pushed_at: float
    robots: bool = False


@dataclass(slots=True)
class Watched:
    """The articles stream, as its fastest reader sees it."""

    arrived_at: dict[str, float] = field(default_factory=dict)

    async def follow(self, connection: Connection, stream: str) -> None:
        """Note when each URL's event can be read, until cancelled."""
        last: bytes | str = "0"
        while True:
            reply = await connection.once("XREAD", "BLOCK", 2000, "STREAMS", stream, last)
            now = time.perf_counter()
            for _, entries in reply or []:
                for entry, fields in entries:
                    self.arrived_at[fields[b"subject"].decode()] = now
                    last = entry


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one kind of probe, in milliseconds beyond the server's own time."""

    kind: str
    count: int
    p50: float
    p90: float
    p99: float
    longest: float
    server_p50: float


def figures(probes: Sequence[Probe], arrived_at: dict[str, float], origin: Served) -> list[Figures]:
    """A row for each kind, in the order of their first probes."""
    kinds: dict[str, list[tuple[float, float]]] = {}
    for probe in probes:
        server_s = origin.seconds(probe.url, robots=probe.robots)
        whole_s = arrived_at[probe.url] - probe.pushed_at
        kinds.setdefault(probe.kind, []).append(((whole_s - server_s) * 1000, server_s * 1000))
    return [_row(kind, *zip(*rows, strict=True)) for kind, rows in kinds.items()]


def _row(kind: str, beyond: Sequence[float], server: Sequence[float]) -> Figures:
    p50, p90, p99, longest = (percentile(beyond, share) for share in (0.5, 0.9, 0.99, 1))
    return Figures(kind, len(beyond), p50, p90, p99, longest, server_p50=percentile(server, 0.5))


def table(rows: Sequence[Figures]) -> Iterator[str]:
    """The figures, in lines."""
    names = ("p50", "p90", "p99", "max", "server")
    yield f"{'ms, the server`s own time taken off':44}{'n':>6}" + "".join(f"{name:>9}" for name in names)
    for row in rows:
        numbers = (row.p50, row.p90, row.p99, row.longest, row.server_p50)
        yield f"{row.kind:44}{row.count:6}" + "".join(f"{number:9.1f}" for number in numbers)


class Field:
    """A fleet, its Redis and its origin, while a phase lasts."""

    def __init__(
        self, connection: Connection, origin: Served, articles: Sequence[int], served_pages: int
    ) -> None:
        self.connection = connection
        self.keys = Keys()
        self.origin = origin
        self.watched = Watched()
        self.probes: list[Probe] = []
        self._articles, self._served = articles, served_pages
        self._pages = 0

    def url(self, network: str, host: int) -> str:
        """Another page that has an article, never asked for before."""
        turn, which = divmod(self._pages, len(self._articles))
        self._pages += 1
        return self.origin.url(network, host, turn * self._served + self._articles[which])

    async def push(self, *items: str | bytes) -> None:
        """Put items into the queue, as a producer does."""
        await self.connection.command("RPUSH", self.keys.queue, *items)

    async def probe(self, kind: str, url: str, *, robots: bool = False, priority: str = "normal") -> None:
        """Push a URL whose way is timed."""
        item = orjson.dumps({"url": url, "priority": priority}) if priority != "normal" else url
        self.probes.append(Probe(kind, url, time.perf_counter(), robots))
        await self.push(item)

    async def all_arrived(self, urls: Sequence[str]) -> None:
        """Wait until each has its event. Raises TimeoutError."""

        async def are_there() -> bool:
            if dead := await self.connection.command("XRANGE", self.keys.dead(), "-", "+", "COUNT", 1):
                raise RuntimeError(f"a URL has no event to wait for: {dead}")
            return all(url in self.watched.arrived_at for url in urls)

        await until(are_there)

    async def warm_up(self) -> None:
        """Visit the known hosts, so that robots.txt, processes and connections are there."""
        for _ in range(_WARM_UPS):
            urls = [self.url(_KNOWN, host + 1) for host in range(_KNOWN_HOSTS)]
            await self.push(*urls)
            await self.all_arrived(urls)


async def on_an_idle_fleet(field: Field, given: Given) -> None:
    """One URL at a time, by hosts that are known, and then by some that are not."""
    await asyncio.sleep(_REST_S)
    for number in range(given.urls):
        await asyncio.sleep(random.uniform(*_APART_S))
        await field.probe("idle, known host", field.url(_KNOWN, number % _KNOWN_HOSTS + 1))
    for number in range(given.new_hosts):
        await asyncio.sleep(random.uniform(*_APART_S))
        await field.probe("idle, new host: robots.txt, 1 s, page", field.url(_NEW, number + 1), robots=True)
    await field.all_arrived([probe.url for probe in field.probes])


async def under_load(field: Field, given: Given) -> None:
    """Behind a crowd that is admitted and waits: on a host of its own, and on hosts of the crowd."""
    crowd = [field.url(_CROWD, number % _CROWD_HOSTS + 1) for number in range(given.crowd)]
    for start in range(0, len(crowd), 1000):
        await field.push(*crowd[start : start + 1000])

    async def is_admitted() -> bool:
        return not await field.connection.command("LLEN", field.keys.queue)

    await until(is_admitted)
    for number in range(given.urls):
        await asyncio.sleep(random.uniform(*_APART_S) / 3)
        await field.probe("load, host of its own", field.url(_KNOWN, number % _KNOWN_HOSTS + 1))
        host = number % _CROWD_HOSTS + 1
        await field.probe("load, host of the crowd", field.url(_CROWD, host))
        await field.probe("load, host of the crowd, high priority", field.url(_CROWD, host), priority="high")
    await field.all_arrived([probe.url for probe in field.probes])


Run = Callable[[Field, Given], Awaitable[None]]


async def measure(given: Given) -> list[Figures]:
    """Both phases, each with a fleet, a Redis and an origin of its own."""
    every = pages(given.folder)
    articles = [number for number, page in enumerate(every) if _is_article(page.body, page.url)]
    rows: list[Figures] = []
    phases = [(on_an_idle_fleet, dict[str, str]()), (under_load, _IMPOLITE)]
    for run, settings in phases if given.crowd else phases[:1]:
        rows += await _phase(run, settings, given, (articles, len(every)))
    return rows


async def _phase(
    run: Run, settings: dict[str, str], given: Given, sample: tuple[list[int], int]
) -> list[Figures]:
    networks = {_KNOWN: _KNOWN_HOSTS, _NEW: given.new_hosts, _CROWD: _CROWD_HOSTS}
    options = [f"--delay-ms={given.delay_ms}", *([f"--folder={given.folder}"] if given.folder else [])]
    with tempfile.TemporaryDirectory(prefix="ingest-latency-") as folder:
        server = RedisServer(Path(folder) / "r").start()
        try:
            async with (
                served(networks, *options) as origin,
                Connection(server.url, timeout_s=10) as connection,
                workers_of(given.workers, _SETTINGS | settings | {"INGEST_REDIS_URL": server.url}),
            ):
                field = Field(connection, origin, *sample)
                following = asyncio.create_task(field.watched.follow(connection, Keys().articles()))
                await field.warm_up()
                await run(field, given)
                following.cancel()
                await asyncio.wait({following})
            return figures(field.probes, field.watched.arrived_at, origin)
        finally:
            server.stop()


def _is_article(page: bytes, url: str) -> bool:
    try:
        extract_article(page, url=url, content_type="text/html")
    except NotAnArticle:
        return False
    return True


def parsed(words: Sequence[str] | None = None) -> Given:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-latency", description=__doc__)
    parser.add_argument("--urls", type=int, default=200, help="probes of each kind (200)")
    parser.add_argument("--new-hosts", type=int, default=50, help="probes of hosts never asked before (50)")
    parser.add_argument("--crowd", type=int, default=10_000, help="URLs that wait; 0: no load (10000)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--delay-ms", type=float, default=0, help="every answer comes that much later (0)")
    parser.add_argument("--folder", type=Path, default=shared_pages(), help="pages to serve")
    out = ROOT / ".ingest" / "bench" / "latency.json"
    parser.add_argument("--json", type=Path, default=out, help="where to write the figures")
    return Given(**vars(parser.parse_args(words)))


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    given = parsed(words)
    rows = asyncio.run(measure(given))
    print("\n".join(table(rows)))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps([_as_json(row) for row in rows], indent=1), "utf-8")
    print(f"written: {given.json}")


def _as_json(row: Figures) -> dict[str, float | str]:
    return {name: getattr(row, name) for name in Figures.__slots__}


if __name__ == "__main__":
    main()
