"""What a server sends out of turn: stray bytes on an idle connection, and interim responses without end."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, http
from worker.clock import FakeClock
from worker.errors import FetchFailed
from worker.fetch.dns import CachingResolver
from worker.fetch.resolver import Answer
from worker.fetch.session import Fetcher
from worker.model import Page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def then_says_more(reply: bytes, stray: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """`reply`, and a moment later, when the connection is idle, `stray`."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(stray)
        await writer.drain()

    return send


async def test_a_response_that_nobody_asked_for_is_no_answer_to_the_next_request(server: RawServer) -> None:
    """Each URL gets its own page, though the server answers the first one twice."""
    server.replies = [then_says_more(http(b"first"), http(b"stray")), http(b"second"), http(b"third")]
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        bodies = []
        for number in range(3):
            page = await fetcher.request(server.url(f"/{number}"))
            assert isinstance(page, Page)
            bodies.append(page.body)
            await asyncio.sleep(0.15)
    assert bodies == [b"first", b"second", b"third"]


async def test_interim_responses_without_end_break_the_connection(server: RawServer) -> None:
    """They are not piled up until a timeout."""

    async def flood(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500)
            await writer.drain()

    server.replies = [http(b"good"), flood]
    async with (
        asyncio.timeout(LIMITS.total_timeout_s - 1),
        Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher,
    ):
        await fetcher.request(server.url("/good"))  # the flood comes on the same connection
        with pytest.raises(FetchFailed) as failure:
            await fetcher.request(server.url())
    assert failure.value.reason in ("connect", "bad_response")


async def test_a_few_interim_responses_are_passed_by(server: RawServer) -> None:
    """One Early Hints, or ten, come before many a page."""
    server.replies = [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 10 + http(b"page")]
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        page = await fetcher.request(server.url())
    assert isinstance(page, Page)
    assert page.body == b"page"


class Thousands:
    """A lookup that answers with thousands of addresses."""

    async def lookup(self, host: str, family: socket.AddressFamily) -> Answer:
        v4 = [(socket.AF_INET, f"127.3.{n // 250}.{n % 250 + 1}") for n in range(4_000)]
        v6 = [(socket.AF_INET6, f"fd00::{n:x}") for n in range(4_000)]
        return Answer((*v4, *v6), 60.0)

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_name_of_thousands_of_addresses_is_tried_at_a_few() -> None:
    """They may all be one victim's."""
    resolver = CachingResolver(Thousands(), FakeClock())
    found = await resolver.resolve("many.example")
    assert len(found) == 8
    assert {each["family"] for each in found} == {socket.AF_INET, socket.AF_INET6}


async def test_credentials_beyond_latin_1_are_sent_as_utf_8(server: RawServer) -> None:
    """RFC 7617 lets a server say so, and few say otherwise."""
    url = server.url("/").replace("://", "://%E6%97%A5:p'a%3Ass@")
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        await fetcher.request(url)
        credentials = b64encode("日:p'a:ss".encode()).decode()
        assert server.seen[0].headers["Authorization"] == f"Basic {credentials}"
        with pytest.raises(FetchFailed) as failure:
            await fetcher.request(server.url("/").replace("://", "://a%3Ab:c@"))
    assert failure.value.reason == "malformed"
