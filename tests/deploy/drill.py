"""Each alert provoked for real, by `python -m tests.deploy.drill`: real workers, mtail and Prometheus.

A minute of the rules is a second here, so that all is over in two minutes. What is real: the faults, the log
lines, mtail's reading of them, and Prometheus' verdict. Needs mtail and prometheus on PATH.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.chaos.fleet import Fleet
from tests.chaos.origin import Origin
from tests.deploy.programs import DEPLOY
from tests.servers import RedisServer, free_port
from worker.store.connection import Connection
from worker.store.keys import Keys

_RULES = ("rules.yml", "alerts.yml")
_PATIENCE_S = 90.0
#: The host that gets a long line of URLs; no other provocation needs it.
_SLOW = 3
_SETTINGS = {
    "INGEST_ALLOW_NETWORKS": "127.0.0.0/8",
    "INGEST_OBEY_ROBOTS": "false",
    "INGEST_HOST_SPACING_S": "0.1",
    "INGEST_LEASE_S": "3",
    "INGEST_REDIS_TIMEOUT_S": "1",
    "INGEST_STATS_INTERVAL_S": "1",
    "INGEST_EXTRACT_PROCESSES": "1",
    "INGEST_FRONTIER_LIMIT": "60",
    "INGEST_SILENCE_AFTER_S": "3",
    "INGEST_SILENCE_LEARN_S": "5",
}


def hastened(rules: str) -> str:
    """The rules with seconds for minutes, also where a rule compares with a number of seconds."""
    faster = re.sub(r"\b(\d+)m\b", r"\1s", rules)
    faster = (
        faster.replace("> 3600", "> 60")
        .replace("> 300", "> 5")
        .replace("< 300", "< 5")
        .replace("< 120", "< 5")
    )
    return faster.replace("> 600", "> 10").replace("> 900", "> 15")


@dataclass
class Drill:
    """All that the provocations have in hand."""

    redis: RedisServer
    connection: Connection
    fleet: Fleet
    origin: Origin
    prometheus: str
    firing: set[str] = field(default_factory=set)
    fired: dict[str, str] = field(default_factory=dict)  # alert -> its summary

    async def push(self, *items: Any) -> None:
        """RPUSH, as producers do."""
        await self.connection.command(
            "RPUSH", Keys().queue, *(item if isinstance(item, str) else orjson.dumps(item) for item in items)
        )

    def hanging(self, number: int) -> str:
        """A URL that is never answered."""
        hosts = self.origin.hosts
        return f"http://{hosts[number % len(hosts)]}:{self.origin.port}/hang/{number}"

    async def holds(self, worker: subprocess.Popen[bytes], leases: int) -> None:
        """Wait until that worker has so many leases."""
        name = f"-{worker.pid}-".encode()
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                lines = await self.connection.command("HVALS", Keys().part(0, "leased"))
                if sum(name in line.split(b" ", 1)[0] for line in lines) >= leases:
                    return
                await asyncio.sleep(0.05)

    async def sees(self, *alerts: str) -> None:
        """Wait until Prometheus says that they fire. Raises TimeoutError when one does not in time."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not self.fired.keys() >= set(alerts):  # noqa: ASYNC110 - another process decides
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise TimeoutError(f"{set(alerts) - self.fired.keys()} did not fire") from None

    async def sees_no_more(self, alert: str) -> None:
        """Wait until it does not fire, and forget that it ever did."""
        async with asyncio.timeout(_PATIENCE_S):
            while alert in self.firing:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.2)
        del self.fired[alert]

    async def watch(self) -> None:
        """Note every alert that fires, until cancelled."""
        began = time.monotonic()
        async with aiohttp.ClientSession() as client:
            while True:
                with suppress(aiohttp.ClientError):
                    async with client.get(f"{self.prometheus}/api/v1/alerts") as response:
                        alerts = (await response.json())["data"]["alerts"]
                    firing = [alert for alert in alerts if alert["state"] == "firing"]
                    self.firing = {alert["labels"]["alertname"] for alert in firing}
                    for alert in firing:
                        name, summary = alert["labels"]["alertname"], alert["annotations"]["summary"]
                        if self.fired.setdefault(name, summary) is summary:
                            print(f"{time.monotonic() - began:6.1f} s  {name}: {summary}", flush=True)
                await asyncio.sleep(0.3)


