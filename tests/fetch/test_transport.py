"""Connections over time: kept alive, trusted, and bounded in what their servers may say."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, http
from tests.fetch.test_outcome import Resolves
from worker.errors import FetchFailed
from worker.fetch.limits import FetchLimits
from worker.fetch.session import Fetcher
from worker.fetch.transport import trusting
from worker.model import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

AUTHORITY = trustme.CA()


@pytest.fixture
async def site() -> AsyncIterator[RawServer]:
    """news.example over TLS, certified by an authority that the system does not know."""
    site = RawServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("news.example").configure_cert(context)
    await site.start(context)
    yield site
    await site.stop()


def fetching(tls: ssl.SSLContext | None = None, limits: FetchLimits = LIMITS) -> Fetcher:
    return Fetcher(
        limits=limits, guard=LOOPBACK, user_agent=USER_AGENT, resolver=Resolves("127.0.0.1"), tls=tls
    )


async def test_authorities_of_a_file_are_trusted_too(site: RawServer, tmp_path: Path) -> None:
    """A PEM file adds to the system's trust, and takes nothing from it."""
    pem = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(pem))
    url = site.url(host="news.example")
    async with fetching() as fetcher:
        with pytest.raises(FetchFailed, match="tls: unable to get local issuer certificate"):
            await fetcher.request(url)
    tls = trusting(pem)
    async with fetching(tls) as fetcher:
        assert isinstance(await fetcher.request(url), Page)
    of_the_system = ssl.create_default_context().cert_store_stats()["x509_ca"]
    assert tls.cert_store_stats()["x509_ca"] == of_the_system + 1
    assert tls.verify_mode == ssl.CERT_REQUIRED
    assert tls.check_hostname


async def test_spaced_requests_use_one_connection(site: RawServer, tmp_path: Path) -> None:
    """Twenty requests with pauses between them cost one TCP connection and one TLS handshake."""
    pem = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(pem))
    async with fetching(trusting(pem)) as fetcher:
        for _ in range(20):
            await fetcher.request(site.url(host="news.example"))
            await asyncio.sleep(0.01)
    assert (len(site.seen), site.connections) == (20, 1)


@pytest.mark.parametrize(
    ("lines", "size", "fits"), [(197, 10, True), (200, 10, False), (10, 3000, True), (11, 3000, False)]
)
async def test_headers_are_bounded(server: RawServer, lines: int, size: int, fits: bool) -> None:
    """Their number, and their size all together: two more than `lines` are sent."""
    server.replies = [http(b"x", **{f"x-{number:03}": "y" * (size - 5) for number in range(lines)})]
    async with fetching(limits=FetchLimits(header_limit_lines=200, header_limit_bytes=32_000)) as fetcher:
        if fits:
            assert isinstance(await fetcher.request(server.url()), Page)
        else:
            with pytest.raises(FetchFailed, match="bad_response"):
                await fetcher.request(server.url())
