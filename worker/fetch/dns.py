"""Names to addresses for aiohttp, with a cache that keeps each answer as long as it says."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver, ResolveResult

from worker.fetch.resolver import Answer, Lookup, system_lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.clock import Clock

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
#: A TTL of nothing (/etc/hosts, some CDNs) must not cost a lookup for each request; one of a week must not
#: outlive a host's move by a week (RFC 8767, 4: caches may cap TTLs).
TTL_S = (5.0, 3_600.0)
TTL_UNKNOWN_S = 60.0
#: RFC 2308, 5 allows hours; but a name that does not exist yet may be one that is being set up.
NEGATIVE_TTL_S = 10.0
_NAMES_KEPT = 10_000
_MOST_ADDRESSES = 8

_Address = tuple[socket.AddressFamily, str]
_Question = tuple[str, socket.AddressFamily]


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer | socket.gaierror
    until: float  # of the monotonic clock


class CachingResolver(AbstractResolver):
    """A cache in front of a lookup; who asks for a name that is being looked up waits for the same answer.

    Failures that may pass (EAI_AGAIN) are not kept. Closing it closes the lookup.
    """

    def __init__(self, lookup: Lookup, clock: Clock, *, names_kept: int = _NAMES_KEPT) -> None:
        self._lookup = lookup
        self._clock = clock
        self._names_kept = names_kept
        self._kept: OrderedDict[_Question, _Kept] = OrderedDict()
        self._asking: dict[_Question, asyncio.Task[Answer]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises socket.gaierror, or UnicodeError for a name that cannot exist."""
        answer = await self._answer((host, family))
        return [
            ResolveResult(hostname=host, host=address, port=port, family=found, proto=0, flags=_NUMERIC)
            for found, address in answer.addresses
        ]

    async def _answer(self, question: _Question) -> Answer:
        kept = self._kept.get(question)
        if kept is not None and self._clock.monotonic() < kept.until:
            if isinstance(kept.answer, socket.gaierror):
                raise socket.gaierror(*kept.answer.args)
            return kept.answer
        if (asking := self._asking.get(question)) is None:
            asking = self._asking[question] = asyncio.create_task(self._ask(question))
            asking.add_done_callback(_heard)
        # Whoever gives up waiting must not take the answer from the others.
        return await asyncio.shield(asking)

    async def _ask(self, question: _Question) -> Answer:
        try:
            answer = await self._lookup.lookup(*question)
        except socket.gaierror as exc:
            if exc.errno != socket.EAI_AGAIN:
                self._keep(question, exc, NEGATIVE_TTL_S)
            raise
        finally:
            del self._asking[question]
        answer = replace(answer, addresses=_few(answer.addresses))
        least_s, most_s = TTL_S
        ttl_s = TTL_UNKNOWN_S if answer.ttl_s is None else min(max(answer.ttl_s, least_s), most_s)
        self._keep(question, answer, ttl_s)
        return answer

    def _keep(self, question: _Question, answer: Answer | socket.gaierror, ttl_s: float) -> None:
        self._kept.pop(question, None)
        self._kept[question] = _Kept(answer, self._clock.monotonic() + ttl_s)
        while len(self._kept) > self._names_kept:
            self._kept.popitem(last=False)

    async def close(self) -> None:
        """End the lookups under way."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self._lookup.close()


def _few(addresses: Sequence[_Address]) -> tuple[_Address, ...]:
    """The first of `addresses`, those of both families, none twice.

    An answer may hold thousands, all of one victim; and happy eyeballs goes over the list again for each that
    fails.
    """
    distinct = tuple(dict.fromkeys(addresses))
    share = _MOST_ADDRESSES // 2
    families = {family for family, _ in distinct}
    first = {family: [each for each in distinct if each[0] == family][:share] for family in families}
    kept = [each for each in distinct if each in first[each[0]]]
    kept += [each for each in distinct if each not in kept][: _MOST_ADDRESSES - len(kept)]
    return tuple(each for each in distinct if each in kept)


def _heard(asking: asyncio.Task[Answer]) -> None:
    """Take note of the failure of a lookup that nobody waits for any more."""
    if not asking.cancelled():
        asking.exception()


def resolver_of_the_system(clock: Clock) -> CachingResolver:
    """A cache in front of the system's lookup. Must be called within a running event loop."""
    return CachingResolver(system_lookup(), clock)
