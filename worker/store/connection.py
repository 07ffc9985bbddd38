"""One Redis or Valkey server: how it is reached, and how its troubles are told apart.

Every call made here is safe to repeat (see the scripts' contracts), so every call is repeated, with a growing
pause, until Redis answers or the caller's patience ends. redis-py's own hidden retries are off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    stop_never,
    wait_random_exponential,
)

from worker.clock import Clock, SystemClock
from worker.errors import StoreUnavailable, StoreUnusable
from worker.store.scripts import script

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

OLDEST_SERVER = (6, 2)

Word = str | bytes | int | float

_REFUSALS = (exceptions.AuthenticationError, exceptions.NoPermissionError)
_REFUSED = ("NOAUTH", "WRONGPASS", "NOPERM")
#: A script of someone else's that runs for too long, and a cluster that is moving slots or electing.
_PASSING = ("BUSY Redis", "Redis is busy", "TRYAGAIN", "CLUSTERDOWN")
_UNREACHABLE = (exceptions.ConnectionError, exceptions.TimeoutError, OSError, TimeoutError)


class Watch(Protocol):
    """Who wants to know that Redis went away and came back."""

    def unavailable(self, why: str) -> None:
        """The first failed call of an outage."""

    def restored(self, after_s: float) -> None:
        """The first answered call after it."""


class Unwatched:
    """Nobody does."""

    def unavailable(self, why: str) -> None:
        """Say nothing."""

    def restored(self, after_s: float) -> None:
        """Say nothing."""


def _translated(error: Exception, where: str) -> StoreUnavailable | StoreUnusable:
    """What the operator should hear. Raises the error again when it is a fault of our own."""
    if isinstance(error.__cause__, exceptions.AuthenticationError):
        error = error.__cause__  # over a unix socket, redis-py wraps it as a connection that failed
    text = str(error).rstrip(".")
    match error:
        case exceptions.RedisError() if isinstance(error, _REFUSALS) or any(
            word in text for word in _REFUSED
        ):
            return StoreUnusable(f"Redis at {where} refuses the credentials: {text}. Check INGEST_REDIS_URL.")
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
        case exceptions.ResponseError() if any(word in text for word in _PASSING):
            return StoreUnavailable(f"Redis at {where} asks for patience: {text}")
        case exceptions.ResponseError() if "MISCONF" in text or "NOREPLICAS" in text or "MASTERDOWN" in text:
            return StoreUnavailable(f"Redis at {where} refuses writes: {text}")
    raise error


class Connection:
    """A pool of connections to one server.

    Calls raise StoreUnavailable when Redis stays away for longer than `patience_s` (`None`: never give up),
    and StoreUnusable at once when it refuses us for good.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 5.0,
        patience_s: float | None = 5.0,
        watch: Watch | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.where = (
            url.rpartition("@")[2].partition("?")[0].removeprefix("redis://").removeprefix("rediss://")
        )
        self._redis = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            health_check_interval=30,
            protocol=2,
        )
        self._stop = stop_never if patience_s is None else stop_after_delay(patience_s)
        self._watch = watch or Unwatched()
        self._clock = clock or SystemClock()
        self._down_since: float | None = None
        self._up_since = self._clock.monotonic()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()

    @property
    def steady_s(self) -> float:
        """Seconds since Redis last came back; 0 while it is away."""
        return 0.0 if self._down_since is not None else self._clock.monotonic() - self._up_since

    async def check(self) -> dict[str, str]:
        """The server's INFO. Raises StoreUnusable for one that is too old, StoreUnavailable for a replica."""
        info: dict[str, str] = await self._until_answered(self._checked)
        return info

    async def _checked(self) -> dict[str, str]:
        reply = await self._once(("INFO",))
        info = {str(key): str(value) for key, value in reply.items()}
        version = info.get("redis_version", "0.0")
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_SERVER:
            raise StoreUnusable(
                f"Redis at {self.where} is version {version}; ingest needs Redis 6.2 or Valkey 7.2, or later"
            )
        if info.get("role") == "slave" and info.get("slave_read_only", "1") == "1":
            raise StoreUnavailable(
                f"Redis at {self.where} is a read-only replica: point INGEST_REDIS_URL at the primary"
            )
        return info

    async def command(self, *words: Word) -> Any:
        """Send a command that is safe to repeat, and return redis-py's form of the reply."""
        return await self._patiently(words)

    async def run(self, name: str, keys: Sequence[str], args: Sequence[Word]) -> Any:
        """Run a script of `lua/`, loading it where the server does not know it (yet, or after a restart)."""
        text = script(name)
        try:
            return await self._patiently(("EVALSHA", text.sha, len(keys), *keys, *args))
        except exceptions.NoScriptError:
            return await self._patiently(("EVAL", text.text, len(keys), *keys, *args))

    async def _patiently(self, words: tuple[Word, ...]) -> Any:
        return await self._until_answered(self._once, words)

    async def _until_answered(self, ask: Callable[..., Awaitable[Any]], *args: object) -> Any:
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            stop=self._stop,
            before_sleep=self._note_outage,
            sleep=self._clock.sleep,
            reraise=True,
        )
        reply: Any = await attempts(ask, *args)
        if self._down_since is not None:
            self._up_since = self._clock.monotonic()
            self._watch.restored(self._up_since - self._down_since)
            self._down_since = None
        return reply

    def _note_outage(self, state: RetryCallState) -> None:
        if self._down_since is None and state.outcome is not None:
            self._down_since = self._clock.monotonic()
            self._watch.unavailable(str(state.outcome.exception()))

    async def _once(self, words: tuple[Word, ...]) -> Any:
        try:
            # Cancelled half-way, redis-py drops the connection: no reply is left in it for the next caller.
            return await self._redis.execute_command(*words)  # type: ignore[no-untyped-call]
        except exceptions.NoScriptError:
            raise
        except (exceptions.RedisError, *_UNREACHABLE) as error:
            raise _translated(error, self.where) from error
