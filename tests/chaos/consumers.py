"""`make chaos-consumers`: consumers of a group are killed over and over; each event is handled, none skipped.

Real processes, a real Redis with an append-only file, and a producer that goes on meanwhile. Each run is
drawn from its seed: SIGKILL at random moments, SIGSTOP for longer than the idle limit, SIGKILL of Redis. One
consumer, the hoarder, is never struck: it sits on the oldest events until all others are handled, so that
what the dead leave behind is not on the first page of what is pending.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from tests.chaos.reader import GROUP, HOARDED, IDLE_MS, Kind, read
from tests.events.streams import fields, publish
from tests.servers import RedisServer
from worker.events import ArticleConsumer
from worker.store.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.context import ForkServerProcess

_PARTITIONS = 2
_CONSUMERS = 4
_LOOK_EVERY_S = 0.02
_SHOWN = 10


@dataclass(slots=True)
class Reading:
    """A consumer's process. `struck`: it was killed or stopped: others may have handled its events."""

    number: int
    kind: Kind
    process: ForkServerProcess
    struck: bool = False


@dataclass(slots=True)
class Run:
    """One run and what came of it."""

    seed: int
    kills: int
    folder: Path
    patience_s: float = 40.0
    sent: int = 0
    strikes: Counter[str] = field(default_factory=Counter)
    readings: list[Reading] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    handled: Counter[str] = field(default_factory=Counter)
    taken_over: int = 0
    took_s: float = 0.0

    def start(self, url: str, kind: Kind) -> Reading:
        """One more consumer. It is forked from a process that has imported all already."""
        number = len(self.readings)
        process = CONTEXT.Process(target=read, args=(number, url, self.folder, kind))
        process.start()
        self.readings.append(Reading(number, kind, process))
        return self.readings[-1]

    @property
    def living(self) -> list[Reading]:
        """Those that may be struck."""
        return [each for each in self.readings if each.process.is_alive() and each.kind != "hoard"]

    def lines(self, reading: Reading) -> list[tuple[str, str, int]]:
        """Ids, entries and deliveries of what it has handled so far."""
        file = self.folder / f"{reading.number}.handled"
        words = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [(event, entry, int(deliveries)) for event, entry, deliveries in words]


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.reader", "worker.events.consumer"])


async def run(seed: int, kills: int, folder: Path, patience_s: float = 40.0) -> Run:
    """One run, judged."""
    began = time.monotonic()
    this = Run(seed, kills, folder, patience_s)
    # What is not synced could be lost with its server, acknowledgements and events alike.
    server = RedisServer(folder / "r", options=("--appendfsync", "always")).start()
    try:
        async with Connection(server.url, timeout_s=1, patience_s=None) as connection:
            await _play(this, server, connection)
    finally:
        for reading in this.readings:
            reading.process.kill()
            reading.process.join()
        server.stop(signal.SIGKILL)
    this.took_s = time.monotonic() - began
    return this


async def _play(this: Run, server: RedisServer, connection: Connection) -> None:
    rng = random.Random(this.seed)
    await publish(connection, range(HOARDED))
    this.sent = HOARDED
    this.start(server.url, "hoard")
    await _until(lambda: _pending(server) == HOARDED, this, "the hoarder has its events")
    for number in range(_CONSUMERS):
        this.start(server.url, "lists" if number % 2 else "loop")
    producing = asyncio.create_task(_produce(this, connection, random.Random(this.seed)))
    try:
        while this.strikes["kill"] < this.kills and not this.faults:
            await _strike(this, server, rng)
    finally:
        producing.cancel()
        await asyncio.wait({producing})
    ids = {str(fields(number)["id"]) for number in range(this.sent)}
    hoarded = {str(fields(number)["id"]) for number in range(HOARDED)}
    await _until(lambda: ids - hoarded <= _handled(this), this, "all but the hoarded events are handled")
    (this.folder / "release").touch()
    await _until(lambda: ids <= _handled(this), this, "all events are handled")
    async with ArticleConsumer(server.url, group=GROUP) as consumer:
        deadline = time.monotonic() + this.patience_s
        while (lag := await consumer.lag()) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EVERY_S)
    for reading in this.readings:
        if reading.process.is_alive():
            reading.process.terminate()
    await _until(lambda: not any(each.process.is_alive() for each in this.readings), this, "SIGTERM ends all")
    _judge(this, ids, lag)
    this.faults += [
        f"rejected: {name} holds events that did no harm"
        for name in [f"{{ingest:{partition}}}:rejected:{GROUP}" for partition in range(_PARTITIONS)]
        if await connection.command("EXISTS", name)
    ]


