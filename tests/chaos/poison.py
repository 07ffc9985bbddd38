"""`python -m tests.chaos.poison`: poison URLs among good ones: each is buried, and no good one with them.

Three kinds of poison, none of which needs a hook in the product:

- `stall`: a page that is read for longer than `INGEST_EXTRACT_TIMEOUT_S`. How long this machine takes for it
  is measured first, and the limit set to a third of that: its process is killed.
- `glut`: a page of some kilobytes on the wire that takes more memory than its process may have.
- `deadly`: whichever process asks for it gets SIGKILL while it waits for the answer, the worker as well as
  the suspects' process. The origin finds it by the port that the request came from.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import psutil
from aiohttp import web

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin, article
from tests.chaos.verdict import faults
from tests.servers import RedisServer
from worker.errors import ExtractionFailed, NotAnArticle
from worker.extract.pool import ExtractionPool
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import Ledger, read_ledger

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping

_LOOK_EVERY_S = 0.5
_LOOKS = 10  # for the owner of a connection
_MEMORY_LIMIT_BYTES = 200 << 20
_BODY_LIMIT_BYTES = 60_000_000
#: What a kind may be buried as. A loaded machine may be too slow even to run out of memory in time.
REASONS = {"stall": {"extract_timeout"}, "glut": {"poison", "extract_timeout"}, "deadly": {"poison"}}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of what."""

    good: int = 5000
    each: int = 40  # poison URLs of each kind
    hosts: int = 100
    workers: int = 4
    max_crashes: int = 3
    lease_s: float = 2.0
    seed: int = 1
    patience_s: float = 1200.0


@dataclass(frozen=True, slots=True)
class Report:
    """What happened. A run is good when `faults` is empty."""

    ledger: Ledger
    took_s: float
    timeout_s: float  # INGEST_EXTRACT_TIMEOUT_S, as measured
    buried: Mapping[str, Counter[str]]  # kind → reason → URLs
    workers_killed: int
    suspects_killed: int
    children_killed: int  # extraction processes
    cleared: int  # innocents that were in work with a poison, and came through alone
    faults: list[str]

    def table(self) -> str:
        """The figures, for people."""
        rows = [f"{'URLs':<10}{'sent':>6}  ended as"]
        for kind, ends in sorted(self.buried.items()):
            said = ", ".join(f"{reason} {count}" for reason, count in ends.most_common())
            rows.append(f"{kind:<10}{ends.total():>6}  {said}")
        rows += [
            f"killed: {self.workers_killed} workers, {self.suspects_killed} suspects' processes",
            f"killed: {self.children_killed} extraction processes; {self.cleared} suspects cleared",
            f"INGEST_EXTRACT_TIMEOUT_S {self.timeout_s:.2f}; took {self.took_s:.0f} s",
            f"{self.ledger.figures()}",
        ]
        return "\n".join(rows)


class PoisonOrigin(Origin):
    """Serves the poison pages beside the good ones."""

    def __init__(self, hosts: int) -> None:
        super().__init__(hosts)
        good = article("127.0.2.1", "/stall/1")
        # The time goes into blocks of inline elements; the memory into text of four bytes a character.
        self.stall = good.replace("<article>", "<article>" + "<div><span>x</span><a>y</a></div>" * 250_000)
        glut = "\U0001f600" + "x" * 50_000_000
        self._pages = {
            kind: gzip.compress(text.encode()) for kind, text in (("stall", self.stall), ("glut", glut))
        }

    async def _answer(self, host: str, path: str) -> web.StreamResponse:
        kind = path.split("/")[1]
        if kind not in self._pages:
            return await super()._answer(host, path)
        headers = {"Content-Encoding": "gzip", "Content-Type": "text/html; charset=utf-8"}
        return web.Response(body=self._pages[kind], headers=headers)


class Executioner:
    """Kills whichever process of the fleet holds the connection that a deadly URL is asked for on."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.workers_killed = 0
        self.suspects_killed = 0

    def kill_client(self, _path: str, port: int) -> None:
        """SIGKILL the owner of the local `port`; in a worker's place another one starts."""
        # A table that changes while the kernel prints it may lack a line. Who is dead already is never found.
        found = next(filter(None, (self._owner(port) for _ in range(_LOOKS))), None)
        if found is None:
            return
        worker, suspects = found
        if suspects is None:
            self._fleet.kill(worker)
            self._fleet.start()
            self.workers_killed += 1
        else:
            suspects.kill()
            self._fleet.bereaved(worker)
            self.suspects_killed += 1

    def _owner(self, port: int) -> tuple[subprocess.Popen[bytes], psutil.Process | None] | None:
        """The worker, and the process below it if the port is that one's."""
        for worker in self._fleet.workers:
            process = psutil.Process(worker.pid)
            if _holds(process, port):
                return worker, None
            for child in process.children():
                if _holds(child, port):
                    return worker, child
        return None


def _holds(process: psutil.Process, port: int) -> bool:
    try:
        return any(each.laddr.port == port for each in process.net_connections(kind="tcp4"))
    except psutil.NoSuchProcess:  # children come and go while we look
        return False


