"""The gate: one request for robots.txt in the whole fleet, however many ask, and what holds in an outage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fetch.conftest import USER_AGENT, http, then_close
from worker.clock import Clock, FakeClock, SystemClock
from worker.errors import FetchFailed
from worker.fetch import gate as gate_module
from worker.fetch.gate import RobotsGate, Unshared
from worker.store.robots_cache import RobotsCache

if TYPE_CHECKING:
    from tests.fetch.conftest import RawServer
    from worker.fetch.robots import RobotsRules
    from worker.fetch.session import Fetcher
    from worker.robots_copy import RobotsCopy
    from worker.store.connection import Connection
    from worker.store.keys import Keys

TEXT = b"User-agent: *\nDisallow: /private\nCrawl-delay: 3\n"
RULES = http(TEXT, content_type="text/plain")
DOWN = http(status="503 Service Unavailable")
DAY_S = 86_400


class Fleet(RobotsCache):
    """The fleet's cache in Redis, which counts the looks at it and can let time pass."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        super().__init__(connection, keys, ttl_s=DAY_S)
        self.looks = 0
        self.looked_often = asyncio.Event()

    async def look(self, origin: str) -> RobotsCopy | None:
        self.looks += 1
        if self.looks >= 18:
            self.looked_often.set()
        return await super().look(origin)

    async def age(self, server: RawServer, seconds: float) -> None:
        """Let what is kept of the server's file be older."""
        key = self._keys.part(0, f"robots:{server.url('')}")
        for field in await self._connection.command("HKEYS", key):
            if field in {b"fresh_until", b"down_since", b"asking_until"}:
                await self._connection.command("HINCRBY", key, field, -int(seconds * 1000))


@pytest.fixture
def fleet(connection: Connection, keys: Keys) -> Fleet:
    return Fleet(connection, keys)


def gate_of(fetcher: Fetcher, cache: RobotsCache | Unshared, clock: Clock | None = None) -> RobotsGate:
    return RobotsGate(cache, fetcher, user_agent=USER_AGENT, pause_s=0, clock=clock or FakeClock())


async def known_to(gate: RobotsGate, url: str) -> RobotsRules:
    rules = await gate.rules(url)
    assert rules is not None
    return rules


async def learnt(gate: RobotsGate, url: str) -> RobotsRules:
    learning = await gate.learn(url)
    assert learning.rules is not None, learning
    return learning.rules


async def test_unknown_until_learnt(server: RawServer, fetcher: Fetcher, fleet: Fleet) -> None:
    """Rules are unknown until somebody learns them, which takes one request."""
    server.replies = [RULES]
    gate = gate_of(fetcher, fleet)
    assert await gate.rules(server.url("/private/1")) is None
    assert (await learnt(gate, server.url("/private/1"))).crawl_delay_s == 3
    known = await known_to(gate, server.url("/private/1"))
    assert not known.allows(server.url("/private/1"))
    assert known.allows(server.url("/public"))
    assert [seen.path for seen in server.seen] == ["/robots.txt"]


async def test_other_workers_need_no_request(server: RawServer, fetcher: Fetcher, fleet: Fleet) -> None:
    """What one worker has learnt, the next one reads from the cache."""
    server.replies = [RULES]
    await gate_of(fetcher, fleet).learn(server.url())
    rules = await known_to(gate_of(fetcher, fleet), server.url("/private"))
    assert not rules.allows(server.url("/private"))
    assert len(server.seen) == 1


