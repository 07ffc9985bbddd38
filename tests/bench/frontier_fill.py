"""`python -m tests.bench.frontier_fill SERVER SHAPE FIRST LAST STEP`: one of those who fill a frontier.

Each pushes its share to the inbox and admits it, by the calls and in the batches of a worker. It says
`ready`, begins with a line on stdin, and ends once the inbox is empty.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.measure import RedisUse
from worker.model import Submission
from worker.store.connection import Connection
from worker.store.inbox import Inbox
from worker.store.keys import Keys
from worker.store.lines import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from worker.store.inbox import Item

KEYS = Keys()
URL_BYTES = 88
_BATCH = 100  # as the admitter's
_PUSHED_AT_ONCE = 1000
_ADMITTERS = 4  # in each process, so that Redis never waits for one
GIANT = "giant.example"
_ROOT = Path(__file__).parents[2]
_LEAST_HOSTS = 64  # so that 32 can be claimed at once, in the least frontier too
_WORDS = (
    *("minister", "election", "budget", "strike", "storm", "flood", "police", "court", "trial", "market"),
    *(
        "shares",
        "bank",
        "inflation",
        "energy",
        "climate",
        "summit",
        "peace",
        "border",
        "satellite",
        "vaccine",
    ),
    *("hospital", "school", "football", "coach", "transfer", "champion", "festival", "singer", "museum"),
    *("novel", "mayor", "housing", "railway", "bridge", "harbour", "rescue", "winter", "holiday", "harvest"),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How many URLs wait on how many hosts, and how many more on one host beside them."""

    urls: int
    hosts: int

    @classmethod
    def crowded(cls, urls: int, urls_a_host: int) -> Shape:
        """So many URLs a host, or fewer where the hosts would be too few for a claim."""
        return cls(urls, max(_LEAST_HOSTS, urls // urls_a_host))

    def host_of(self, number: int) -> str:
        """Hosts take turns: so each URL meets another host's list, which is the dearest order.

        The numbers behind those of all hosts are the giant's.
        """
        return f"h{number % self.hosts:07}.example" if number < self.urls else GIANT


@dataclass(frozen=True, slots=True)
class Filled:
    """What the admission of a whole frontier took."""

    urls: int
    wall_s: float
    redis_s: float

    @property
    def per_s(self) -> float:
        """URLs a second."""
        return self.urls / self.wall_s

    @property
    def redis_us(self) -> float:
        """CPU microseconds of Redis a URL."""
        return self.redis_s / self.urls * 1e6


def url_of(host: str, number: int) -> str:
    """A URL of 88 bytes like a newspaper's. Redis compresses lists, so it matters what is in it."""
    # A multiplicative hash (Knuth): drawn words, at a tenth of the cost of a generator for each URL.
    drawn = (number + 1) * 0x9E3779B97F4A7C15 % 2**64
    date = f"{2016 + drawn % 11}/{drawn % 12 + 1:02}/{drawn % 28 + 1:02}"
    words = "-".join(_WORDS[(drawn >> shift) % len(_WORDS)] for shift in range(4, 60, 7))
    return f"{f'http://{host}/{date}/{words}':.{URL_BYTES - 10}}-{number:09}"


async def admit(inbox: Inbox, urls: Sequence[str]) -> None:
    """Push and admit URLs, and whatever else stands in the inbox."""
    await inbox.push(urls)
    while items := await inbox.take(_BATCH):
        await admit_taken(inbox, items)


async def admit_taken(inbox: Inbox, items: Iterable[Item]) -> None:
    """As an admitter does; without its parsing and its log."""
    wishes = [(item.number, _submission(item.raw.decode())) for item in items]
    await inbox.admit(wishes)
    await inbox.untake(dict.fromkeys((number for number, _ in wishes), 0))


async def fill(
    connection: Connection, server: str, shape: Shape, producers: int, *, giant: int = 0
) -> Filled:
    """Let so many processes fill a frontier; or, where the shape stands, put so many of a giant to it."""
    first, last = (shape.urls, shape.urls + giant) if giant else (0, shape.urls)
    command = (sys.executable, "-m", "tests.bench.frontier_fill", server, json.dumps(asdict(shape)))
    pipe = asyncio.subprocess.PIPE
    running = [
        await asyncio.create_subprocess_exec(
            *(*command, str(first + n), str(last), str(producers)), stdin=pipe, stdout=pipe, cwd=_ROOT
        )
        for n in range(producers)
    ]
    for each in running:
        assert each.stdout is not None
        await each.stdout.readline()
    before, begun = await RedisUse.of(connection), time.perf_counter()
    for each in running:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
    if any(codes := [await each.wait() for each in running]):
        raise RuntimeError(f"producers ended with {codes}")
    after = await RedisUse.of(connection)
    return Filled(last - first, time.perf_counter() - begun, after.cpu_s - before.cpu_s)


def _submission(url: str) -> Submission:
    return Submission(url=url, host=url.split("/", 3)[2], requested_url=url)


async def _produce(server: str, shape: Shape, numbers: Iterator[int]) -> None:
    async with Connection(server, patience_s=60, timeout_s=60) as connection:
        print("ready", flush=True)
        sys.stdin.readline()
        names = [f"producer{os.getpid()}-{n}" for n in range(_ADMITTERS)]
        await asyncio.gather(*(_admitted(connection, name, shape, numbers) for name in names))


async def _admitted(connection: Connection, name: str, shape: Shape, numbers: Iterator[int]) -> None:
    """One admitter; it shares the numbers with the others of its process."""
    # What `admitted` keeps of the last minutes is no part of a frontier at rest.
    inbox = Inbox(connection, KEYS, worker=name, forget_after_s=0)
    while urls := [url_of(shape.host_of(number), number) for number in islice(numbers, _PUSHED_AT_ONCE)]:
        await inbox.push(urls)
        for _ in range(_PUSHED_AT_ONCE // _BATCH):
            await admit_taken(inbox, await inbox.take(_BATCH))
    while items := await inbox.take(_BATCH):
        await admit_taken(inbox, items)
    await connection.run("admit", [KEYS.tag(0)], [7, joined(inbox._forgettable(0))])


if __name__ == "__main__":
    asyncio.run(_produce(sys.argv[1], Shape(**json.loads(sys.argv[2])), iter(range(*map(int, sys.argv[3:])))))