async def run(plan: Plan, folder: Path, say: Callable[[str], None] = lambda _: None) -> Report:
    """Run the plan in an empty folder."""
    origin, keys = PoisonOrigin(plan.hosts), Keys()
    timeout_s = await _time_to_read(origin.stall) / 3
    began, server = time.monotonic(), RedisServer(folder / "redis").start()
    fleet = Fleet(folder, _settings(plan, server, timeout_s))
    executioner = Executioner(fleet)
    origin.on_deadly = executioner.kill_client
    try:
        async with origin, Connection(server.url, patience_s=30) as connection:
            kinds = ["a"] * plan.good + [kind for kind in REASONS for _ in range(plan.each)]
            random.Random(plan.seed).shuffle(kinds)
            urls = [
                f"http://{origin.hosts[number % plan.hosts]}:{origin.port}/{kind}/{number}"
                for number, kind in enumerate(kinds)
            ]
            for start in range(0, len(urls), 500):
                await connection.command("RPUSH", keys.queue, *urls[start : start + 500])
            for _ in range(plan.workers):
                fleet.start()
            ledger = await _until_done(connection, keys, plan, say)
            codes = await asyncio.to_thread(fleet.stop)
            found = await faults(connection, keys, urls)
            found += [f"a worker ended with code {code}" for code in codes if code != 0]
            found += fleet.log_faults()
            buried, misjudged = await _judged(connection, keys, urls)
            found += misjudged + _not_alone(fleet, urls)
            found += [f"{line}" for line in fleet.lines() if line["event"] == "internal_error"]
            if errors := fleet.errors():
                found.append(f"stderr: {errors}")
            seen = Counter(str(line["event"]) for line in fleet.lines())
            return Report(
                ledger=ledger,
                took_s=time.monotonic() - began,
                timeout_s=timeout_s,
                buried=buried,
                workers_killed=executioner.workers_killed,
                suspects_killed=executioner.suspects_killed,
                children_killed=seen["extract_killed"],
                cleared=seen["suspect_cleared"],
                faults=found,
            )
    finally:
        fleet.end()
        server.stop()


async def _time_to_read(page: str) -> float:
    """Seconds that one process takes for it here, at best of two."""
    times = []
    async with ExtractionPool(processes=1, timeout_s=60, memory_limit_bytes=1 << 30) as pool:
        await pool.warm()
        for _ in range(2):
            began = time.monotonic()
            with suppress(NotAnArticle, ExtractionFailed):
                await pool.extract(page.encode(), url="http://127.0.2.1/stall/1")
            times.append(time.monotonic() - began)
    return min(times)


async def _until_done(connection: Connection, keys: Keys, plan: Plan, say: Callable[[str], None]) -> Ledger:
    deadline, told = time.monotonic() + plan.patience_s, time.monotonic()
    sent = plan.good + plan.each * len(REASONS)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        ledger = await read_ledger(connection, keys)
        if (ledger.accepted == sent and ledger.settled) or time.monotonic() > deadline:
            return ledger
        if time.monotonic() - told > 15:
            told = time.monotonic()
            say(str(ledger.figures()))


async def _judged(
    connection: Connection, keys: Keys, urls: list[str]
) -> tuple[dict[str, Counter[str]], list[str]]:
    """How each kind ended, and what is wrong with that."""
    ends = dict.fromkeys(urls, "nothing")
    for _, fields in await connection.command("XRANGE", keys.articles(), "-", "+"):
        ends[fields[b"subject"].decode()] = "article"
    for _, fields in await connection.command("XRANGE", keys.dead(), "-", "+"):
        ends[fields[b"subject"].decode()] = orjson.loads(fields[b"data"])["reason"]
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    found = []
    for url, end in ends.items():
        kind = _kind(url)
        by_kind[kind][end] += 1
        if end not in REASONS.get(kind, {"article"}):
            found.append(f"{url} ended as {end}")
    return by_kind, found


def _not_alone(fleet: Fleet, urls: list[str]) -> list[str]:
    """The deadly URLs that were buried without having run alone."""
    alone = {str(line["url"]) for line in fleet.lines() if line["event"] == "suspect_started"}
    return [f"{url} never ran alone" for url in urls if _kind(url) == "deadly" and url not in alone]


def _kind(url: str) -> str:
    return url.split("/")[3]


def _settings(plan: Plan, server: RedisServer, timeout_s: float) -> dict[str, str]:
    return {
        "INGEST_REDIS_URL": server.url,
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_CONCURRENCY": "8",
        "INGEST_HOST_SPACING_S": "0",
        "INGEST_HOST_DELAY_FACTOR": "0",
        "INGEST_LEASE_S": str(plan.lease_s),
        "INGEST_MAX_CRASHES": str(plan.max_crashes),
        "INGEST_BODY_LIMIT_BYTES": str(_BODY_LIMIT_BYTES),
        "INGEST_EXTRACT_PROCESSES": "1",
        "INGEST_EXTRACT_TIMEOUT_S": f"{timeout_s:.3f}",
        "INGEST_EXTRACT_MEMORY_LIMIT_BYTES": str(_MEMORY_LIMIT_BYTES),
    }


def main() -> int:
    """Run once; 1 if there was a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.poison", description=__doc__)
    usual = Plan()
    parser.add_argument("--good", type=int, default=usual.good, help="good URLs")
    parser.add_argument("--each", type=int, default=usual.each, help="poison URLs of each kind")
    parser.add_argument("--workers", type=int, default=usual.workers, help="worker processes")
    parser.add_argument("--seed", type=int, default=usual.seed, help="the order of the URLs")
    given = parser.parse_args()
    plan = Plan(good=given.good, each=given.each, workers=given.workers, seed=given.seed)
    with tempfile.TemporaryDirectory(prefix="ingest-poison-") as folder:
        report = asyncio.run(run(plan, Path(folder), say=lambda line: print(f"  {line}", flush=True)))
    print(report.table())
    for fault in report.faults[:50]:
        print(f"  {fault}")
    print("ok" if not report.faults else f"{len(report.faults)} FAULTS")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
