"""The fleet's robots.txt files: fresh for a time, one asker at a time, and the last good one in an outage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from worker.robots_copy import RobotsCopy
from worker.settings import HostOverride
from worker.store.hosts import HostPolicy, Hosts
from worker.store.robots_cache import RobotsCache

if TYPE_CHECKING:
    from worker.grouping import Grouping
    from worker.store.connection import Connection
    from worker.store.keys import Keys

ORIGIN = "https://a.example:8443"
DAY_S = 86_400.0
US = "us"


@pytest.fixture
def cache(connection: Connection, keys: Keys) -> RobotsCache:
    """Files are fresh for a day."""
    return RobotsCache(connection, keys, ttl_s=DAY_S)


async def known(cache: RobotsCache, origin: str = ORIGIN) -> RobotsCopy:
    """What is kept of the origin's file."""
    copy = await cache.look(origin)
    assert copy is not None
    return copy


async def turn_back(connection: Connection, keys: Keys, **fields_s: float) -> None:
    """Let instants of the origin's record have been so many seconds earlier."""
    for field, seconds in fields_s.items():
        await connection.command("HINCRBY", keys.part(0, f"robots:{ORIGIN}"), field, -int(seconds * 1000))


async def test_unknown_origin(cache: RobotsCache) -> None:
    """Nothing is kept of an origin that nobody has asked."""
    assert await cache.look(ORIGIN) is None


async def test_kept_file_is_fresh_for_its_time(
    cache: RobotsCache, connection: Connection, keys: Keys
) -> None:
    """The setting bounds how long a file is fresh, and a server may only shorten it."""
    await cache.keep(ORIGIN, US, b"\xff file")
    copy = await known(cache)
    assert (copy.file, copy.down_s) == (b"\xff file", None)
    assert DAY_S - 60 < copy.fresh_s <= DAY_S
    await cache.keep(ORIGIN, US, b"new", fresh_s=600)
    assert 540 < (await known(cache)).fresh_s <= 600
    await cache.keep(ORIGIN, US, b"new", fresh_s=9 * DAY_S)
    assert (await known(cache)).fresh_s <= DAY_S
    await turn_back(connection, keys, fresh_until=2 * DAY_S)
    assert await known(cache) == RobotsCopy(b"new", fresh_s=0)


async def test_one_asks_at_a_time(cache: RobotsCache, connection: Connection, keys: Keys) -> None:
    """Of many that would ask an unknown origin one may, until it is done or its time is over."""
    asked = await asyncio.gather(*(cache.begin(ORIGIN, str(number), for_s=60) for number in range(20)))
    assert len(asked) - asked.count(None) == 1
    assert await cache.begin("https://b.example", US, for_s=60) is not None
    await turn_back(connection, keys, asking_until=61)
    assert await cache.begin(ORIGIN, US, for_s=60) is not None


async def test_reply_that_was_lost_costs_no_turn(connection: Connection, keys: Keys) -> None:
    """The one who may ask hears so again when the call is repeated; another one does not."""
    args: list[str | int] = [ORIGIN, "a.example:8443", "one", 60_000, 0]
    first, again = [(await connection.run("robots_ask", [keys.tag(0)], args))[0] for _ in range(2)]
    other = (await connection.run("robots_ask", [keys.tag(0)], [*args[:2], "two", 60_000, 0]))[0]
    assert (first, again, other) == (1, 1, 0)


async def test_nobody_asks_while_the_file_is_fresh(
    cache: RobotsCache, connection: Connection, keys: Keys
) -> None:
    """A fresh file is asked for by nobody; a stale one by one, and it stays at hand."""
    assert await cache.begin(ORIGIN, US, for_s=60) is not None
    await cache.keep(ORIGIN, US, b"file")
    assert await cache.begin(ORIGIN, US, for_s=60) is None
    await turn_back(connection, keys, fresh_until=2 * DAY_S)
    assert await cache.begin(ORIGIN, US, for_s=60) is not None
    assert await cache.begin(ORIGIN, "other", for_s=60) is None
    assert (await known(cache)).file == b"file"


async def test_giving_up_lets_others_ask(cache: RobotsCache) -> None:
    """Who learnt nothing leaves nothing behind but the right to ask."""
    assert await cache.begin(ORIGIN, US, for_s=60) is not None
    await cache.give_up(ORIGIN, US)
    assert await cache.look(ORIGIN) is None
    assert await cache.begin(ORIGIN, US, for_s=60) is not None