async def _produce(this: Run, connection: Connection, rng: random.Random) -> None:
    """Publish until cancelled, faster and slower, in bursts too."""
    while True:
        for _ in range(rng.choice((1, 1, 1, 5, 40))):
            stream = f"{{ingest:{rng.randrange(_PARTITIONS)}}}:articles"
            this.sent += 1  # before: a call that is cut off may have written it
            await asyncio.shield(publish(connection, [this.sent - 1], stream))
        await asyncio.sleep(rng.random() * 0.05)


async def _strike(this: Run, server: RedisServer, rng: random.Random) -> None:
    await asyncio.sleep(rng.random() * 0.25)
    victim = rng.choice(this.living)
    if not this.lines(victim) and rng.random() < 0.8:
        return  # mostly, let it come to its work first
    kind = rng.choices(("kill", "stop", "restart"), (30, 1, 1))[0]
    this.strikes[kind] += 1
    if kind == "restart":
        server.stop(signal.SIGKILL)
        await asyncio.sleep(rng.random() * 0.3)
        await asyncio.get_running_loop().run_in_executor(None, server.start)
        return
    victim.struck = True
    if kind == "stop":
        _signal(victim, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(IDLE_MS / 1000 * 1.5, _signal, victim, signal.SIGCONT)
        return
    _signal(victim, signal.SIGKILL)
    this.start(server.url, victim.kind)


def _signal(victim: Reading, signum: signal.Signals) -> None:
    if victim.process.is_alive() and victim.process.pid is not None:
        os.kill(victim.process.pid, signum)


async def _until(condition: Callable[[], bool], this: Run, says: str) -> None:
    """Wait for it; that it did not come in time is a fault."""
    deadline = time.monotonic() + this.patience_s
    while not condition():
        if time.monotonic() > deadline:
            this.faults.append(f"waited in vain: {says}")
            return
        await asyncio.sleep(_LOOK_EVERY_S)


def _pending(server: RedisServer) -> int:
    with redis.Redis(unix_socket_path=server.url.removeprefix("unix://"), protocol=2) as store:
        try:
            return int(store.xpending("{ingest:0}:articles", GROUP)["pending"])
        except redis.ResponseError:  # there is no group yet
            return 0


def _judge(this: Run, ids: set[str], lag: int) -> None:
    """What the promise is: all handled; twice only where a kill or a stop came between; nothing left over."""
    by: dict[str, list[Reading]] = {}
    for reading in this.readings:
        for _, entry, deliveries in this.lines(reading):
            # By the entry, not the event: if Redis is killed before its reply, the producer writes two.
            by.setdefault(entry, []).append(reading)
            this.taken_over += deliveries > 1
    this.handled = Counter({entry: len(readings) for entry, readings in by.items()})
    skipped = sorted(ids - _handled(this))
    this.faults += [f"skipped: {len(skipped)} events, such as {skipped[0]}"] if skipped else []
    for entry, readings in by.items():
        # The last one acknowledged it; each one before must have been kept from that.
        calm = [each.number for each in readings if not each.struck]
        if len(calm) > 1:
            this.faults.append(f"repeated: {entry} by {calm}, who were neither killed nor stopped")
    if lag:
        this.faults.append(f"left: the lag is {lag}")


def _handled(this: Run) -> set[str]:
    return {event for reading in this.readings for event, _, _ in this.lines(reading)}


def says(this: Run) -> str:
    """A run on one line."""
    twice = sum(count > 1 for count in this.handled.values())
    struck = ", ".join(f"{name} {count}" for name, count in sorted(this.strikes.items()))
    verdict = "ok" if not this.faults else f"{len(this.faults)} FAULTS"
    return (
        f"seed {this.seed}: {verdict}: {struck}; events {this.sent}, entries handled {len(this.handled)}, "
        f"twice or more {twice}, taken over {this.taken_over}; {this.took_s:.1f} s"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 1 if any run had a fault."""
    parser = argparse.ArgumentParser(prog="make chaos-consumers", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="consumers killed in a run (200)")
    parser.add_argument("--runs", type=int, default=1, help="how many (1)")
    parser.add_argument("--seed", type=int, default=1, help="the first run's seed; the next has the next (1)")
    parser.add_argument("--patience", type=float, default=40.0, help="seconds to wait at the end (40)")
    given = parser.parse_args(arguments)
    failing = 0
    for seed in range(given.seed, given.seed + given.runs):
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))  # a short name: a socket's path is bounded
        again = f"make chaos-consumers ARGS='--seed {seed} --kills {given.kills}'"
        this = asyncio.run(run(seed, given.kills, folder, given.patience))
        print(says(this), flush=True)
        for fault in this.faults[:_SHOWN]:
            print(f"    {fault}")
        if this.faults:
            failing += 1
            print(f"    kept in {folder}; again: {again}")
        else:
            shutil.rmtree(folder)
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
