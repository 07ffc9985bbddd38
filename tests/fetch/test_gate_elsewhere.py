"""A robots.txt that redirects to another origin's: asked for once, however many origins lead there."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.fetch.conftest import RawServer, http, then_close
from tests.fetch.test_gate import DAY_S, DOWN, RULES, gate_of, known_to, learnt
from worker.store.robots_cache import RobotsCache

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fetch.conftest import Reply
    from worker.fetch.session import Fetcher
    from worker.store.connection import Connection
    from worker.store.keys import Keys


@pytest.fixture
def cache(connection: Connection, keys: Keys) -> RobotsCache:
    return RobotsCache(connection, keys, ttl_s=DAY_S)


@pytest.fixture
async def blogs(server: RawServer) -> AsyncIterator[list[RawServer]]:
    """Three origins whose robots.txt is that of `server`, by their word."""
    async with AsyncExitStack() as stack:
        blogs = [RawServer([http(status="301 Moved", location=server.url("/robots.txt"))]) for _ in range(3)]
        for blog in blogs:
            await blog.start()
            stack.push_async_callback(blog.stop)
        yield blogs


async def test_the_other_host_is_asked_once(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache, blogs: list[RawServer]
) -> None:
    """Its own spacing would not hold for hops: so the first one's answer serves all, and itself."""
    server.replies = [RULES]
    for blog in blogs:
        assert not (await learnt(gate_of(fetcher, cache), blog.url())).allows(blog.url("/private/1"))
    assert not (await known_to(gate_of(fetcher, cache), server.url())).allows(server.url("/private/1"))
    assert (len(server.seen), [len(blog.seen) for blog in blogs]) == (1, [1, 1, 1])


@pytest.mark.parametrize(("reply", "allowed"), [(http(status="404 Not Found"), True), (DOWN, False)])
async def test_that_there_is_no_file_is_known_too(
    server: RawServer,
    fetcher: Fetcher,
    cache: RobotsCache,
    blogs: list[RawServer],
    *,
    reply: bytes,
    allowed: bool,
) -> None:
    """Neither a missing file nor an outage of the other host is asked for again and again."""
    server.replies = [reply]
    for blog in blogs:
        learning = await gate_of(fetcher, cache).learn(blog.url())
        assert bool(learning.rules) is allowed
        assert learning.failure is None or learning.failure.reason == "robots_unreachable"
    assert len(server.seen) == 1


@pytest.mark.parametrize("path", ["/static/robots.txt", "/robots.txt?of=blog"])
async def test_another_file_is_not_taken_for_the_other_origins_own(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache, blogs: list[RawServer], path: str
) -> None:
    """Only what stands at the other origin's /robots.txt is its robots.txt."""
    server.replies = [RULES]
    blogs[0].replies = [http(status="301 Moved", location=server.url(path))]
    await learnt(gate_of(fetcher, cache), blogs[0].url())
    assert await gate_of(fetcher, cache).rules(server.url()) is None


async def test_a_host_that_cannot_be_had_is_left_to_its_own_urls(
    fetcher: Fetcher, cache: RobotsCache, blogs: list[RawServer]
) -> None:
    """That it is off limits, or gone, is for its own URLs to find and to be told so."""
    reply: Reply = http(status="301 Moved", location="http://10.0.0.1/robots.txt")
    blogs[0].replies = [reply]
    assert (await gate_of(fetcher, cache).learn(blogs[0].url())).failure
    assert await cache.look("http://10.0.0.1") is None


async def test_a_known_file_is_no_fresher_for_the_one_that_redirects(
    server: RawServer, fetcher: Fetcher, cache: RobotsCache, blogs: list[RawServer]
) -> None:
    """A copy taken over ends with its original, and not a day later."""
    server.replies = [http(b"", cache_control="max-age=1000"), then_close(b"")]
    await learnt(gate_of(fetcher, cache), server.url())
    await learnt(gate_of(fetcher, cache), blogs[0].url())
    copy = await cache.look(blogs[0].url(""))
    assert copy is not None
    assert 900 < copy.fresh_s <= 1000
