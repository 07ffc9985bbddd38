"""Requests beside the frontier: guarded, within robots.txt, each hop in its turn."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.e2e.newsroom import Newsroom
from worker.clock import FakeClock, SystemClock
from worker.errors import FetchFailed
from worker.fetch.gate import RobotsGate, Unshared
from worker.model import NotModified, Page, Signal, Validators
from worker.runtime.parts import fetcher_of
from worker.runtime.polite import HostBusy, OwnTurns, Polite
from worker.settings import HostOverride, Settings, load_settings
from worker.store.turns import Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SPACING_S = 0.05


@pytest.fixture
async def room() -> AsyncIterator[Newsroom]:
    """Two hosts."""
    async with Newsroom() as room:
        room.numbers = [1]
        yield room


def settings_of(**changes: str) -> Settings:
    """Of a process that may fetch from the newsroom."""
    given = {
        "allow_networks": "127.0.2.0/24",
        "host_spacing_s": str(SPACING_S),
        "max_redirects": "3",
        **changes,
    }
    return load_settings({f"INGEST_{name.upper()}": value for name, value in given.items()})


@asynccontextmanager
async def polite_of(turns: OwnTurns | None = None, **changes: str) -> AsyncIterator[Polite]:
    """With turns of its own."""
    settings, clock = settings_of(**changes), SystemClock()
    async with fetcher_of(settings) as fetcher:
        gate = RobotsGate(
            Unshared(), fetcher, user_agent=settings.user_agent, pause_s=settings.host_spacing_s, clock=clock
        )
        yield Polite(fetcher, gate, turns or OwnTurns(settings, {}, clock), settings, clock)


async def refusal(polite: Polite, url: str) -> str:
    """Why the URL cannot be had."""
    with pytest.raises(FetchFailed) as failed:
        await polite.get(url)
    return failed.value.reason


async def test_document_of_any_type(room: Newsroom) -> None:
    """It comes whole, with what a next request needs."""
    async with polite_of() as polite:
        answer = await polite.get(room.feed)
        assert isinstance(answer.response, Page)
        assert (answer.response.content_type or "").startswith("application/rss+xml")
        assert answer.moved_to is None
        again = await polite.get(room.feed, Validators(etag=answer.response.etag))
        assert isinstance(again.response, NotModified)


async def test_hops_are_spaced(room: Newsroom) -> None:
    """robots.txt, redirects and the document are requests of their hosts like any others."""
    elsewhere = f"http://{room.hosts[1]}:{room.port}/b.xml"
    room.moves = {"/a.xml": (301, elsewhere), "/b.xml": (308, room.feed)}
    async with polite_of() as polite:
        answer = await polite.get(f"{room.root}/a.xml")
    assert answer.moved_to == room.feed
    assert len(room.log) == 5
    assert room.breaches(SPACING_S) == []


async def test_redirects_that_lead_nowhere(room: Newsroom) -> None:
    """Loops and long chains end; so does a hop to a network that may not be reached."""
    room.moves = {f"/{number}": (302, f"/{number + 1}") for number in range(9)}
    room.moves |= {"/a": (302, "/b"), "/b": (302, "/a"), "/self": (302, "/self")}
    room.moves |= {"/inside": (302, "http://127.0.9.9/"), "/odd": (302, "ftp://127.0.2.1/")}
    async with polite_of() as polite:
        reasons = {
            path: await refusal(polite, room.root + path) for path in ("/0", "/a", "/self", "/inside", "/odd")
        }
    assert reasons == {
        "/0": "too_many_redirects",
        "/a": "redirect_loop",
        "/self": "redirect_loop",
        "/inside": "blocked_address",
        "/odd": "bad_redirect",
    }


async def test_robots_of_each_hop(room: Newsroom) -> None:
    """A redirect leads into nothing that its own origin forbids; who may disobey asks for no robots.txt."""
    room.documents["/robots.txt"] = ("text/plain", "User-agent: *\nDisallow: /feed.xml\n")
    room.moves["/a.xml"] = (302, "/feed.xml")
    async with polite_of() as polite:
        assert await refusal(polite, f"{room.root}/a.xml") == "robots"
    assert room.asked == []
    room.paths.clear()
    async with polite_of(obey_robots="false") as polite:
        await polite.get(f"{room.root}/a.xml")
    assert room.paths == ["/a.xml", "/feed.xml"]


async def test_document_over_the_limit(room: Newsroom) -> None:
    """It is cut off, not read to its end."""
    room.documents["/big.xml"] = ("text/xml", "x" * 20_000)
    async with polite_of(body_limit_bytes="10000") as polite:
        assert await refusal(polite, f"{room.root}/big.xml") == "too_large"


class Taken(OwnTurns):
    """Some other one has the host for a minute."""

    async def begin(self, host: str, *, for_s: float, longest_wait_s: float) -> Turn | float:
        """Never now."""
        return 60.0


async def test_host_that_is_taken(room: Newsroom) -> None:
    """It is not waited for: the caller hears when to come back, and nothing is asked for."""
    async with polite_of(Taken(settings_of(), {}, SystemClock())) as polite:
        with pytest.raises(HostBusy) as busy:
            await polite.get(room.feed)
    assert busy.value.retry_after_s == 60
    assert room.paths == []


@pytest.mark.parametrize(
    ("override", "crawl_delay_s", "hold_s", "expected_s"),
    [
        (None, None, 0, 1),
        (None, 5, 0, 5),
        (None, 5, 30, 30),
        (HostOverride(spacing_s=2), 5, 0, 2),
        (HostOverride(slots=2), None, 0, 1),
    ],
)
async def test_rest_of_own_turns(
    override: HostOverride | None, crawl_delay_s: float | None, hold_s: float, expected_s: float
) -> None:
    """By the operator's word, else the slower of spacing and Crawl-delay; Retry-After holds in any case."""
    rules = {"a.example": override} if override else {}
    turns = OwnTurns(settings_of(host_spacing_s="1"), rules, FakeClock())
    await turns.slow_down("a.example", crawl_delay_s)
    first = await turns.begin("a.example", for_s=60, longest_wait_s=10)
    assert isinstance(first, Turn)
    assert first.wait_s == 0
    await turns.end(first, Signal("ok", hold_s=hold_s), "http://a.example/")
    second = await turns.begin("a.example", for_s=60, longest_wait_s=10)
    assert isinstance(second, Turn)
    assert second.wait_s == expected_s
    other = await turns.begin("b.example", for_s=60, longest_wait_s=10)
    assert isinstance(other, Turn)
    assert other.wait_s == 0
