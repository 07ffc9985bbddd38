"""What can go wrong, one function for each: it does its harm to a run, and mends it again."""

from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from tests.chaos.fleet import ROOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.chaos.scene import Scene

_CHILD = "worker.extract.child"
#: How far a file may still grow before the disk counts as full.
_ROOM_BYTES = 4096


async def kill(scene: Scene) -> None:
    """SIGKILL a worker and start another; half the time one that has taken items and not admitted them."""
    if scene.rng.random() < 0.5:
        pid = None
    else:
        with scene.proxy.trouble("latency", 1.0):
            pid = await _taking(scene)
    async with scene.victim(pid) as worker:
        if worker is not None:
            await asyncio.to_thread(scene.fleet.kill, worker)
            scene.fleet.start(scene.root)


async def _taking(scene: Scene) -> int | None:
    """The process id of a worker with items in its taken list, if one is seen soon."""
    for _ in range(100):
        for name in await scene.connection.command("KEYS", scene.keys.taken("*")):
            host_pid = name.decode().rpartition(":")[2].split("-")
            return int(host_pid[-2])
        await asyncio.sleep(0.01)
    return None


async def stop(scene: Scene) -> None:
    """SIGSTOP a worker for longer than its leases; it wakes up as a zombie, and may publish nothing."""
    async with scene.victim() as worker:
        if worker is not None:
            worker.send_signal(signal.SIGSTOP)
            await asyncio.sleep(scene.lease_s * scene.rng.uniform(1.2, 2.2))
            scene.woken.append((scene.fleet.log_of(worker), time.time()))
            worker.send_signal(signal.SIGCONT)


async def term(scene: Scene) -> None:
    """SIGTERM a worker under load, and start another once it has ended, which it must do well."""
    async with scene.victim() as worker:
        if worker is not None:
            await asyncio.to_thread(scene.fleet.term, worker)
            scene.fleet.start(scene.root)


async def redis_restart(scene: Scene) -> None:
    """SIGKILL redis-server and start it again on its append-only file, which is synced at each write."""
    async with scene.server_lock:
        await asyncio.to_thread(scene.server.stop, signal.SIGKILL)
        await asyncio.sleep(scene.rng.uniform(0.1, 1.0))
        await asyncio.to_thread(scene.server.start)


async def scripts(scene: Scene) -> None:
    """SCRIPT FLUSH: the server knows none of our scripts any more, as after a restart."""
    await scene.connection.command("SCRIPT", "FLUSH")


async def client_kill(scene: Scene) -> None:
    """CLIENT KILL: every connection but ours is closed by the server, again and again."""
    for _ in range(5):
        await scene.connection.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.sleep(scene.rng.uniform(0.02, 0.2))


async def lost_reply(scene: Scene) -> None:
    """Commands are carried out, and their replies never arrive."""
    with scene.proxy.trouble("lost_reply", scene.rng.uniform(0.1, 0.5)):
        await asyncio.sleep(1.0)


async def cut(scene: Scene) -> None:
    """Connections break before their command reaches the server."""
    with scene.proxy.trouble("cut", scene.rng.uniform(0.1, 0.5)):
        await asyncio.sleep(1.0)


async def slow_redis(scene: Scene) -> None:
    """Every command takes some tens of milliseconds longer."""
    with scene.proxy.trouble("latency", 1.0):
        await asyncio.sleep(1.5)


async def half_open(scene: Scene) -> None:
    """Connections swallow what they are sent, and nobody closes them."""
    with scene.proxy.trouble("half_open", scene.rng.uniform(0.02, 0.2)):
        await asyncio.sleep(1.0)


async def maxmemory(scene: Scene) -> None:
    """Redis may take no more memory than it has, or only a little; after a while it may."""
    info = await scene.connection.command("INFO", "memory")
    room = scene.rng.choice((-100_000, 2_000, 20_000))
    await scene.connection.command("CONFIG", "SET", "maxmemory", info["used_memory"] + room)
    await asyncio.sleep(scene.rng.uniform(0.3, 1.2))
    await scene.connection.command("CONFIG", "SET", "maxmemory", 0)


async def disk_full(scene: Scene) -> None:
    """Writes to the append-only file fail: no file of redis-server may grow (RLIMIT_FSIZE, hence EFBIG).

    Redis takes that as it takes ENOSPC: it refuses writes with MISCONF until its buffer is on disk.
    """
    process = scene.server.process
    assert process is not None
    sizes = [path.stat().st_size for path in scene.server.folder.rglob("*.aof")]
    no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (max(sizes) + _ROOM_BYTES, resource.RLIM_INFINITY))
    await asyncio.sleep(scene.rng.uniform(1.0, 2.0))
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, no_limit)


