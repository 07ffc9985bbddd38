"""What an error of redis-py means: a trouble that passes, one that does not, or a fault of our own."""

from __future__ import annotations

from redis import exceptions

from worker.errors import StoreForbids, StoreUnavailable, StoreUnusable

_REFUSED = ("NOAUTH", "WRONGPASS")
#: An ACL that lacks a command or a key; what a script was kept from has no error code of its own.
_FORBIDDEN = ("NOPERM", "The user executing the script can't")
#: A script of someone else's that runs for too long, a cluster that is moving slots or electing, a primary
#: that became a replica while a WAIT of ours stood there.
_PASSING = (
    *("BUSY ", "is busy running a script", "TRYAGAIN", "CLUSTERDOWN"),
    *("UNBLOCKED", "WAIT cannot be used with replica"),
)
#: The same where redis-py has made a class of the error's code, and cut it off the text.
_PASSING_TYPES = (exceptions.TryAgainError, exceptions.ClusterDownError)
#: How uvloop (0.23) tells that a connection was lost before the command could be written.
_CLOSED = "the handler is closed"
#: All that redis-py raises, and what it lets through; its RedisClusterException is no RedisError.
UNREACHABLE = (
    exceptions.RedisError,
    exceptions.RedisClusterException,
    OSError,
    TimeoutError,
    RuntimeError,
    AttributeError,
)


def translated(error: Exception, where: str) -> StoreUnavailable | StoreUnusable:
    """What the operator should hear. Raises the error again when it is a fault of our own."""
    if isinstance(error.__cause__, exceptions.AuthenticationError):
        error = error.__cause__  # over a unix socket, redis-py wraps it as a connection that failed
    text = str(error).rstrip(".")
    if trouble := _of_credentials(error, where, text) or _of_cluster(error, where, text):
        return trouble
    if _is_a_lost_connection(error, text):
        return StoreUnavailable(f"Redis at {where} closed the connection")
    match error:
        case exceptions.BusyLoadingError():
            return StoreUnavailable(f"Redis at {where} is loading its data")
        case exceptions.RedisError() if "DB index" in text:
            return StoreUnusable(f"Redis at {where} has no such database: {text}. Check INGEST_REDIS_URL.")
        case exceptions.ConnectionError() | exceptions.TimeoutError() | OSError():
            return StoreUnavailable(
                f"no answer from Redis at {where}: {text} (is it running? INGEST_REDIS_URL says where it is)"
            )
        case exceptions.InvalidResponse():
            return StoreUnusable(f"what answers at {where} is no Redis: {text}. Check INGEST_REDIS_URL.")
        case exceptions.ResponseError() if isinstance(error, exceptions.ReadOnlyError) or "READONLY" in text:
            return StoreUnavailable(
                f"Redis at {where} is a read-only replica: point INGEST_REDIS_URL at the primary"
            )
        case exceptions.ResponseError() if isinstance(error, exceptions.OutOfMemoryError) or "-OOM" in text:
            return StoreUnavailable(
                f"Redis at {where} is out of memory: raise maxmemory, or let consumers acknowledge and trim"
            )
        case exceptions.ResponseError() if "WRONGTYPE" in text:
            return StoreUnusable(
                f"a key in Redis at {where} is not of our making ({text}): choose another INGEST_NAMESPACE"
            )
        case exceptions.ResponseError() if isinstance(error, _PASSING_TYPES) or any(
            word in text for word in _PASSING
        ):
            return StoreUnavailable(f"Redis at {where} asks for patience: {text}")
        case exceptions.ResponseError() if "MISCONF" in text or "NOREPLICAS" in text or "MASTERDOWN" in text:
            return StoreUnavailable(f"Redis at {where} refuses writes: {text}")
    raise error


def _is_a_lost_connection(error: Exception, text: str) -> bool:
    match error:
        case RuntimeError():
            return _CLOSED in text
        # A cluster's client (redis-py 8.1) forgets its nodes while another call is connecting to one.
        case AttributeError(name="writelines" | "drain", obj=None):
            return True
    return False


def _of_credentials(error: Exception, where: str, text: str) -> StoreUnusable | None:
    match error:
        case exceptions.RedisError() if isinstance(error, exceptions.AuthenticationError) or any(
            word in text for word in _REFUSED
        ):
            return StoreUnusable(f"Redis at {where} refuses the credentials: {text}. Check INGEST_REDIS_URL.")
        case exceptions.RedisError() if isinstance(error, exceptions.NoPermissionError) or any(
            word in text for word in _FORBIDDEN
        ):
            return StoreForbids(
                f"Redis at {where} forbids this to the user of INGEST_REDIS_URL: {text}. "
                "deploy/redis/users.acl has what each role needs"
            )
        case exceptions.ConnectionError() if "CERTIFICATE_VERIFY_FAILED" in text:
            return StoreUnusable(
                f"Redis at {where} shows a certificate that is not trusted: {text}. Name its authority, and "
                "Redis as the certificate does, in INGEST_REDIS_URL: rediss://host:6379/0?ssl_ca_certs=ca.pem"
            )
    return None


def _of_cluster(error: Exception, where: str, text: str) -> StoreUnavailable | StoreUnusable | None:
    match error:
        case exceptions.MovedError():
            return StoreUnusable(
                f"Redis at {where} is a node of a cluster: write redis+cluster:// in INGEST_REDIS_URL"
            )
        case exceptions.RedisClusterException() if "not enabled" in text:
            # redis-py says so, too, where the user may not ask.
            return StoreUnusable(
                f"Redis at {where} is no cluster, or keeps its user from CLUSTER SLOTS: {text}. Check "
                "INGEST_REDIS_URL; deploy/redis/README.md has what a cluster's users need"
            )
        case exceptions.RedisClusterException() if (
            isinstance(error, exceptions.SlotNotCoveredError) or "connect" in text
        ):
            return StoreUnavailable(f"the cluster at {where} does not answer for all slots: {text}")
        case exceptions.ClusterError() if "TTL exhausted" in text:  # sent from node to node, round and round
            return StoreUnavailable(f"the cluster at {where} does not agree on who serves a slot")
    return None
