"""What can go wrong, one function for each: it does its harm to a run, and mends it again."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from tests.chaos.fleet import ROOT
from tests.chaos.scene import NothingToStrikeError, Waking

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from tests.chaos.scene import Scene

_CHILD = "worker.extract.child"
#: How far a file may still grow before the disk counts as full.
_ROOM_BYTES = 4096
#: How long a process that reads pages is held before it is killed, so that a page waits in it.
_PAGE_S = 0.3
_PATIENCE_S = 20.0
#: How long a worker is slowed down before it is stopped, so that much of what it does waits for Redis.
_WAITS_S = 0.1


async def kill(scene: Scene, rng: random.Random) -> None:
    """SIGKILL a worker and start another; half the time one that has taken items and not admitted them."""
    if rng.random() < 0.5:
        await _kill(scene, rng, None)
    else:
        with scene.proxy.trouble("latency", 1.0):
            await _kill(scene, rng, await _taking(scene))


async def _kill(scene: Scene, rng: random.Random, pid: int | None) -> None:
    async with scene.victim(rng, pid) as worker:
        await asyncio.to_thread(scene.fleet.kill, worker)
        scene.fleet.start(scene.root)


async def _taking(scene: Scene) -> int | None:
    """The process id of a worker that lives and has items in its taken list, if one is seen soon."""
    for _ in range(100):
        names = await scene.connection.command("KEYS", scene.keys.taken("*"))
        pids = {int(name.decode().rpartition(":")[2].split("-")[-2]) for name in names}
        if living := pids & {worker.pid for worker in scene.fleet.workers}:
            return min(living)
        await asyncio.sleep(0.01)
    return None


async def stop(scene: Scene, rng: random.Random) -> None:
    """SIGSTOP a worker for longer than its leases; it wakes up as a zombie, and may publish nothing.

    Half the time it waits for Redis then, between a claim and the request that it is for.
    """
    async with scene.victim(rng) as worker:
        if rng.random() < 0.5:
            with scene.proxy.trouble("latency", 1.0):
                await asyncio.sleep(_WAITS_S)
                worker.send_signal(signal.SIGSTOP)
        worker.send_signal(signal.SIGSTOP)
        await asyncio.sleep(scene.lease_s * rng.uniform(1.2, 2.2))
        scene.woken.append(Waking(scene.fleet.log_of(worker), time.time(), time.monotonic()))
        worker.send_signal(signal.SIGCONT)


async def term(scene: Scene, rng: random.Random) -> None:
    """SIGTERM a worker under load, and start another once it has ended, which it must do well."""
    async with scene.victim(rng) as worker:
        await asyncio.to_thread(scene.fleet.term, worker)
        scene.fleet.start(scene.root)


async def redis_restart(scene: Scene, rng: random.Random) -> None:
    """SIGKILL redis-server and start it again on its append-only file, which is synced at each write."""
    async with scene.server_lock:
        await asyncio.to_thread(scene.server.stop, signal.SIGKILL)
        await asyncio.sleep(rng.uniform(0.1, 1.0))
        await asyncio.to_thread(scene.server.start)


async def scripts(scene: Scene, rng: random.Random) -> None:
    """SCRIPT FLUSH: the server knows none of our scripts any more, as after a restart."""
    await scene.connection.command("SCRIPT", "FLUSH")


async def client_kill(scene: Scene, rng: random.Random) -> None:
    """CLIENT KILL: every connection but ours is closed by the server, again and again."""
    for _ in range(5):
        await scene.connection.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.sleep(rng.uniform(0.02, 0.2))


async def lost_reply(scene: Scene, rng: random.Random) -> None:
    """Commands are carried out, and their replies never arrive."""
    with scene.proxy.trouble("lost_reply", rng.uniform(0.1, 0.5)):
        await asyncio.sleep(1.0)


async def cut(scene: Scene, rng: random.Random) -> None:
    """Connections break before their command reaches the server."""
    with scene.proxy.trouble("cut", rng.uniform(0.1, 0.5)):
        await asyncio.sleep(1.0)


async def slow_redis(scene: Scene, rng: random.Random) -> None:
    """Every command takes some tens of milliseconds longer."""
    with scene.proxy.trouble("latency", 1.0):
        await asyncio.sleep(1.5)


async def half_open(scene: Scene, rng: random.Random) -> None:
    """Connections swallow what they are sent, and nobody closes them."""
    with scene.proxy.trouble("half_open", rng.uniform(0.02, 0.2)):
        await asyncio.sleep(1.0)


async def maxmemory(scene: Scene, rng: random.Random) -> None:
    """Redis may take no more memory than it has, or only a little; after a while it may."""
    info = await scene.connection.command("INFO", "memory")
    room = rng.choice((-100_000, 2_000, 20_000))
    await scene.connection.command("CONFIG", "SET", "maxmemory", info["used_memory"] + room)
    await asyncio.sleep(rng.uniform(0.3, 1.2))
    await scene.connection.command("CONFIG", "SET", "maxmemory", 0)


async def disk_full(scene: Scene, rng: random.Random) -> None:
    """Writes to the append-only file fail: no file of redis-server may grow (RLIMIT_FSIZE, hence EFBIG).

    Redis takes that as it takes ENOSPC: it refuses writes with MISCONF until its buffer is on disk.
    """
    process = scene.server.process
    assert process is not None
    sizes = [path.stat().st_size for path in scene.server.folder.rglob("*.aof")]
    no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (max(sizes) + _ROOM_BYTES, resource.RLIM_INFINITY))
    await asyncio.sleep(rng.uniform(1.0, 2.0))
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, no_limit)


async def child_killed(scene: Scene, rng: random.Random) -> None:
    """SIGKILL a process that reads pages, as the OOM killer does; half the time with a page in its hands."""
    child = await _child(scene, rng)
    with suppress(psutil.NoSuchProcess):  # its worker may end first, by another fault
        if rng.random() < 0.5:
            child.send_signal(signal.SIGSTOP)
            await asyncio.sleep(_PAGE_S)
        child.send_signal(signal.SIGKILL)


async def child_hung(scene: Scene, rng: random.Random) -> None:
    """SIGSTOP a process that reads pages: it must be killed when its page's time is over.

    One that is still starting has a minute (`_START_TIMEOUT_S` of the pool), for which no run waits.
    """
    child = await _child(scene, rng)
    with suppress(psutil.NoSuchProcess):
        child.send_signal(signal.SIGSTOP)


async def _child(scene: Scene, rng: random.Random) -> psutil.Process:
    """A process that reads pages and is up, of which its limit of memory tells."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        for child in rng.sample(children := scene.children(_CHILD), len(children)):
            with suppress(psutil.NoSuchProcess):
                if child.rlimit(psutil.RLIMIT_DATA)[0] != psutil.RLIM_INFINITY:
                    return child
        await asyncio.sleep(0.05)
    raise NothingToStrikeError("no process that reads pages is up")


