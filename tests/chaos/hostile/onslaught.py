"""One worker against all rows at once, and what could be seen of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tests.chaos.fleet import Fleet
from tests.chaos.hostile import bodies, codings, heads, hops, pages
from tests.chaos.hostile.hosts import HostileHosts
from tests.chaos.hostile.urls import URLS, HostileUrl
from tests.chaos.hostile.wire import ALLOWED, Hostile, filled
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import Ledger, read_ledger
from worker.urls import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

RESPONSES = (*heads.ROWS, *bodies.ROWS, *codings.ROWS, *hops.ROWS, *pages.ROWS)
_ALL: tuple[Hostile | HostileUrl, ...] = (*RESPONSES, *URLS)
ROWS = {row.name: row for row in _ALL}

_PATIENCE_S = 120.0
_LOOK_EVERY_S = 0.1
_SETTINGS = {
    "INGEST_ALLOW_NETWORKS": ALLOWED,
    "INGEST_HOST_SPACING_S": "0",
    "INGEST_CONCURRENCY": "8",
    "INGEST_TOTAL_TIMEOUT_S": "8",
    "INGEST_STALL_TIMEOUT_S": "2",
    "INGEST_MAX_ATTEMPTS": "1",  # a row has one end, and not the end of its fifth try
}


@dataclass(frozen=True, slots=True)
class Damage:
    """What the rows did. Memory is the worker process' own, without the processes that read pages."""

    ends: Mapping[str, list[str]]  # row → its terminal events: a reason, or `article`
    errors: Mapping[str, str]  # row → the error that its dead letter quotes
    ledger: Ledger
    reached: list[str]  # connections to a canary
    faults: list[str]  # of the log, of stderr, of the hosts themselves
    survived: bool  # the same process was there at the end, and ended well when asked
    published_after: bool  # a good page, when all was over
    idle_bytes: int
    peak_bytes: int
    took_s: float


async def onslaught(folder: Path, settings: Mapping[str, str] = {}) -> Damage:
    """Run all rows through one worker process in the empty `folder`."""
    began = time.monotonic()
    server = RedisServer(folder / "redis").start()
    fleet = Fleet(folder, {"INGEST_REDIS_URL": server.url, **_SETTINGS, **settings})
    try:
        async with HostileHosts(RESPONSES) as hosts, Connection(server.url, patience_s=30) as connection:
            queue = _Queue(connection, Keys())
            worker = fleet.start()
            for number in range(4):  # whatever is made once, is made by now
                await queue.push(_item(f"good {number}", hosts.good_url(f"/before/{number}")))
            await queue.ended(4)
            idle_bytes = _memory_bytes(worker.pid, "VmRSS")
            items = _items(hosts)
            alone = {row.name for row in RESPONSES if row.alone}
            await queue.push(*(item for name, item in items.items() if name not in alone))
            await queue.ended(4 + len(items) - len(alone))
            await queue.push(*(items[name] for name in alone))
            await queue.ended(4 + len(items))
            peak_bytes = _memory_bytes(worker.pid, "VmHWM")
            await queue.push(_item("good at last", hosts.good_url("/after")))
            ledger = await queue.ended(5 + len(items))
            alive = worker.poll() is None
            codes = await asyncio.to_thread(fleet.stop)
            ends, errors = await queue.ends(items)
            faults = [*fleet.log_faults(), *hosts.faults]
            return Damage(
                ends=ends,
                errors=errors,
                ledger=ledger,
                reached=hosts.reached,
                faults=faults + ([text] if (text := fleet.errors()) else []),
                survived=alive and codes == [0],
                published_after=ends["good at last"] == ["article"],
                idle_bytes=idle_bytes,
                peak_bytes=peak_bytes,
                took_s=time.monotonic() - began,
            )
    finally:
        fleet.end()
        server.stop()


@dataclass(frozen=True, slots=True)
class _Queue:
    connection: Connection
    keys: Keys

    async def push(self, *items: bytes) -> None:
        await self.connection.command("RPUSH", self.keys.queue, *items)

    async def ended(self, count: int) -> Ledger:
        """The ledger once so many items have ended, or patience has."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            ledger = await read_ledger(self.connection, self.keys)
            done = ledger.articles + ledger.dead + ledger.unchanged >= count and ledger.settled
            if done or time.monotonic() > deadline:
                return ledger
            await asyncio.sleep(_LOOK_EVERY_S)

    async def ends(self, items: Mapping[str, bytes]) -> tuple[dict[str, list[str]], dict[str, str]]:
        """The terminal events of each row, and the errors of those that died."""
        name_of = {quoted(item): name for name, item in items.items()}
        ends: dict[str, list[str]] = defaultdict(list)
        errors = {}
        for stream in (self.keys.articles(), self.keys.dead()):
            for _, fields in await self.connection.command("XRANGE", stream, "-", "+"):
                event = orjson.loads(fields[b"data"])
                name = event["task"]["id"] if event["task"] else name_of[event["item"]]
                ends[name].append(event.get("reason", "article"))
                if error := event.get("error"):
                    errors[name] = error
        return ends, errors


def _items(hosts: HostileHosts) -> dict[str, bytes]:
    urls = hosts.urls
    for number, row in enumerate(URLS):
        urls[row.name] = filled(row.url.replace("@ID@", f"u{number}"), hosts.port)
    # Floods stand side by side in the tables: all at once, they would starve each other of the machine.
    names = random.Random(4).sample(list(urls), len(urls))
    return {name: _item(name, urls[name]) for name in names}


def _item(name: str, url: str) -> bytes:
    # JSON, as a bare URL could hold no line break.
    return orjson.dumps({"id": name, "url": url})


def _memory_bytes(pid: int, figure: str) -> int:
    """VmRSS, what a process holds now, or VmHWM, the most that it ever held (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{figure}:")) * 1024
