"""What a URL of INGEST_REDIS_URL names."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool

from worker.settings import Settings
from worker.store.topology import client_of, closed, shown

SENTINELS = "rediss+sentinel://ann:s3cret@s1:1,s2/news/3?sentinel_password=0ther&ssl_cert_reqs=none"


async def test_cluster_by_some_of_its_nodes() -> None:
    """Each address is a node to begin with, on 6379 unless it says otherwise, with one user for all."""
    client = client_of("redis+cluster://ann:s3cret@one:7000,two,[::1]:7001", timeout_s=2)
    assert isinstance(client, RedisCluster)
    nodes = sorted((node.host, node.port) for node in client.startup_nodes)
    assert nodes == [("::1", 7001), ("one", 7000), ("two", 6379)]
    assert client.connection_kwargs["username"] == "ann"
    assert client.connection_kwargs["password"] == "s3cret"
    assert client.connection_kwargs["socket_timeout"] == 2
    await closed(client)


async def test_primary_by_its_sentinels() -> None:
    """Name and database are the path's; Sentinels have a password of their own; all of it over TLS."""
    client = client_of(SENTINELS, timeout_s=2)
    assert isinstance(client, Redis)
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "news"
    said = {name: pool.connection_kwargs[name] for name in ("db", "username", "password", "ssl_cert_reqs")}
    assert said == {"db": 3, "username": "ann", "password": "s3cret", "ssl_cert_reqs": "none"}
    sentinels = [sentinel.connection_pool.connection_kwargs for sentinel in pool.sentinel_manager.sentinels]
    assert [(kept["host"], kept["port"], kept["password"]) for kept in sentinels] == [
        ("s1", 1, "0ther"),
        ("s2", 26379, "0ther"),
    ]
    await closed(client)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("redis://ann:s3cret@db:6380/2?protocol=2", "db:6380/2"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("redis+cluster://ann:s3cret@one:7000,two", "one:7000,two"),
        (SENTINELS, "s1:1,s2/news/3"),
    ],
)
def test_no_secret_is_shown(url: str, seen: str) -> None:
    """What logs and errors name is the address."""
    assert shown(url) == seen


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://",
        "redis+cluster://one,,two",
        "redis+cluster://one/1",
        "redis+cluster://one:port",
        "redis+sentinel://one",
        "redis+sentinel://one/",
        "redis+sentinel://one/news/x",
        "redis+other://one",
        "unix+cluster://one",
    ],
)
def test_broken_urls_are_refused(url: str) -> None:
    """A URL that names no server is a fault of the settings, before anything connects."""
    with pytest.raises(ValueError, match="it should look like"):
        Settings(redis_url=url)


@pytest.mark.parametrize("url", [SENTINELS, "redis+cluster://one:1,two/0", "redis+sentinel://[::1]:1/news"])
def test_whole_urls_are_taken(url: str) -> None:
    """Clusters and Sentinels are settings like one server."""
    assert Settings(redis_url=url).redis_url == url
