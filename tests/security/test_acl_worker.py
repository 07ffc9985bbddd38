"""The worker's user: it can do the whole job, and each of its commands is needed for that."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from tests.cli.conftest import run
from tests.security.roles import commands_of, say
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import Ledger, read_ledger
from worker.store.scripts import script, script_names

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from tests.security.roles import GuardedRedis

KEYS = Keys()
READ = ("XREADGROUP", "GROUP", "readers", "one", "STREAMS")
#: What operators' commands run, and no worker.
OPERATORS_SCRIPTS = {"inspect", "purge", "revive"}
#: What our client and its methods send, outside of scripts.
SENT_BY_WORKERS = {"ping", "wait", "info", "eval", "evalsha", "script|load", "zcard", "blmove"}
#: Not in this run: after half a minute of silence; with INGEST_DURABILITY=wait; by `ingest check`, after the
#: statistics are read; where the grouping of hosts was changed under waiting URLs; where a reader was silent
#: for an hour.
SELDOM = {"ping", "wait", "script", "hsetnx", "xgroup"}
SETTINGS = {
    "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
    "INGEST_HOST_SPACING_S": "0.05",
    "INGEST_ADDRESS_SLOTS": "1",
    "INGEST_LEASE_S": "2",
    "INGEST_REDIS_TIMEOUT_S": "0.6",
    "INGEST_TOTAL_TIMEOUT_S": "1",
    "INGEST_MAX_ATTEMPTS": "2",
    "INGEST_RETRY_BASE_S": "0.2",
    "INGEST_RETRY_MAX_S": "0.2",
    "INGEST_EXTRACT_PROCESSES": "1",
    "INGEST_STATS_INTERVAL_S": "0.5",
}


def called_in_scripts(names: set[str]) -> set[str]:
    """The commands in these scripts' own files, as an ACL writes them."""
    calls: set[str] = set()
    for name in names:
        for command, subcommand in re.findall(
            r"redis\.call\(\s*'([A-Z]+)'(?:, '(GROUPS|CONSUMERS|DELCONSUMER)')?", script(name).text
        ):
            calls.add(f"{command}|{subcommand}".rstrip("|").lower())
    return calls


def test_worker_may_call_what_its_scripts_call_and_nothing_else() -> None:
    """A script with a new command needs a new word in the file, and a command gone from them loses it."""
    scripts = set(script_names()) - OPERATORS_SCRIPTS
    assert commands_of("worker") == called_in_scripts(scripts) | SENT_BY_WORKERS


@pytest.mark.slow
async def test_worker_does_the_whole_job(guarded: GuardedRedis, tmp_path: Path) -> None:
    """As its own user, it publishes, retries, buries, reaps, adopts and trims; no right goes unused."""
    fleet = Fleet(tmp_path, SETTINGS | {"INGEST_REDIS_URL": guarded.url_of("worker")})
    with guarded.client("root") as root, guarded.client("consumer") as consumer:
        try:
            async with Origin(4) as origin:
                await _first_worker_dies(fleet, origin, root)
                root.config_resetstat()
                _leave_work_behind(origin, root, consumer)
                await _second_worker_ends_it(guarded, fleet, consumer)
        finally:
            fleet.end()
        assert fleet.errors() == ""
        used = set(root.info("commandstats"))
        refused = [entry for entry in root.acl_log() if entry["object"] != "client"]
        ledger = await _ledger(guarded)
    events = [line["event"] for line in fleet.lines()]
    assert refused == []
    assert ledger.balanced, ledger
    assert ledger.articles >= 10
    assert ledger.traffic["reaped"] == 1
    assert {
        "taken_adopted",
        "lease_reaped",
        "suspect_started",
        "redirect_followed",
        "retry_scheduled",
    } <= set(events)
    assert ledger.reasons.items() >= {"dead:malformed": 1, "dead:timeout": 1, "refused:duplicate": 1}.items()
    assert run("check", redis_url=guarded.url_of("worker")).code == 0
    sent = {name.removeprefix("cmdstat_").partition("|")[0] for name in used}
    needed = {command.partition("|")[0] for command in commands_of("worker")} - SELDOM
    assert needed - sent == set()


async def _first_worker_dies(fleet: Fleet, origin: Origin, root: Redis) -> None:
    root.rpush(KEYS.queue, f"http://{origin.hosts[0]}:{origin.port}/hang/1")
    worker = fleet.start()
    await asyncio.wait_for(origin.hanging.acquire(), 30)
    fleet.kill(worker)


def _leave_work_behind(origin: Origin, root: Redis, consumer: Redis) -> None:
    urls = [origin.url(number) for number in range(32)]
    again = orjson.dumps({"url": urls[0], "force": True, "priority": "high"})
    later = orjson.dumps({"url": origin.url(41), "not_before": time.time() + 1})
    root.rpush(KEYS.queue, *urls, urls[1], again, later, "{broken")
    number = root.incr(KEYS.numbers)
    root.rpush(KEYS.taken("ghost"), f"{number} {origin.url(42)}")
    root.zadd(KEYS.workers, {"ghost": 1})
    consumer.xgroup_create(KEYS.articles(), "readers", mkstream=True)


async def _second_worker_ends_it(guarded: GuardedRedis, fleet: Fleet, consumer: Redis) -> None:
    fleet.start()
    deadline = time.monotonic() + 60
    while True:
        _read_all(consumer)
        ledger = await _ledger(guarded)
        if ledger.settled and ledger.accepted >= 36 and ledger.traffic.get("reaped"):
            break
        assert time.monotonic() < deadline, f"{ledger}\n{fleet.errors()}"
        await asyncio.sleep(0.1)
    assert await asyncio.to_thread(fleet.stop) == [0]


def _read_all(consumer: Redis) -> None:
    """Take and acknowledge, so that the worker has something to trim."""
    for _, entries in say(consumer, *READ, KEYS.articles(), ">") or []:
        consumer.xack(KEYS.articles(), "readers", *(entry for entry, _ in entries))


async def _ledger(guarded: GuardedRedis) -> Ledger:
    async with Connection(guarded.url_of("operator")) as connection:
        return await read_ledger(connection, KEYS)
