"""The site's log tells a polite visitor from a pushy one."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.site.routes import GAZETTE, SLOW_S, VALMORA
from tests.site.server import SampleSite
from tests.site.visits import Visit, most_at_once, shortest_gap_s


async def fetch(client: aiohttp.ClientSession, url: str) -> None:
    async with client.get(url, headers={"User-Agent": "probe/1"}) as response:
        await response.read()


async def test_log_tells_overlaps() -> None:
    """Two requests at once show as two, one after the other as one, each with its agent."""
    async with SampleSite() as site, aiohttp.ClientSession() as client:
        slow = site.url(VALMORA, "/montagna/funivia-riparte")
        await asyncio.gather(fetch(client, slow), fetch(client, slow))
        for _ in range(3):
            await fetch(client, site.url(GAZETTE, "/nothing?q=1"))
    assert most_at_once(site.log) == {VALMORA: 2, GAZETTE: 1}
    assert shortest_gap_s(site.log)[VALMORA] < SLOW_S
    told = {(visit.path, visit.user_agent, visit.status) for visit in site.log if visit.host == GAZETTE}
    assert told == {("/nothing?q=1", "probe/1", 404)}


def test_gap_is_between_arrivals_of_one_host() -> None:
    """Visits to other hosts do not count, nor does the order in which they ended."""
    visits = [
        Visit("a", "/2", 3.0, 3.5, 200, ""),
        Visit("b", "/", 3.1, 3.2, 200, ""),
        Visit("a", "/1", 1, 4, 200, ""),
    ]
    assert shortest_gap_s(visits) == {"a": 2.0}
    assert most_at_once(visits) == {"a": 2, "b": 1}
