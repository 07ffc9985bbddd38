"""The users of deploy/redis/users.acl on a cluster: each can do its job there, and nothing else."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from redis import exceptions

from tests.cli.conftest import run
from tests.conformance.topologies import Cluster, ask
from tests.security.roles import ROLES, as_documented
from tests.security.test_acl import JOBS
from tests.servers import free_port
from worker.errors import StoreUnusable
from worker.events import SyncArticleConsumer
from worker.store.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Ran

SETTINGS = {"namespace": "news", "partitions": "4", "allow_networks": "127.0.0.0/8"}
#: What no client of ours may do to a cluster.
FORBIDDEN = ("CLUSTER FAILOVER", "CLUSTER RESET", "CLUSTER NODES", "READONLY", "FLUSHALL", "CONFIG GET x")


class GuardedCluster:
    """A cluster whose nodes know the file's users, and the test's own `default`."""

    def __init__(self, cluster: Cluster, passwords: dict[str, str]) -> None:
        self.cluster = cluster
        self._passwords = passwords

    def url_of(self, role: str) -> str:
        """Where that role connects."""
        nodes = self.cluster.url.partition("://")[2]
        return f"redis+cluster://{role}:{self._passwords[role]}@{nodes}"

    def ingest(self, role: str, *words: str, **settings: str) -> Ran:
        """`ingest`, as that role."""
        return run(*words, redis_url=self.url_of(role), **SETTINGS | settings)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedCluster]:
    """The module's cluster."""
    folder = tmp_path_factory.mktemp("g")
    users, passwords = as_documented(folder)
    cluster = Cluster(folder)
    try:
        cluster.start()
        for node in cluster.nodes:
            for line in users.read_text().splitlines():
                if not line.startswith("user default"):
                    ask(node, "ACL SETUSER", *line.split()[1:])
        yield GuardedCluster(cluster, passwords)
    finally:
        for node in cluster.nodes:
            node.stop(signal.SIGKILL)


@pytest.mark.slow
def test_each_role_does_its_job(guarded: GuardedCluster) -> None:
    """URLs pushed, worked off into dead letters, read, looked at and retried, without a right refused."""
    dead_url = f"http://127.0.0.1:{free_port()}/a"
    for node in guarded.cluster.nodes:
        ask(node, "ACL LOG", "RESET")
    for role, words in JOBS:
        ran = guarded.ingest(role, *words)
        assert (ran.code, ran.err) == (0, ""), (role, ran)
    assert guarded.ingest("producer", "add", dead_url, "http://127.0.0.3:1/").code == 0
    worker = guarded.ingest("worker", "run", "--until-empty", max_attempts="1", host_spacing_s="0")
    assert worker.code == 0, worker.err
    status = guarded.ingest("operator", "status", "--json").json
    assert (status["balanced"], status["ledger"]["dead"]) == (True, 4)
    assert len(guarded.ingest("consumer", "tail", "--dead", "--no-follow", "--from", "start").lines) == 4
    with SyncArticleConsumer(
        guarded.url_of("consumer"),
        group="g",
        prefix="news",
        partitions=4,
        streams=("articles", "dead"),
        end_when_quiet_s=0.5,
    ) as consumer:
        events = list(consumer)
        assert (len([event for event in events if event.dead]), consumer.lag()) == (4, 0)
    (letter, *_) = guarded.ingest("operator", "dead", "list", "--json").lines
    assert guarded.ingest("operator", "dead", "retry", letter["entry"]).code == 0
    for node in guarded.cluster.nodes:
        refused = [entry for entry in ask(node, "ACL LOG") if entry["object"] != "client"]
        assert [entry["object"] for entry in refused if not entry["object"].startswith("client|")] == []


async def test_user_of_a_single_server_is_told_what_a_cluster_needs(guarded: GuardedCluster) -> None:
    """The file as shipped does not let its roles ask where the slots are."""
    for node in guarded.cluster.nodes:
        ask(node, "ACL SETUSER", "plain", "on", ">plain", "~*", "-@all", "+ping", "+rpush")
    url = f"redis+cluster://plain:plain@{guarded.cluster.url.partition('://')[2]}"
    async with Connection(url) as connection:
        with pytest.raises(StoreUnusable, match=r"deploy/redis/README\.md"):
            await connection.command("RPUSH", "news:queue", "x")


@pytest.mark.parametrize("role", ROLES)
async def test_no_role_may_rule_the_cluster(guarded: GuardedCluster, role: str) -> None:
    """Who may ask where slots are may not move them, nor anything else of the cluster."""
    node = guarded.cluster.nodes[0]
    url = f"redis://{guarded.url_of(role).partition('://')[2].split('@')[0]}@127.0.0.1:{node.port}/0"
    async with Connection(url) as connection:
        for words in FORBIDDEN:
            with pytest.raises(Exception, match="permission") as refused:
                await connection.command(*words.split())
            assert not isinstance(refused.value, exceptions.ConnectionError)
