"""A Redis client for what INGEST_REDIS_URL names: one server, a cluster, or a primary that Sentinels know.

redis://, rediss:// and unix:// are one server. redis+cluster://host:port,host:port is a cluster, and
redis+sentinel://host:port,host:port/name/db a primary by its name; rediss+… is the same over TLS. User and
password are the servers'; those of Sentinels are `sentinel_username` and `sentinel_password` in the query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from worker.store.wire import QuickRedis

if TYPE_CHECKING:
    from urllib.parse import SplitResult

Client = Redis | RedisCluster

_PORTS = {"cluster": 6379, "sentinel": 26379}
#: redis-py has no pool to wait in: a call beyond this many at once to a server fails, as if that were down.
_CONNECTIONS = 20_000


def client_of(url: str, *, timeout_s: float) -> Client:
    """A client that repeats nothing by itself. Raises ValueError for a URL that names no server."""
    parts = urlsplit(url)
    options: dict[str, Any] = {
        "max_connections": _CONNECTIONS,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "health_check_interval": 30,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
    }
    match parts.scheme.partition("+")[2]:
        case "cluster":
            return _cluster(parts, options)
        case "sentinel":
            return _sentinels_primary(parts, options)
    return QuickRedis.from_url(url, retry_on_error=[], **options)


async def closed(client: Client) -> None:
    """Close the client's connections, those to Sentinels too."""
    await client.aclose()
    if isinstance(client, Redis) and isinstance(client.connection_pool, SentinelConnectionPool):
        await client.connection_pool.sentinel_manager.aclose()


def shown(url: str) -> str:
    """The URL as people may see it: without credentials and options."""
    parts = urlsplit(url)
    return f"{'unix://' if parts.scheme == 'unix' else ''}{parts.netloc.rpartition('@')[2]}{parts.path}"


def addresses_of(parts: SplitResult) -> list[tuple[str, int]]:
    """The `host:port` pairs of a cluster's or a Sentinel set's URL. Raises ValueError for a broken one."""
    default = _PORTS[parts.scheme.partition("+")[2]]
    nodes = [urlsplit(f"//{node}") for node in parts.netloc.rpartition("@")[2].split(",")]
    if not all(node.hostname for node in nodes):
        raise ValueError("a host is missing")
    return [(str(node.hostname), node.port or default) for node in nodes]


def _credentials(parts: SplitResult) -> dict[str, Any]:
    """What redis-py makes of the URL's credentials, TLS and query."""
    user = parts.netloc.rpartition("@")[0]
    scheme = parts.scheme.partition("+")[0]
    plain: dict[str, Any] = {
        **parse_url(urlunsplit((scheme, f"{user}@_" if user else "_", "", parts.query, "")))
    }
    plain.pop("host")
    if plain.pop("connection_class", None) is SSLConnection:
        plain["ssl"] = True
    return plain


def _cluster(parts: SplitResult, options: dict[str, Any]) -> RedisCluster:
    nodes = [ClusterNode(host, port) for host, port in addresses_of(parts)]
    return RedisCluster(startup_nodes=nodes, **options | _credentials(parts))


def _sentinels_primary(parts: SplitResult, options: dict[str, Any]) -> Redis:
    _, name, *database = parts.path.split("/")
    servers = options | _credentials(parts)
    sentinels = {key: value for key, value in servers.items() if key.startswith(("socket_", "ssl", "retry"))}
    for key in ("username", "password"):
        sentinels[key] = servers.pop(f"sentinel_{key}", None)
    sentinel = Sentinel(addresses_of(parts), sentinel_kwargs=sentinels, **servers)  # type: ignore[no-untyped-call]
    primary: Redis = sentinel.master_for(name, db=int(database[0]) if database else 0, retry_on_error=[])
    return primary