async def child_killed(scene: Scene) -> None:
    """SIGKILL a process that reads pages, as the OOM killer does."""
    await _signal_child(scene, signal.SIGKILL)


async def child_hung(scene: Scene) -> None:
    """SIGSTOP a process that reads pages: it must be killed when its page's time is over.

    One that is still starting has a minute (`_START_TIMEOUT_S` of the pool), for which no run waits.
    """
    await _signal_child(scene, signal.SIGSTOP)


async def _signal_child(scene: Scene, signum: signal.Signals) -> None:
    for child in scene.rng.sample(children := scene.children(_CHILD), len(children)):
        try:
            # It limits its memory once it is up.
            if child.rlimit(psutil.RLIMIT_DATA)[0] != psutil.RLIM_INFINITY:
                child.send_signal(signum)
                return
        except psutil.NoSuchProcess:
            continue


async def pages(scene: Scene) -> None:
    """The harm is in the pages that a run of this fault has."""


async def consumer_stalls(scene: Scene) -> None:
    """The consumer stops reading and acknowledging, then goes on; or is killed and started again."""
    async with scene.consumer_lock:
        consumer = scene.consumer
        assert consumer is not None
        if scene.rng.random() < 0.5:
            consumer.send_signal(signal.SIGSTOP)
            await asyncio.sleep(scene.rng.uniform(0.5, 2.0))
            consumer.send_signal(signal.SIGCONT)
        else:
            consumer.kill()
            await consumer.wait()
            await asyncio.sleep(scene.rng.uniform(0.2, 1.0))
            await scene.start_consumer()


async def two_versions(scene: Scene) -> None:
    """A worker of the commit before works beside the others, and is then replaced by one of today."""
    old = scene.folder / "old"
    if not old.exists() and (why := await asyncio.to_thread(_check_out, old)):
        scene.skipped["two_versions"] = why
        return
    for root in (old, scene.root):
        async with scene.victim() as worker:
            if worker is not None:
                await asyncio.to_thread(scene.fleet.term, worker)
                scene.fleet.start(root)
        await asyncio.sleep(1.5)


def _check_out(folder: object) -> str | None:
    """The tree of the commit before, without touching the repository; returns why it cannot be had."""
    archive = subprocess.run(
        ["git", "archive", "HEAD~1", "worker"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode != 0:
        return f"no history: {archive.stderr.decode().strip()}"
    subprocess.run(["mkdir", "-p", str(folder)], check=True)
    subprocess.run(["tar", "x", "-C", str(folder)], input=archive.stdout, check=True)
    return None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, how often it strikes in a run at most, and what a run with it needs."""

    strike: Callable[[Scene], Awaitable[None]]
    most: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[str, ...] = ()  # kinds of URLs that such a run has, too
    appendfsync: str = "always"
    alone: bool = False  # not beside others, whose doing would be taken for its own


_FAULTS = {
    kill: Fault(kill, most=3),
    stop: Fault(stop),
    term: Fault(term),
    redis_restart: Fault(redis_restart),
    scripts: Fault(scripts, most=4),
    client_kill: Fault(client_kill),
    lost_reply: Fault(lost_reply),
    cut: Fault(cut),
    slow_redis: Fault(slow_redis),
    half_open: Fault(half_open),
    maxmemory: Fault(maxmemory, most=3),
    # With "always", Redis ends at the first write that fails.
    disk_full: Fault(disk_full, most=1, appendfsync="everysec"),
    child_killed: Fault(child_killed, most=4),
    child_hung: Fault(child_hung, settings={"INGEST_EXTRACT_TIMEOUT_S": "1.5"}),
    consumer_stalls: Fault(consumer_stalls, settings={"INGEST_MAX_BACKLOG": "40"}),
    two_versions: Fault(two_versions, most=1),
}
FAULTS = {each.__name__: fault for each, fault in _FAULTS.items()} | {
    "child_memory": Fault(
        pages, most=1, pages=("eater",), settings={"INGEST_EXTRACT_MEMORY_LIMIT_BYTES": str(96 << 20)}
    ),
    "deadly_page": Fault(pages, most=1, pages=("deadly",), settings={"INGEST_MAX_CRASHES": "2"}, alone=True),
}
