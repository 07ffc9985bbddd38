"""Whose turn it is to ask for a robots.txt, how the request went, and for how long its answer holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fetch.conftest import USER_AGENT, http
from worker.clock import FakeClock, SystemClock
from worker.errors import FetchFailed
from worker.fetch.gate import RobotsGate, Unshared
from worker.settings import HostOverride
from worker.store.hosts import HostPolicy, Hosts
from worker.store.robots_cache import RobotsCache

if TYPE_CHECKING:
    from tests.fetch.conftest import RawServer
    from worker.clock import Clock
    from worker.fetch.gate import Cache
    from worker.fetch.session import Fetcher
    from worker.store.connection import Connection
    from worker.store.keys import Keys

RULES = http(b"User-agent: *\nDisallow: /private\n", content_type="text/plain")


@pytest.fixture
def cache(connection: Connection, keys: Keys) -> RobotsCache:
    """The fleet's, where files are stale at once."""
    return RobotsCache(connection, keys, ttl_s=0.05)


def gate_of(fetcher: Fetcher, cache: Cache, clock: Clock | None = None) -> RobotsGate:
    return RobotsGate(cache, fetcher, user_agent=USER_AGENT, pause_s=0, clock=clock or FakeClock())


async def test_cancelled_asker_leaves_no_lock(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache
) -> None:
    """A worker that shuts down while it asks lets the next one ask at once."""
    asked = asyncio.Event()

    async def never(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await writer.drain()
        await asyncio.Event().wait()

    server.replies = [never, RULES]
    asking = asyncio.create_task(gate_of(fetcher, cache).learn(server.url()))
    await asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await gate_of(fetcher, cache).learn(server.url())).rules


async def test_fault_of_our_own_leaves_no_lock(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache
) -> None:
    """Nor does a bug, which is told as it is."""

    class Faulty(RobotsCache):
        async def keep(self, *_args: object, **_more: object) -> None:
            raise ZeroDivisionError("a bug")

    server.replies = [RULES]
    faulty = Faulty(cache._connection, cache._keys, ttl_s=1)
    with pytest.raises(ZeroDivisionError):
        await gate_of(fetcher, faulty).learn(server.url())
    assert (await gate_of(fetcher, cache).learn(server.url())).rules


async def test_wait_for_another_one_is_short(server: RawServer, fetcher: Fetcher, cache: RobotsCache) -> None:
    """Who waits for another one's answer gives up in two seconds, with no request and no word on the host."""
    assert await cache.begin(server.url(""), "another", for_s=100) is not None
    clock = FakeClock()
    learning = await gate_of(fetcher, cache, clock).learn(server.url())
    assert (learning.rules, learning.failure, learning.signal.sign) == (None, None, "none")
    assert clock.monotonic() == pytest.approx(FakeClock().monotonic() + 2, abs=0.3)
    assert server.seen == []
    assert await cache.begin(server.url(""), "third", for_s=100) is None


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("503 Service Unavailable", ("throttled", 120)),
        ("429 Too Many Requests", ("throttled", 120)),
        ("500 Internal Server Error", ("failed", 0)),
        ("404 Not Found", ("ok", 0)),
    ],
)
async def test_failed_request_tells_of_the_host_though_a_copy_holds(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache, status: str, word: tuple[str, float]
) -> None:
    """How the request went is not how the file turned out, and its Retry-After counts."""
    server.replies = [RULES, http(status=status, retry_after="120")]
    await gate_of(fetcher, cache).learn(server.url())
    key = cache._keys.part(0, f"robots:{server.url('')}")
    await cache._connection.command("HSET", key, "fresh_until", 1)
    learning = await gate_of(fetcher, cache).learn(server.url())
    assert learning.rules is not None
    assert learning.rules.allows(server.url("/private")) == (word[0] == "ok")
    assert (learning.signal.sign, learning.signal.hold_s) == word
    copy = await cache.look(server.url(""))
    assert copy is not None
    assert copy.fresh_s > word[1]


async def test_file_holds_for_the_turn_after_it(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache
) -> None:
    """A host that rests for longer than files are fresh gets to its pages, in a process and in the fleet."""
    await Hosts(cache._connection, cache._keys).configure(HostPolicy(spacing_s=5000))
    server.replies = [RULES]
    clock = FakeClock()
    gate = gate_of(fetcher, cache, clock)
    await gate.learn(server.url())
    assert await gate_of(fetcher, cache).rules(server.url())
    copy = await cache.look(server.url(""))
    assert copy is not None
    assert copy.fresh_s == pytest.approx(10_060, abs=30)
    slow = RobotsGate(Unshared(), fetcher, user_agent=USER_AGENT, pause_s=5000, clock=clock)
    await slow.learn(server.url())
    clock.advance(5001)
    assert await slow.rules(server.url())


async def test_hops_keep_the_hosts_own_spacing(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache
) -> None:
    """Before a redirect within the host its own rule is kept, and the right to ask lasts for that."""
    host = server.url("").removeprefix("http://")
    await Hosts(cache._connection, cache._keys).configure(
        HostPolicy(spacing_s=0), {host: HostOverride(spacing_s=0.4)}
    )
    server.replies = [http(status="301 Moved Permanently", location="/elsewhere"), RULES]
    clock = SystemClock()
    began = clock.monotonic()
    learning = await gate_of(fetcher, cache, clock).learn(server.url())
    assert learning.signal.sign == "ok"
    assert clock.monotonic() - began >= 0.4


async def test_latency_of_a_failure_is_its_own(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache
) -> None:
    """Neither the wait for another one nor the pauses between hops count as the host's slowness."""
    server.replies = [
        http(status="301 Moved Permanently", location="/elsewhere"),
        http(status="500 Internal Server Error"),
    ]
    gate = RobotsGate(cache, fetcher, user_agent=USER_AGENT, pause_s=0.5, clock=SystemClock())
    learning = await gate.learn(server.url())
    assert learning.failure is not None
    assert learning.signal.sign == "failed"
    assert learning.signal.latency_s < 0.4


async def test_cached_outage_says_nothing_of_the_host(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache
) -> None:
    """Who hears of an outage without a request of its own has no word on the host."""
    await cache.missed(server.url(""), "another")
    with pytest.raises(FetchFailed, match="robots_unreachable"):
        await gate_of(fetcher, cache).rules(server.url())
    learning = await gate_of(fetcher, cache).learn(server.url())
    assert learning.failure is not None
    assert (learning.failure.reason, learning.signal.sign, learning.signal.hold_s) == (
        "robots_unreachable",
        "none",
        0,
    )