async def test_outage_is_counted_from_its_first_miss(
    cache: RobotsCache, connection: Connection, keys: Keys
) -> None:
    """The longer a file is missed the later it is asked for: after a minute at first, an hour at last."""
    assert await cache.missed(ORIGIN, US) == RobotsCopy(None, fresh_s=60, down_s=0)
    assert await cache.begin(ORIGIN, US, for_s=60) is None
    await turn_back(connection, keys, down_since=600, fresh_until=600)
    assert await cache.begin(ORIGIN, US, for_s=60) is not None
    second = await cache.missed(ORIGIN, US)
    assert second.down_s == pytest.approx(600, abs=30)
    assert second.fresh_s == second.down_s
    await turn_back(connection, keys, down_since=31 * DAY_S)
    third = await cache.missed(ORIGIN, US)
    assert third.down_s is not None
    assert third.down_s > 31 * DAY_S
    assert third.fresh_s == 3600


async def test_last_good_file_outlives_an_outage(cache: RobotsCache) -> None:
    """While the file cannot be had the last one is at hand, and the next one ends the outage."""
    await cache.keep(ORIGIN, US, b"last good")
    missed = await cache.missed(ORIGIN, US)
    assert (missed.file, missed.down_s) == (b"last good", 0)
    assert (await known(cache)).file == b"last good"
    await cache.keep(ORIGIN, US, b"new")
    after = await known(cache)
    assert (after.file, after.down_s) == (b"new", None)


async def test_record_lives_for_a_month(cache: RobotsCache, connection: Connection, keys: Keys) -> None:
    """Whatever is kept goes a month after its last use for asking, and no key stays for good."""
    for step in (
        cache.begin(ORIGIN, US, for_s=60),
        cache.missed(ORIGIN, US),
        cache.keep(ORIGIN, US, b"file", fresh_s=1),
    ):
        await step
        ttl_ms = await connection.command("PTTL", keys.part(0, f"robots:{ORIGIN}"))
        assert 30 * DAY_S * 1000 < ttl_ms <= 31 * DAY_S * 1000


async def test_the_right_to_ask_is_ended_by_its_owner_alone(cache: RobotsCache) -> None:
    """Whoever lost the right meanwhile (its time was over) takes it from nobody."""
    assert await cache.begin(ORIGIN, US, for_s=60) is not None
    await cache.give_up(ORIGIN, "late")
    await cache.keep(ORIGIN, "late", b"file", fresh_s=0.001)
    await asyncio.sleep(0.01)
    assert await cache.begin(ORIGIN, "other", for_s=60) is None
    await cache.missed("https://b.example", "late")
    await cache.give_up(ORIGIN, US)
    assert await cache.begin(ORIGIN, "other", for_s=60) is not None


async def test_asker_hears_how_long_its_host_rests(connection: Connection, keys: Keys) -> None:
    """The fleet's rule for the host, or its domain where that counts as one; the right lasts as long."""
    rules = {"example.com": HostOverride(spacing_s=7)}
    await Hosts(connection, keys).configure(HostPolicy(spacing_s=1), rules)
    groupings: tuple[tuple[Grouping, float], ...] = (("host", 1), ("domain", 7))
    for grouping, rest_s in groupings:
        origin = f"https://{grouping}.example.com"
        cache = RobotsCache(connection, keys, ttl_s=DAY_S, grouping=grouping)
        assert await cache.begin(origin, US, for_s=1, rests=5) == rest_s
        until, now = (
            await connection.command("HGET", keys.part(0, f"robots:{origin}"), "asking_until"),
            await connection.command("TIME"),
        )
        assert int(until) / 1000 - int(now[0]) == pytest.approx(1 + 5 * rest_s, abs=2)


async def test_what_is_in_force_lasts_for_the_next_turn(
    cache: RobotsCache, connection: Connection, keys: Keys
) -> None:
    """A file is fresh for as long as its host needs, and in an outage until after the breaker's probe."""
    await cache.keep(ORIGIN, US, b"file", fresh_s=1, least_s=2 * DAY_S)
    assert (await known(cache)).fresh_s > 1.9 * DAY_S
    assert (await cache.missed(ORIGIN, US)).fresh_s == 2 * 60 + 60
    assert (await cache.missed(ORIGIN, US, least_s=500)).fresh_s == 2 * 500 + 60
    await connection.command("HSET", keys.part(0, "host:a.example:8443"), "opened", 3)
    assert (await cache.missed(ORIGIN, US)).fresh_s == 2 * 480 + 60
    assert (await cache.missed("https://b.example", US, least_s=500)).fresh_s == 500