async def provoke(drill: Drill) -> None:
    """One fault after the other, each until its alert fires."""
    fleet = drill.fleet
    hosts = fleet.folder / "hosts.toml"
    slow = f"{drill.origin.hosts[_SLOW]}:{drill.origin.port}"
    rules = f'["{slow}"]\nspacing_s = 3\n'
    hosts.write_text(rules)
    fleet.settings["INGEST_HOSTS_FILE"] = str(hosts)
    await drill.sees("IngestNoWorker")  # for lack of any; later, for the silence of all
    first = fleet.start()
    await drill.sees_no_more("IngestNoWorker")
    # The latter half ends over a minute after its acceptance, an hour of the rules.
    await drill.push(*(f"http://{slow}/a/{n}" for n in range(45)))
    await drill.push(*(["{"] * 100))
    await drill.sees("IngestDeadLetterShare")  # of malformed items

    hosts.write_text("[")
    first.send_signal(signal.SIGHUP)
    await drill.sees("IngestInternalErrors")
    hosts.write_text(rules)

    await _workers_restart(drill)

    fleet.settings |= {"INGEST_EXTRACT_TIMEOUT_S": "0.001"}
    hasty = fleet.start()
    os.kill(first.pid, signal.SIGSTOP)
    await drill.push(*(drill.origin.url(n) for n in range(100, 106)))
    await drill.sees("IngestExtractKilled")
    os.kill(first.pid, signal.SIGCONT)
    fleet.term(hasty)
    del fleet.settings["INGEST_EXTRACT_TIMEOUT_S"]

    await drill.sees("IngestUrlsWaitLong")

    await _sources_change(drill)

    fleet.settings |= {"INGEST_MAX_BACKLOG": "1"}
    paused = fleet.start()
    await drill.sees("IngestClaimingPaused")
    fleet.term(paused)
    fleet.settings |= {"INGEST_MAX_BACKLOG": "0"}

    # Hosts that never answer: those in work hang, the others wait for their hosts.
    hanging = [drill.hanging(n) for n in range(40)]
    doomed = fleet.start()
    os.kill(first.pid, signal.SIGSTOP)
    await drill.push(*hanging)
    await drill.holds(doomed, 6)
    fleet.kill(doomed)
    os.kill(first.pid, signal.SIGCONT)
    await drill.sees("IngestLeasesReaped")

    fleet.kill(first)
    await _nothing_moves(drill)

    drill.redis.stop()
    await drill.sees("IngestRedisUnavailable")
    fleet.end()
    await drill.sees("IngestNoWorker")


async def _workers_restart(drill: Drill) -> None:
    passing = [drill.fleet.start() for _ in range(8)]
    for worker in passing:
        while not drill.fleet.is_up(worker):  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.05)
        drill.fleet.term(worker)
    await drill.sees("IngestWorkersRestart")


async def _nothing_moves(drill: Drill) -> None:
    """All that the one worker may have in work hangs beyond the drill's end; other hosts are due."""
    waits = ("CONNECT", "HEADERS", "STALL", "TOTAL")
    drill.fleet.settings |= {f"INGEST_{wait}_TIMEOUT_S": "300" for wait in waits} | {
        "INGEST_CONCURRENCY": "2"
    }
    drill.fleet.start()
    growing = asyncio.create_task(_pour(drill))
    await drill.sees("IngestNoProgress", "IngestQueueGrows")
    growing.cancel()


async def _sources_change(drill: Drill) -> None:
    await _feed(drill, {0: "a", 1: "a"}, rounds=60)
    changed = asyncio.create_task(_feed(drill, {1: "bare"}, rounds=100))
    await drill.sees("IngestSourceSilent", "IngestFieldLost")
    changed.cancel()


async def _feed(drill: Drill, kinds: dict[int, str], *, rounds: int) -> None:
    """Eight URLs a second for each of these hosts, of its kind."""
    origin = drill.origin
    for number in range(rounds):
        await drill.push(
            *(
                f"http://{origin.hosts[host]}:{origin.port}/{kind}/{1000 + 2 * number + half}"
                for host, kind in kinds.items()
                for half in range(2)
            )
        )
        await asyncio.sleep(0.25)


async def _pour(drill: Drill) -> None:
    for batch in range(1000):
        await drill.push(*(drill.hanging(100 * batch + n) for n in range(100, 200)))
        await asyncio.sleep(0.5)


def _started(folder: Path, name: str, *options: str) -> subprocess.Popen[bytes]:
    path = shutil.which(name)
    if path is None:
        raise SystemExit(f"no {name} on PATH")
    with (folder / f"{name}.out").open("wb") as out:
        return subprocess.Popen([path, *options], stdout=out, stderr=out, cwd=folder)


async def _drill(folder: Path) -> dict[str, str]:
    for name in _RULES:
        (folder / name).write_text(hastened((DEPLOY / "prometheus" / name).read_text()))
    mtail_port, port = free_port(), free_port()
    config = (DEPLOY / "prometheus/prometheus.yml").read_text()
    config = config.replace("mtail:3903", f"127.0.0.1:{mtail_port}").replace("15s", "1s")
    (folder / "prometheus.yml").write_text(config)
    async with AsyncExitStack() as stack:
        redis = RedisServer(folder / "redis").start()
        stack.callback(redis.stop, signal.SIGKILL)
        fleet = Fleet(folder, _SETTINGS | {"INGEST_REDIS_URL": redis.url})
        stack.callback(fleet.end)
        for process in (
            _started(
                folder,
                "mtail",
                *("-progs", str(DEPLOY / "mtail"), "-logs", f"{folder}/worker-*.log"),
                *("-address", "127.0.0.1", "-port", str(mtail_port), "-emit_prog_label=false"),
            ),
            _started(
                folder,
                "prometheus",
                *("--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"),
                f"--web.listen-address=127.0.0.1:{port}",
            ),
        ):
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        origin = await stack.enter_async_context(Origin(8))
        connection = await stack.enter_async_context(Connection(redis.url, patience_s=5))
        drill = Drill(redis, connection, fleet, origin, f"http://127.0.0.1:{port}")
        watching = asyncio.create_task(drill.watch())
        try:
            await provoke(drill)
        finally:
            watching.cancel()
        return drill.fired


def main() -> int:
    """Provoke all; 1 if an alert did not fire."""
    alerts = re.findall(r"- alert: (\w+)", (DEPLOY / "prometheus/alerts.yml").read_text())
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        fired = asyncio.run(_drill(Path(folder)))
    missing = [alert for alert in alerts if alert not in fired]
    print(f"{len(alerts) - len(missing)} of {len(alerts)} alerts fired; not: {', '.join(missing) or 'none'}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
