"""A cluster of three primaries, and a primary with two replicas under three Sentinels, on loopback."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from redis import Redis, exceptions

from tests.conformance.binaries import binary_of
from tests.servers import BINARY, RedisServer, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLOTS = 16_384
NAME = "news"
_PATIENCE_S = 30.0
_DOWN_AFTER_MS = 1_000


def wait_until(what: str, holds: Callable[[], object]) -> None:
    """Return once `holds`; raises TimeoutError for `what` when it does not in time."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            if holds():
                return
        except exceptions.RedisError:
            pass  # it is not up yet, or electing
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {what} within {_PATIENCE_S} s")
        time.sleep(0.05)


class Cluster:
    """Three primaries that share the slots."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [self.another(folder / str(number)) for number in range(3)]

    @staticmethod
    def another(folder: Path) -> RedisServer:
        """One more node, of no cluster yet."""
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "3000")
        return RedisServer(folder, port=_cluster_port(), options=options)

    def follow(self, replica: RedisServer, primary: RedisServer) -> None:
        """Start that node as a replica of a primary; returns once it is in step."""
        replica.start()
        ask(replica, "CLUSTER", "MEET", "127.0.0.1", primary.port)
        node = ask(primary, "CLUSTER MYID")
        wait_until("a node that knows its primary", lambda: ask(replica, "CLUSTER REPLICATE", node))
        wait_until(
            "a replica in step",
            lambda: ask(primary, "INFO", "replication").get("slave0", {}).get("state") == "online",
        )

    @property
    def url(self) -> str:
        """Where to connect: two of the nodes, which know the third."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])

    def start(self) -> Cluster:
        """Start the nodes and join them; returns once every node sees all slots covered."""
        share = -(-SLOTS // len(self.nodes))
        for first, node in zip(range(0, SLOTS, share), self.nodes, strict=True):
            node.start()
            ask(node, "CLUSTER", "ADDSLOTS", *range(first, min(first + share, SLOTS)))
            ask(node, "CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
        wait_until("one cluster", lambda: all(self._is_whole(node) for node in self.nodes))
        return self

    def _is_whole(self, node: RedisServer) -> bool:
        info = ask(node, "CLUSTER", "INFO")
        return (info["cluster_state"], info["cluster_known_nodes"]) == ("ok", str(len(self.nodes)))

    def stop(self) -> None:
        """Stop all nodes."""
        for node in self.nodes:
            node.stop(signal.SIGKILL)


class SentinelSet:
    """A primary, two replicas, and three Sentinels of which two must agree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        primary = RedisServer(folder / "0", port=free_port())
        options = ("--replicaof", "127.0.0.1", str(primary.port), "--repl-diskless-sync-delay", "0")
        replicas = [RedisServer(folder / str(number), port=free_port(), options=options) for number in (1, 2)]
        self.servers = [primary, *replicas]
        self.ports = [free_port() for _ in range(3)]
        self._sentinels: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """Where to connect."""
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{port}" for port in self.ports) + f"/{NAME}/0"

    def start(self) -> SentinelSet:
        """Start all; returns once the replicas are in step and the Sentinels know each other."""
        for server in self.servers:
            server.start()
        wait_until(
            "two replicas in step",
            lambda: (
                [ask(self.servers[0], "INFO", "replication")[f"slave{n}"]["state"] for n in (0, 1)]
                == ["online"] * 2
            ),
        )
        for port in self.ports:
            self._sentinels.append(self._sentinel(port))
        wait_until("Sentinels that know each other", lambda: all(map(self._is_informed, self.ports)))
        return self

    def _sentinel(self, port: int) -> subprocess.Popen[bytes]:
        file = self.folder / f"sentinel-{port}.conf"
        file.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {self.folder}\nlogfile {self.folder}/sentinel-{port}.log\n"
            f"sentinel monitor {NAME} 127.0.0.1 {self.servers[0].port} 2\n"
            f"sentinel down-after-milliseconds {NAME} {_DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {NAME} 5000\n"
        )
        binary = binary_of(BINARY)
        return subprocess.Popen([binary.path, str(file), "--sentinel"], env=binary.environ)

    def _is_informed(self, port: int) -> bool:
        state = _ask(port, "SENTINEL MASTER", NAME)
        return (state["num-slaves"], state["num-other-sentinels"]) == (2, 2)

    def primary(self) -> RedisServer:
        """The one that the Sentinels name."""
        port = self._named_by(self.ports[0])
        return next(server for server in self.servers if server.port == port)

    @staticmethod
    def _named_by(port: int) -> int:
        return int(_ask(port, "SENTINEL GET-MASTER-ADDR-BY-NAME", NAME)[1])

    def fail_over(self, killed: Callable[[], object] = lambda: None) -> RedisServer:
        """Kill the primary, tell that by `killed`; returns the new one once all Sentinels name it."""
        old = self.primary()
        old.stop(signal.SIGKILL)
        killed()
        wait_until("another primary", lambda: old.port not in map(self._named_by, self.ports))
        return self.primary()

    def stop(self) -> None:
        """Stop all."""
        for sentinel in self._sentinels:
            sentinel.kill()
            sentinel.wait(20)
        for server in self.servers:
            server.stop(signal.SIGKILL)


def ask(server: RedisServer, *words: str | int) -> Any:
    """The server's reply to one command, as redis-py gives it."""
    return _ask(server.port, *words)


def _ask(port: int, *words: str | int) -> Any:
    if words[0] == "CLUSTER":  # redis-py knows the reply's form by both words
        words = (f"CLUSTER {words[1]}", *words[2:])
    with Redis(port=port, socket_timeout=5, decode_responses=True) as client:
        return client.execute_command(*words)


def _cluster_port() -> int:
    # The nodes talk to each other on a second port, 10,000 above. Both are below those that the system gives
    # to clients: else a client of another test may have the second by the time that the node wants it.
    while True:
        port = random.randrange(10_000, 22_000)
        with socket.socket() as one, socket.socket() as other, suppress(OSError):
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 10_000))
            return port