@pytest.mark.parametrize("reply", [RULES, DOWN])
async def test_workers_that_ask_at_once_make_one_request(
    server: RawServer, fetcher: Fetcher, fleet: Fleet, reply: bytes
) -> None:
    """Of ten workers that need the same unknown file one asks, and all hear what came of it."""
    answered = asyncio.Event()

    async def when_told(writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        writer.write(reply)

    server.replies = [when_told]
    gates = [gate_of(fetcher, fleet, SystemClock()) for _ in range(10)]
    asking = [asyncio.create_task(gate.learn(server.url("/private"))) for gate in gates]
    await fleet.looked_often.wait()  # twice, the nine that wait
    answered.set()
    outcomes = await asyncio.gather(*asking)
    assert len(server.seen) == 1
    if reply is RULES:
        verdicts = {each.rules is None or each.rules.allows(server.url("/private")) for each in outcomes}
        assert verdicts == {False}
    else:
        assert {each.failure and each.failure.reason for each in outcomes} == {"robots_unreachable"}
    signs = sorted(each.signal.sign for each in outcomes)
    assert signs == ["none"] * 9 + ["ok" if reply is RULES else "throttled"]


async def test_crashed_asker_is_succeeded(server: RawServer, fetcher: Fetcher, fleet: Fleet) -> None:
    """Who asked and never answered holds the others up for the time of one fetch, and no longer."""
    server.replies = [RULES]
    assert await fleet.begin(server.url(""), "crashed", for_s=100) is not None

    class Passing(FakeClock):
        async def sleep(self, seconds: float) -> None:
            self.advance(seconds)
            await fleet.age(server, 101)

    await gate_of(fetcher, fleet, Passing()).learn(server.url())
    assert len(server.seen) == 1


async def test_unreachable_forbids_for_a_while(server: RawServer, fetcher: Fetcher, fleet: Fleet) -> None:
    """While the file cannot be had nothing is fetched, nor asked again for a minute, in the whole fleet."""
    server.replies = [DOWN, RULES]
    learning = await gate_of(fetcher, fleet).learn(server.url())
    assert learning.failure is not None
    assert (learning.failure.reason, learning.failure.retry_after_s) == ("robots_unreachable", 60)
    assert (learning.signal.sign, learning.signal.hold_s, learning.signal.reason) == (
        "throttled",
        60,
        "http_503",
    )
    other = gate_of(fetcher, fleet)
    with pytest.raises(FetchFailed, match="robots_unreachable"):
        await other.rules(server.url())
    assert len(server.seen) == 1
    await fleet.age(server, 61)
    assert await other.rules(server.url()) is None
    assert not (await learnt(other, server.url())).allows(server.url("/private"))


async def test_last_copy_holds_in_an_outage(server: RawServer, fetcher: Fetcher, fleet: Fleet) -> None:
    """A file that was had once binds for as long as no newer one can be had, past its day (RFC 9309, 2.4)."""
    server.replies = [RULES, DOWN]
    await gate_of(fetcher, fleet).learn(server.url())
    await fleet.age(server, 40 * DAY_S)
    gate = gate_of(fetcher, fleet)
    assert await gate.rules(server.url()) is None
    for rules in (await learnt(gate, server.url()), await known_to(gate_of(fetcher, fleet), server.url())):
        assert rules.allows(server.url("/public"))
        assert not rules.allows(server.url("/private"))
    assert len(server.seen) == 2


async def test_long_outage_counts_as_no_file(server: RawServer, fetcher: Fetcher, fleet: Fleet) -> None:
    """After 30 days without any file, none is taken to exist (RFC 9309, 2.3.1.4)."""
    server.replies = [DOWN]
    for days, allowed in ((29, False), (2, True)):
        assert (await gate_of(fetcher, fleet).learn(server.url())).failure
        await fleet.age(server, days * DAY_S)
        if allowed:
            assert (await learnt(gate_of(fetcher, fleet), server.url())).allows(server.url("/private"))


async def test_host_that_cannot_be_had_is_named_and_asked_anew(
    server: RawServer, fetcher: Fetcher, fleet: Fleet
) -> None:
    """A broken connection is told as what it is, and is no answer about robots.txt."""
    server.replies = [then_close(b""), RULES]
    gate = gate_of(fetcher, fleet)
    learning = await gate.learn(server.url())
    assert learning.failure is not None
    assert (learning.failure.reason, learning.signal.sign) == ("connect", "failed")
    assert (await learnt(gate, server.url())).crawl_delay_s == 3


@pytest.mark.parametrize(
    ("cache_control", "fresh_s"),
    [("max-age=7200", 7200), ("max-age=0", 600), ("no-store", 600), ("max-age=999999", DAY_S), ("", DAY_S)],
)
async def test_server_may_shorten_the_day(
    server: RawServer, fetcher: Fetcher, fleet: Fleet, cache_control: str, fresh_s: float
) -> None:
    """Cache-Control counts below a day (RFC 9111), but for ten minutes the file is kept in any case."""
    server.replies = [http(TEXT, cache_control=cache_control)]
    await gate_of(fetcher, fleet).learn(server.url())
    copy = await fleet.look(server.url(""))
    assert copy is not None
    assert copy.fresh_s == pytest.approx(fresh_s, abs=30)


async def test_process_without_a_fleet(server: RawServer, fetcher: Fetcher) -> None:
    """Without a shared cache the gate's own copy serves."""
    server.replies = [RULES, DOWN]
    gate = gate_of(fetcher, Unshared())
    assert await gate.rules(server.url()) is None
    await gate.learn(server.url())
    assert not (await known_to(gate, server.url())).allows(server.url("/private"))
    assert (await gate_of(fetcher, Unshared()).learn(server.url())).failure


async def test_parsed_copies_are_read_again_in_time(
    server: RawServer, fetcher: Fetcher, fleet: Fleet
) -> None:
    """A parsed copy spares looks at the cache for five minutes, and no longer."""
    server.replies = [RULES]
    clock = FakeClock()
    gate = gate_of(fetcher, fleet, clock)
    await gate.learn(server.url())
    await gate.rules(server.url())
    assert fleet.looks == 0
    clock.advance(301)
    await gate.rules(server.url())
    assert fleet.looks == 1


async def test_parsed_copies_are_bounded(
    server: RawServer, fetcher: Fetcher, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies over the bounds, in number or in text, are dropped, the oldest first."""
    monkeypatch.setattr(gate_module, "_PARSED_TEXT_CHARS", 100)
    server.replies = [RULES]
    gate = gate_of(fetcher, fleet)
    for host in ("127.0.0.1", "localhost"):
        await gate.learn(server.url(host=host))
    for host in ("localhost", "127.0.0.1"):
        await gate.rules(server.url(host=host))
    assert fleet.looks == 0
    monkeypatch.setattr(gate_module, "_PARSED_TEXT_CHARS", 60)
    await fleet.age(server, 2 * DAY_S)
    await gate.learn(server.url())
    await gate.rules(server.url(host="localhost"))
    assert fleet.looks == 1