async def pages(_scene: Scene, _rng: random.Random) -> None:
    """The harm is in the pages that a run of this fault has."""


async def consumer_stalls(scene: Scene, rng: random.Random) -> None:
    """The consumer stops reading and acknowledging, then goes on; or is killed and started again."""
    async with scene.consumer_lock:
        consumer = scene.consumer
        assert consumer is not None
        if rng.random() < 0.5:
            consumer.send_signal(signal.SIGSTOP)
            await asyncio.sleep(rng.uniform(0.5, 2.0))
            consumer.send_signal(signal.SIGCONT)
        else:
            consumer.kill()
            await consumer.wait()
            await asyncio.sleep(rng.uniform(0.2, 1.0))
            await scene.start_consumer()


async def two_versions(scene: Scene, rng: random.Random) -> None:
    """A worker of an older version works beside the others, and is then replaced by one of today."""
    old = scene.folder / "old"
    if not old.exists() and (why := await asyncio.to_thread(_check_out, old)):
        scene.skipped["two_versions"] = why
        return
    for root in (old, scene.root):
        async with scene.victim(rng) as worker:
            await asyncio.to_thread(scene.fleet.term, worker)
            scene.fleet.start(root)
        await asyncio.sleep(1.5)


def _check_out(folder: Path) -> str | None:
    """The newest worker of the history that is not today's; returns why it cannot be had.

    The commit before may have touched nothing but tests, or nothing at all.
    """
    try:
        for commit in _git("rev-list", "-n", "20", "HEAD", "--", "worker").decode().split():
            folder.mkdir()
            subprocess.run(["tar", "x", "-C", folder], input=_git("archive", commit, "worker"), check=True)
            if _sources(folder) != _sources(ROOT):
                return None
            shutil.rmtree(folder)
    except subprocess.CalledProcessError as error:
        return f"no history: {error.stderr}"
    return "no history: no other version of the worker"


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def _sources(root: Path) -> dict[Path, bytes]:
    """What a worker of this tree runs."""
    files = [*root.glob("worker/**/*.py"), *root.glob("worker/**/*.lua")]
    return {file.relative_to(root): file.read_bytes() for file in files}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, how often it strikes in a run at most, and what a run with it needs."""

    strike: Callable[[Scene, random.Random], Awaitable[None]]
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
