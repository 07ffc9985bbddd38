"""Redis or Valkey, one server or many: how it is reached, and how its troubles are told apart.

Every call made here is safe to repeat (see the scripts' contracts), so every call is repeated, with a growing
pause, until Redis answers or the caller's patience ends. redis-py's own hidden retries are off.
"""

from __future__ import annotations

import asyncio
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self

from redis import exceptions
from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    stop_never,
    wait_random_exponential,
)

from worker.clock import Clock, SystemClock
from worker.errors import StoreUnavailable, StoreUnusable
from worker.store.cluster import on_one_node
from worker.store.durability import Unconfirmed, confirmed
from worker.store.outages import Call, Outages, Unwatched
from worker.store.scripts import script
from worker.store.topology import Client, client_of, closed, shown
from worker.store.troubles import UNREACHABLE, translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

    from worker.store.outages import Watch

OLDEST_SERVER = (6, 2)

Word = str | bytes | int | float
Durability = Literal["none", "wait"]


class Connection:
    """Pools of connections to what `worker.store.topology` makes of the URL.

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
        durability: Durability = "none",
    ) -> None:
        self.where = shown(url)
        self._redis = client_of(url, timeout_s=timeout_s)
        self.longest_wait_s = timeout_s / 2  # beyond `timeout_s` without a reply, Redis counts as away
        self._durability = durability
        self._confirm_ms = int(timeout_s * 500)  # half of what a reply may take
        self._patience_s = patience_s
        self._clock = clock or SystemClock()
        self.outages = Outages(watch or Unwatched(), self._clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await closed(self._redis)

    @property
    def steady_s(self) -> float:
        """Seconds since Redis last came back; 0 while it is away, or refuses what it is asked."""
        return self.outages.steady_s

    @property
    def trouble(self) -> str:
        """Why calls wait for Redis; empty while none does."""
        return self.outages.why

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

    @property
    def clustered(self) -> bool:
        """Whether keys of different hash tags are on different servers: no command can name two such."""
        return isinstance(self._redis, RedisCluster)

    async def command(self, *words: Word, **form: bool) -> Any:
        """Send a command that is safe to repeat, and return redis-py's form of the reply.

        `form` is what redis-py asks to know of a reply that has two forms, such as `parse_justid`.
        """
        return await self._until_answered(self._once, words, None, form)

    async def once(self, *words: Word) -> Any:
        """Send a command that waits on the server, for `longest_wait_s` at most, and need not be answered.

        It is not repeated, and that it fails is no outage: whoever needs an answer asks for another one.
        """
        return await _cancellable(self._once, words)

    async def append(self, key: str, items: Iterable[Word]) -> None:
        """RPUSH what must outlive a failover; after a lost reply the items may stand twice.

        With durability `wait`, raises Unconfirmed when no replica has them in time: they stand there then.
        """
        words = ("RPUSH", key, *items)
        if self._durability == "none":
            await self.command(*words)
        elif unconfirmed := await self._until_answered(self._appended, words):
            raise unconfirmed

    async def _appended(self, words: tuple[Word, ...]) -> Unconfirmed | None:
        # Asked for again, it would be written again: that is for the caller to decide.
        try:
            await self._confirmed(words, None)
        except Unconfirmed as unconfirmed:
            return unconfirmed
        return None

    async def scan(self, pattern: str, *, count: int) -> AsyncIterator[list[bytes]]:
        """Pages of about `count` looked-at keys that match, of every primary; a key may come twice."""
        for node in await self._until_answered(self._primaries):
            cursor = 0
            while True:
                cursor, page = await self._until_answered(
                    self._once, ("SCAN", cursor, "MATCH", pattern, "COUNT", count), node
                )
                yield page
                if int(cursor) == 0:
                    break

    async def of_primaries(self, *words: Word) -> list[Any]:
        """Each primary's reply to a command that is safe to repeat and has no key."""
        replies: list[Any] = await self._until_answered(self._once_of_each, words)
        return replies

    async def _once_of_each(self, words: tuple[Word, ...]) -> list[Any]:
        # Who the primaries are is asked anew each time: one that died may never answer again.
        return [await self._once(words, node) for node in await self._primaries()]

    async def _primaries(self) -> Sequence[Client | ClusterNode]:
        if not isinstance(self._redis, RedisCluster):
            return [self._redis]
        try:
            await self._redis.initialize()  # whoever has not asked anything yet knows no node
        except UNREACHABLE as error:
            raise translated(error, self.where) from error
        return self._redis.get_primaries()

    async def run(
        self, name: str, keys: Sequence[str], args: Sequence[Word], *, lasting: str | None = None
    ) -> Any:
        """Run a script of `lua/`, loading it where the server does not know it (yet, or after a restart).

        `lasting` is for what must outlive a failover: a hash in the script's slot, which may be touched.
        """
        text = script(name)
        try:
            return await self._lastingly(("EVALSHA", text.sha, len(keys), *keys, *args), lasting)
        except exceptions.NoScriptError:
            return await self._lastingly(("EVAL", text.text, len(keys), *keys, *args), lasting)

    async def _lastingly(self, words: tuple[Word, ...], lasting: str | None) -> Any:
        if lasting is None or self._durability == "none":
            if isinstance(self._redis, RedisCluster):
                return await self._until_answered(self._once_of_slot, self._redis, words)
            return await self._until_answered(self._once, words)
        return await self._until_answered(self._confirmed, words, lasting)

    async def _once_of_slot(self, client: RedisCluster, words: tuple[Word, ...]) -> Any:
        try:
            (reply,) = await on_one_node(client, str(words[3]), [words])
            if isinstance(reply, Exception):
                raise reply
        except exceptions.NoScriptError:
            raise
        except UNREACHABLE as error:
            raise translated(error, self.where) from error
        return reply

    async def _confirmed(self, words: tuple[Word, ...], touched: str | None) -> Any:
        try:
            return await confirmed(self._redis, words, touched, self._confirm_ms)
        except exceptions.NoScriptError:
            raise
        except UNREACHABLE as error:
            raise translated(error, self.where) from error

    async def _until_answered(self, ask: Callable[..., Awaitable[Any]], *args: object) -> Any:
        began = time.monotonic()
        try:
            reply: Any = await _cancellable(ask, *args)
        except StoreUnavailable as failure:
            # What repeats calls takes 70 µs of CPU for one that is answered at once, as nearly all are.
            return await self._repeated(failure, time.monotonic() - began, ask, *args)
        self.outages.ended(Call(self.outages), answered=True)
        return reply

    async def _repeated(
        self, first: StoreUnavailable, took_s: float, ask: Callable[..., Awaitable[Any]], *args: object
    ) -> Any:
        """Go on with a call whose first try has failed after `took_s`, which counts for the patience."""
        call, answered, failures = Call(self.outages), False, [first]
        stop = stop_never if self._patience_s is None else stop_after_delay(self._patience_s - took_s)

        async def tried() -> Any:
            if failures:
                raise failures.pop()
            return await _cancellable(ask, *args)

        attempts = AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            stop=stop,
            before_sleep=call.note,
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            reply: Any = await attempts(tried)
            answered = True
        finally:
            self.outages.ended(call, answered=answered)
        return reply

    async def _once(
        self,
        words: tuple[Word, ...],
        at: Client | ClusterNode | None = None,
        form: Mapping[str, bool] = MappingProxyType({}),
    ) -> Any:
        try:
            # Cancelled half-way, redis-py drops the connection: no reply is left in it for the next caller.
            return await (at or self._redis).execute_command(*words, **form)
        except exceptions.NoScriptError:
            raise
        except UNREACHABLE as error:
            if isinstance(at, ClusterNode):
                await self._redis.aclose()  # the next call looks anew for who the primaries are
            raise translated(error, self.where) from error


async def _cancellable(ask: Callable[..., Awaitable[Any]], *args: object) -> Any:
    # redis-py sends by wait_for, which on CPython 3.11 swallows a cancellation that comes in the turn in
    # which its wait ends: the caller would go on for ever, with its TaskGroup waiting for it.
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        return await ask(*args)
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError
