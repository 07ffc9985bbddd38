"""The DNS cache, in front of c-ares and a real name server; time is the injected clock's."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.fetch.nameserver import Nameserver
from worker.clock import FakeClock
from worker.fetch.dns import NEGATIVE_TTL_S, TTL_S, TTL_UNKNOWN_S, CachingResolver, resolver_of_the_system
from worker.fetch.resolver import Answer, AresLookup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fetch.nameserver import Names


@asynccontextmanager
async def resolving(names: Names, clock: FakeClock) -> AsyncIterator[tuple[CachingResolver, Nameserver]]:
    async with Nameserver(names) as dns:
        resolver = CachingResolver(AresLookup([dns.address]), clock)
        try:
            yield resolver, dns
        finally:
            await resolver.close()


async def addresses(resolver: CachingResolver, host: str) -> list[str]:
    return [found["host"] for found in await resolver.resolve(host, 80)]


async def failure(resolver: CachingResolver, host: str) -> int | None:
    with pytest.raises(socket.gaierror) as failed:
        await resolver.resolve(host)
    return failed.value.errno


async def test_a_name_is_asked_for_once_within_its_ttl() -> None:
    """The second lookup asks no server, whatever the port; another name does."""
    clock = FakeClock()
    async with resolving({"a.example": (["192.0.2.1"], 300), "b.example": (["192.0.2.2"], 300)}, clock) as (
        resolver,
        dns,
    ):
        assert await addresses(resolver, "a.example") == ["192.0.2.1"]
        clock.advance(299)
        assert await addresses(resolver, "a.example") == ["192.0.2.1"]
        assert (await resolver.resolve("a.example", 8080))[0]["port"] == 8080
        assert dns.asked_for("a.example") == 1
        assert await addresses(resolver, "b.example") == ["192.0.2.2"]


async def test_a_name_is_asked_for_again_after_its_ttl() -> None:
    """A server that moves is found at its new address; a TTL of nothing counts as a few seconds."""
    clock = FakeClock()
    async with resolving({"a.example": (["192.0.2.1"], 0)}, clock) as (resolver, dns):
        await resolver.resolve("a.example")
        dns.names["a.example"] = (["192.0.2.9"], 0)
        clock.advance(TTL_S[0] - 0.1)
        assert await addresses(resolver, "a.example") == ["192.0.2.1"]
        clock.advance(0.1)
        assert await addresses(resolver, "a.example") == ["192.0.2.9"]
        assert dns.asked_for("a.example") == 2


class Counting:
    """A lookup that gives what it is told, and counts."""

    def __init__(self, *answers: Answer | OSError, wait: asyncio.Event | None = None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.wait = wait
        self.closed = False

    async def lookup(self, host: str, family: socket.AddressFamily) -> Answer:
        self.asked += 1
        if self.wait is not None:
            await self.wait.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


HERE = ((socket.AF_INET, "192.0.2.1"),)


@pytest.mark.parametrize(
    ("ttl_s", "kept_s"),
    [(0.0, TTL_S[0]), (77.0, 77.0), (86_400.0, TTL_S[1]), (None, TTL_UNKNOWN_S)],
)
async def test_ttls_are_kept_within_bounds(ttl_s: float | None, kept_s: float) -> None:
    """An answer is kept for as long as it says, but for at least 5 seconds and at most an hour."""
    clock, lookup = FakeClock(), Counting(Answer(HERE, ttl_s))
    resolver = CachingResolver(lookup, clock)
    await resolver.resolve("a.example")
    clock.advance(kept_s - 0.1)
    await resolver.resolve("a.example")
    assert lookup.asked == 1
    clock.advance(0.1)
    await resolver.resolve("a.example")
    assert lookup.asked == 2


async def test_unknown_names_are_kept_shortly() -> None:
    """A name that does not exist is not asked for again at once, and found soon after it has been made."""
    clock = FakeClock()
    async with resolving({}, clock) as (resolver, dns):
        assert await failure(resolver, "new.example") == socket.EAI_NONAME
        clock.advance(NEGATIVE_TTL_S - 0.1)
        assert await failure(resolver, "new.example") == socket.EAI_NONAME
        assert dns.asked_for("new.example") == 1
        dns.names["new.example"] = (["192.0.2.1"], 300)
        clock.advance(0.1)
        assert await addresses(resolver, "new.example") == ["192.0.2.1"]


async def test_failures_that_may_pass_are_not_kept() -> None:
    """A name server in trouble is asked again at the next request."""
    async with resolving({"a.example": (["192.0.2.1"], 300)}, FakeClock()) as (resolver, dns):
        dns.broken = True
        assert await failure(resolver, "a.example") == socket.EAI_AGAIN
        dns.broken = False
        assert await addresses(resolver, "a.example") == ["192.0.2.1"]


async def test_one_question_serves_all_who_wait() -> None:
    """Requests at once for one host ask once, and one that gives up does not take the answer from others."""
    wait = asyncio.Event()
    lookup = Counting(Answer(HERE, 300), wait=wait)
    resolver = CachingResolver(lookup, FakeClock())
    first, second = (asyncio.create_task(addresses(resolver, "a.example")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    wait.set()
    assert await second == ["192.0.2.1"]
    assert lookup.asked == 1


async def test_a_failure_that_nobody_waits_for_is_no_noise() -> None:
    """A lookup that fails after its request was given up ends quietly, and the next one asks anew."""
    wait = asyncio.Event()
    lookup = Counting(OSError("down"), Answer(HERE, 300), wait=wait)
    resolver = CachingResolver(lookup, FakeClock())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(resolver.resolve("a.example"), 0.01)
    wait.set()
    await asyncio.sleep(0)
    assert await addresses(resolver, "a.example") == ["192.0.2.1"]


async def test_the_cache_is_bounded() -> None:
    """The name that was looked up longest ago makes room."""
    lookup = Counting(Answer(HERE, 300))
    resolver = CachingResolver(lookup, FakeClock(), names_kept=2)
    for name in ("a.example", "b.example", "c.example", "b.example", "a.example"):
        await resolver.resolve(name)
    assert lookup.asked == 4


async def test_closing_ends_what_is_under_way() -> None:
    """Who waits for an answer is told that there will be none."""
    lookup = Counting(Answer(HERE, 300), wait=asyncio.Event())
    resolver = CachingResolver(lookup, FakeClock())
    waiting = asyncio.create_task(resolver.resolve("a.example"))
    await asyncio.sleep(0)
    await resolver.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert lookup.closed


async def test_the_systems_resolver_knows_etc_hosts() -> None:
    """`localhost` resolves without a name server."""
    resolver = resolver_of_the_system(FakeClock())
    found = await resolver.resolve("localhost", 80)
    await resolver.close()
    assert {entry["host"] for entry in found} <= {"127.0.0.1", "::1"}
    assert found
