"""The gate: one request for robots.txt in the whole fleet, however many ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fetch.conftest import USER_AGENT, http
from worker.clock import FakeClock
from worker.fetch import gate as gate_module
from worker.fetch.gate import RobotsGate

if TYPE_CHECKING:
    import pytest

    from tests.fetch.conftest import RawServer
    from worker.fetch.session import Fetcher

RULES = http(b"User-agent: *\nDisallow: /private\nCrawl-delay: 3\n", content_type="text/plain")


class Kept:
    """A fleet's cache, in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.looks = 0

    async def get(self, origin: str) -> bytes | None:
        self.looks += 1
        return self.files.get(origin)

    async def put(self, origin: str, file: bytes) -> None:
        self.files[origin] = file


def gate_of(fetcher: Fetcher, cache: Kept, clock: FakeClock | None = None) -> RobotsGate:
    return RobotsGate(cache, fetcher, user_agent=USER_AGENT, pause_s=0, clock=clock or FakeClock())


async def test_unknown_until_learnt(server: RawServer, fetcher: Fetcher) -> None:
    """Rules are unknown until somebody learns them, which takes one request."""
    server.replies = [RULES]
    gate = gate_of(fetcher, Kept())
    assert await gate.rules(server.url("/private/1")) is None
    learnt = await gate.learn(server.url("/private/1"))
    assert learnt is not None
    assert learnt.crawl_delay_s == 3
    known = await gate.rules(server.url("/private/1"))
    assert known is not None
    assert not known.allows(server.url("/private/1"))
    assert known.allows(server.url("/public"))
    assert [seen.path for seen in server.seen] == ["/robots.txt"]


async def test_other_workers_need_no_request(server: RawServer, fetcher: Fetcher) -> None:
    """What one worker has learnt, the next one reads from the cache."""
    server.replies = [RULES]
    cache = Kept()
    await gate_of(fetcher, cache).learn(server.url())
    rules = await gate_of(fetcher, cache).rules(server.url("/private"))
    assert rules is not None
    assert not rules.allows(server.url("/private"))
    assert len(server.seen) == 1


async def test_unreachable_is_not_kept(server: RawServer, fetcher: Fetcher) -> None:
    """An unreachable robots.txt is asked for again the next time."""
    server.replies = [http(status="503 Service Unavailable")]
    cache = Kept()
    gate = gate_of(fetcher, cache)
    assert await gate.learn(server.url()) is None
    assert cache.files == {}
    assert await gate.rules(server.url()) is None


async def test_parsed_copies_are_read_again_in_time(server: RawServer, fetcher: Fetcher) -> None:
    """A parsed copy spares looks at the cache for five minutes, and no longer."""
    server.replies = [RULES]
    cache, clock = Kept(), FakeClock()
    gate = gate_of(fetcher, cache, clock)
    await gate.learn(server.url())
    await gate.rules(server.url())
    assert cache.looks == 0
    clock.advance(301)
    await gate.rules(server.url())
    assert cache.looks == 1


async def test_parsed_copies_are_bounded(
    server: RawServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies over the bounds, in number or in text, are dropped, the oldest first."""
    monkeypatch.setattr(gate_module, "_PARSED_TEXT_CHARS", 100)
    server.replies = [RULES]
    cache = Kept()
    gate = gate_of(fetcher, cache)
    for host in ("127.0.0.1", "127.0.0.1", "localhost"):
        await gate.learn(server.url(host=host))
    for host in ("localhost", "127.0.0.1"):
        await gate.rules(server.url(host=host))
    assert cache.looks == 0
    monkeypatch.setattr(gate_module, "_PARSED_TEXT_CHARS", 60)
    await gate.learn(server.url(host="localhost"))
    await gate.rules(server.url(host="127.0.0.1"))
    assert cache.looks == 1
