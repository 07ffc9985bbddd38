"""One run: producers, workers and consumers as processes, faults by the plan, and then all is counted."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos import account
from tests.chaos.faults import FAULTS
from tests.chaos.fleet import ROOT, Fleet, clean_environ
from tests.chaos.logbook import begun_asleep, differences
from tests.chaos.origin import Origin
from tests.chaos.plan import items_of
from tests.chaos.proxy import Proxy
from tests.chaos.scene import NothingToStrikeError, Scene
from tests.servers import RedisServer
from worker.store.connection import Connection
from worker.store.ledger import Ledger, read_ledger

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.plan import Plan, Strike

_LOOK_EVERY_S = 0.1
_BATCH = 5
_UP_S = 30.0
_ENDING_S = 20.0
_STILL_S = 20.0


@dataclass(frozen=True, slots=True)
class Report:
    """What happened. A run is good when `faults` is empty."""

    ledger: Ledger
    struck: Counter[str]
    made: Counter[str]  # commands that the proxy did something to, by what
    missed: Counter[str]  # strikes that found nothing to harm
    skipped: dict[str, str]
    took_s: float
    requests: int
    faults: list[str]


async def run(
    plan: Plan, folder: Path, say: Callable[[str], None] = lambda _: None, root: Path = ROOT
) -> Report:
    """Run the plan in an empty folder, with workers of the version whose tree `root` is."""
    began = time.monotonic()
    server = RedisServer(folder / "r", options=("--appendfsync", plan.appendfsync)).start()
    fleet = Fleet(folder, {})
    try:
        async with AsyncExitStack() as stack:
            backend, rng = server.folder / "redis.sock", random.Random(f"{plan.seed} proxy")
            proxy = await stack.enter_async_context(Proxy(backend, rng))
            connection = await stack.enter_async_context(Connection(server.url, patience_s=30))
            origin = await stack.enter_async_context(Origin(plan.hosts))
            scene = Scene(
                folder,
                server,
                proxy,
                connection,
                fleet,
                origin,
                lease_s=plan.lease_s,
                say=say,
                root=root,
            )
            stack.callback(scene.end)
            origin.on_deadly = scene.kill_client
            fleet.settings = _settings(plan, proxy)
            found = await _play(plan, scene)
            ledger = await read_ledger(connection, scene.keys)
            return Report(
                ledger,
                scene.struck,
                proxy.done,
                scene.missed,
                scene.skipped,
                time.monotonic() - began,
                len(origin.log),
                found,
            )
    finally:
        fleet.end()
        server.stop()


async def _play(plan: Plan, scene: Scene) -> list[str]:
    items = items_of(plan, scene.origin)
    for _ in range(plan.workers):
        scene.fleet.start(scene.root)
    await scene.start_consumer()
    await _until_up(scene)
    await _start_producer(plan, scene, items)
    async with asyncio.TaskGroup() as group:
        for number, strike in enumerate(plan.strikes):
            # Of its own for each: what one draws must not hang on when another draws.
            rng = random.Random(f"{plan.seed} {number}")
            group.create_task(_strike(scene, strike, rng))
        strangers = group.create_task(_until_done(plan, scene))
    found = [f"keys: {name} is in no data model" for name in strangers.result()]
    codes = await asyncio.to_thread(scene.fleet.stop)
    found += [f"end: a worker ended with code {code}" for code in codes if code != 0]
    found += [f"end: {worker}" for worker in scene.fleet.untold]
    found += await _end_consumer(scene)
    return found + await _judge(plan, scene, items)


async def _judge(plan: Plan, scene: Scene, items: list[bytes]) -> list[str]:
    consumed, connection, fleet = scene.folder / "consumed.jsonl", scene.connection, scene.fleet
    events = await account.events_of(connection, scene.keys, consumed)
    ledger = await read_ledger(connection, scene.keys)
    admitted = int(await connection.command("ZCARD", scene.keys.part(0, "admitted")))
    found = account.repeats(events)
    found += account.ends(plan, items, events, scene.struck)
    found += account.contents(plan, events)
    found += account.recount(ledger, events, admitted, len(items))
    found += account.unread(consumed, ledger)
    found += await account.keys_left(connection)
    found += differences(fleet, items, events, ledger)
    excused = begun_asleep(fleet, scene.woken)
    found += [f"host: {breach}" for breach in scene.origin.breaches(plan.spacing_s, excused=excused)]
    found += [f"suspect: {path} killed {n} workers" for path, n in scene.deaths.items() if n > 1]
    found += [f"log: {fault}" for fault in fleet.log_faults()]
    found += [f"log: {line}" for line in fleet.lines() if line["event"] == "internal_error"]
    found += [f"process: {process} is left" for process in fleet.left()]
    if errors := fleet.errors():
        found.append(f"stderr: {errors}")
    return found


async def _until_up(scene: Scene) -> None:
    deadline = time.monotonic() + _UP_S
    while not any(scene.fleet.is_up(worker) for worker in scene.fleet.workers):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no worker came up: {scene.fleet.errors()}")
        await asyncio.sleep(0.02)


async def _start_producer(plan: Plan, scene: Scene, items: list[bytes]) -> None:
    file = scene.folder / "items"
    file.write_bytes(b"\n".join(items))
    pause_s = plan.feed_s * _BATCH / len(items)
    scene.producer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.producer", scene.proxy.url, scene.keys.queue),
        *(str(file), str(_BATCH), str(pause_s)),
        cwd=ROOT,
        env=clean_environ() | scene.fleet.mark,
    )


async def _strike(scene: Scene, strike: Strike, rng: random.Random) -> None:
    name = strike.fault
    await asyncio.sleep(strike.at_s)
    await _until_ended(scene, strike.ends)
    scene.say(f"{name} strikes")
    try:
        await FAULTS[name].strike(scene, rng)
    except NothingToStrikeError as missed:
        scene.say(f"{name} strikes nothing: {missed}")
        scene.missed[name] += 1
        return
    if name not in scene.skipped:
        scene.struck[name] += 1


async def _until_ended(scene: Scene, ends: int) -> None:
    """Wait until so many URLs have ended, or until the work stands still and will not come so far."""
    deadline = time.monotonic() + _STILL_S
    while time.monotonic() < deadline:
        ledger = await read_ledger(scene.connection, scene.keys)
        if ledger.articles + ledger.unchanged + ledger.dead >= ends:
            return
        await asyncio.sleep(_LOOK_EVERY_S)


async def _until_done(plan: Plan, scene: Scene) -> set[str]:
    """Wait for the last URL, or for patience to end; returns undocumented keys that were seen."""
    deadline, connection, keys = time.monotonic() + plan.patience_s, scene.connection, scene.keys
    strangers, producer = set[str](), scene.producer
    assert producer is not None
    while time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_EVERY_S)
        strangers |= await account.undocumented(connection)
        if producer.returncode is None or await connection.command("LLEN", keys.queue):
            continue
        # Items move from the queue over the taken lists into the frontier: looked at in this order.
        if await connection.command("KEYS", keys.taken("*")):
            continue
        ledger = await read_ledger(connection, keys)
        if ledger.settled:
            return strangers
    scene.say("patience is at an end")
    return strangers


async def _end_consumer(scene: Scene) -> list[str]:
    consumer = scene.consumer
    assert consumer is not None
    consumer.terminate()
    try:
        code = await asyncio.wait_for(consumer.wait(), _ENDING_S)
    except TimeoutError:
        consumer.kill()
        await consumer.wait()
        return ["end: the consumer does not end"]
    return [f"end: the consumer ended with code {code}"] if code else []


def _settings(plan: Plan, proxy: Proxy) -> dict[str, str]:
    settings = {
        "INGEST_REDIS_URL": proxy.url,
        "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
        "INGEST_HOST_SPACING_S": str(plan.spacing_s),
        "INGEST_HOST_DELAY_FACTOR": "0",
        "INGEST_LEASE_S": str(plan.lease_s),
        "INGEST_RETRY_BASE_S": "0.2",
        "INGEST_RETRY_MAX_S": "1",
        "INGEST_DRAIN_S": "1",
        "INGEST_CONCURRENCY": "12",
        "INGEST_EXTRACT_PROCESSES": "1",
        "INGEST_LOG_LEVEL": "debug",
        # Enough that no innocent URL is taken for poison by what this run does to workers.
        "INGEST_MAX_CRASHES": "50",
    }
    for name in plan.faults:
        settings |= FAULTS[name].settings
    return settings | plan.settings
