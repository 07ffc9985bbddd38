"""Consumers that are killed over and over handle every event."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.chaos.consumer_mutations import MUTATIONS as OF_CONSUMERS
from tests.chaos.consumers import CONTEXT, run
from tests.chaos.mutations import MUTATIONS, Mutation, mutated
from tests.chaos.reader import GROUP, read_until_poison
from tests.events.streams import fields, pending, publish
from tests.servers import RedisServer
from worker.store.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.process import BaseProcess

_TRIES = 4


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a short name: a socket's path is bounded."""
    made = Path(tempfile.mkdtemp(prefix="chaos-"))
    yield made
    shutil.rmtree(made)


@pytest.mark.slow
async def test_killed_consumers_skip_nothing(folder: Path) -> None:
    """Each event is handled at least once, twice only after a kill or a stop, and the lag ends at 0."""
    this = await run(17, 15, folder)
    assert this.faults == []
    assert this.strikes["kill"] == 15
    assert this.taken_over > 0


@pytest.mark.slow
async def test_poison_is_given_up_and_its_neighbours_are_handled(folder: Path) -> None:
    """An event that kills each process which handles it is rejected; those read ahead with it are not."""
    server = RedisServer(folder / "r").start()
    deaths = 0
    try:
        async with Connection(server.url) as connection:
            await publish(connection, range(30))
            poison = str(fields(10)["id"])
            while not await connection.command("EXISTS", f"{{ingest:0}}:rejected:{GROUP}"):
                process = await asyncio.to_thread(poisoned, server.url, folder, deaths, poison)
                deaths += process.exitcode == -signal.SIGKILL
                assert deaths <= _TRIES
            kept = await connection.command("HGETALL", f"{{ingest:0}}:rejected:{GROUP}")
            assert await pending(connection, GROUP) == {}
    finally:
        server.stop(signal.SIGKILL)
    assert deaths == _TRIES
    (letter,) = map(orjson.loads, kept.values())
    assert letter["fields"]["id"] == poison
    handled = [line.split() for line in lines(folder)]
    assert {event for event, *_ in handled} == {str(fields(n)["id"]) for n in range(30)} - {poison}
    assert max(int(deliveries) for *_, deliveries in handled) <= 3


def lines(folder: Path) -> list[str]:
    """What all processes have handled."""
    return [line for file in folder.glob("*.handled") for line in file.read_text().splitlines()]


def poisoned(url: str, folder: Path, number: int, poison: str) -> BaseProcess:
    """A process that reads until that event kills it, or until there is nothing to do."""
    process = CONTEXT.Process(target=read_until_poison, args=(number, url, folder, poison))
    process.start()
    process.join(60)
    return process


@pytest.mark.parametrize("mutation", [*MUTATIONS, *OF_CONSUMERS], ids=lambda mutation: mutation.name)
def test_mutations_fit_the_code(mutation: Mutation, folder: Path) -> None:
    """Each text that a mutation replaces is there, once."""
    assert mutated(mutation, folder / "mutant").is_dir()
