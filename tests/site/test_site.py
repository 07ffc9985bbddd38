"""The sample site does what its catalogue says, as seen by a client that knows nothing of the worker."""

from __future__ import annotations

import tracemalloc
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import aiohttp
import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.site.answers import BOMB_MIB, OVERSIZED_BYTES, First, Page
from tests.site.articles import ARTICLES
from tests.site.catalogue import CATALOGUE, Expected
from tests.site.routes import (
    ANZEIGER,
    CELLAR,
    COURIER,
    FARO,
    GAZETTE,
    HOSTS,
    LEDGER,
    POLDER,
    POSTA,
    SERRANA,
    SHORTENER,
    SLOW_S,
    TIDEWIRE,
    TODAI,
    VALMORA,
)
from tests.site.server import CLIENT_LEFT, SampleSite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def site() -> AsyncIterator[SampleSite]:
    async with SampleSite() as site:
        yield site


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


async def get(
    client: aiohttp.ClientSession, url: str, *, follow: bool = False
) -> tuple[aiohttp.ClientResponse, bytes]:
    async with client.get(url, allow_redirects=follow) as response:
        return response, await response.read()


@pytest.mark.parametrize("row", ARTICLES, ids=lambda row: row.path)
async def test_article_holds_what_is_expected_of_it(
    row: Expected, site: SampleSite, client: aiohttp.ClientSession
) -> None:
    """Title, body and boilerplate of each article row are on the page that the site serves in the end."""
    if isinstance(row.answer, First):
        async with client.get(row.url(site.port)):
            pass  # its trouble is over with the first request
    response, body = await get(client, row.url(site.port), follow=True)
    assert response.status == 200
    charset = {POSTA: "windows-1254", TODAI: "cp932"}.get(row.host, "utf-8")
    decoded = body.decode(charset if "charset=utf-8" not in response.headers["Content-Type"] else "utf-8")
    shown = decoded if "text/plain" in response.headers["Content-Type"] else LexborHTMLParser(decoded).text()
    shown = " ".join(shown.split())
    assert "\ufffd" not in shown
    assert "@ORIGIN@" not in decoded
    assert row.title is not None
    for phrase in (row.title, *row.authors, *row.must_contain, *row.must_not_contain):
        assert phrase in shown


async def test_breaking_off_is_a_short_body(site: SampleSite, client: aiohttp.ClientSession) -> None:
    """The weir's first response ends early; the second is whole."""
    url = site.url(LEDGER, "/towns/weir-in-oak")
    with pytest.raises(aiohttp.ClientError):
        await get(client, url)
    response, body = await get(client, url)
    assert (response.status, body.count(b"</html>")) == (200, 1)


@pytest.mark.parametrize(
    ("host", "path", "first", "second"),
    [(LEDGER, "/towns/reservoir-fills", 500, 200), (SERRANA, "/cidade/calcamento-de-pedra", 429, 200)],
)
async def test_trouble_passes(
    host: str, path: str, first: int, second: int, client: aiohttp.ClientSession
) -> None:
    """A path in trouble recovers on its second request, and is in trouble again on a new site."""
    for _ in range(2):
        async with SampleSite() as site:
            response, _ = await get(client, site.url(host, path))
            assert response.status == first
            assert ("Retry-After" in response.headers) == (first == 429)
            assert (await get(client, site.url(host, path)))[0].status == second


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (row, int(row.reason.removeprefix("http_")))
        for row in CATALOGUE
        if row.reason and row.reason.startswith("http_")
    ],
    ids=lambda value: getattr(value, "path", value),
)
async def test_statuses(row: Expected, status: int, site: SampleSite, client: aiohttp.ClientSession) -> None:
    """A row that dies of an HTTP status is served with it."""
    assert (await get(client, row.url(site.port)))[0].status == status


@pytest.mark.parametrize(
    ("host", "path", "coding"),
    [
        (COURIER, "/vale/2025/04/night-ferry-returns", "gzip"),
        (GAZETTE, "/vie-locale/marche-couvert-saint-aubrac", "br"),
        (FARO, "/costa/2025/02/12/desaladora-montesoria-averia", "zstd"),
    ],
)
async def test_codings(
    host: str, path: str, coding: str, site: SampleSite, client: aiohttp.ClientSession
) -> None:
    """A page is compressed by its coding for clients that take it, and plain for those that do not."""
    response, packed = await get(client, site.url(host, path))
    assert response.headers["Content-Encoding"] == coding
    async with client.get(site.url(host, path), headers={"Accept-Encoding": "identity"}) as bare:
        assert "Content-Encoding" not in bare.headers
        assert await bare.read() == packed  # aiohttp has unpacked the first one


async def test_charsets(site: SampleSite, client: aiohttp.ClientSession) -> None:
    """The headers say, or hide, what the rows claim."""
    said = {}
    for row in CATALOGUE:
        if isinstance(row.answer, Page):
            said[row.host, row.path] = (await get(client, row.url(site.port)))[0].headers["Content-Type"]
    assert said[ANZEIGER, "/kreis/bruecke-gesperrt-a4820.html"] == "text/html; charset=iso-8859-1"
    assert said[POSTA, "/gundem/eski-tramvay-yeniden-raylarda"] == "text/html"
    assert said[TODAI, "/local/kitano-shokudo"] == "text/html; charset=Shift_JIS"
    assert said[TIDEWIRE, "/economy/saltmarsh-fish-market.txt"] == "text/plain; charset=utf-8"


async def test_redirects_chain_and_loop(site: SampleSite, client: aiohttp.ClientSession) -> None:
    """The chain takes three hops over three hosts; the others loop, lack a Location and point inside."""
    response, _ = await get(client, site.url(SHORTENER, "/r/refuge"), follow=True)
    assert [hop.status for hop in response.history] == [301, 302, 307]
    assert [hop.host for hop in (*response.history, response)] == [SHORTENER, SHORTENER, TIDEWIRE, GAZETTE]
    location = site.url(SHORTENER, "/r/round")
    for _ in range(2):
        location = urljoin(location, (await get(client, location))[0].headers["Location"])
    assert location == site.url(SHORTENER, "/r/round")
    assert "Location" not in (await get(client, site.url(SHORTENER, "/r/nowhere")))[0].headers
    inside = (await get(client, site.url(SHORTENER, "/r/inside")))[0].headers["Location"]
    assert inside == f"http://[::1]:{site.port}/admin"


async def test_robots(site: SampleSite, client: aiohttp.ClientSession) -> None:
    """One host forbids and slows, one redirects, one answers with a page, and most have none."""
    bodies: dict[str, str] = {}
    for host in HOSTS:
        response, body = await get(client, site.url(host, "/robots.txt"), follow=True)
        if response.status == 200:
            bodies[host] = body.decode()
        else:
            assert response.status == 404
    assert set(bodies) == {COURIER, SHORTENER, POLDER, TIDEWIRE}
    assert "Disallow: /archief/" in bodies[POLDER]
    assert "Crawl-delay: 2" in bodies[POLDER]
    assert bodies[TIDEWIRE].startswith("<!doctype html>")


async def test_slow_host_is_slow(site: SampleSite, client: aiohttp.ClientSession) -> None:
    """The slow page's headers take a second and a half, and the log says so."""
    await get(client, site.url(VALMORA, "/montagna/funivia-riparte"))
    (visit,) = site.log
    assert SLOW_S <= visit.end_s - visit.start_s < SLOW_S + 1


@pytest.mark.parametrize(
    ("path", "announced_bytes"), [("/files/whole-archive", OVERSIZED_BYTES), ("/files/endless-shelf", None)]
)
async def test_oversized_body_is_never_held(
    path: str, announced_bytes: int | None, client: aiohttp.ClientSession
) -> None:
    """64 MiB, announced or not, cost the server no memory, and end when the client leaves."""
    tracemalloc.start()
    try:
        async with (
            SampleSite() as site,
            client.get(site.url(CELLAR, path)) as response,
        ):
            assert response.content_length == announced_bytes
            received_bytes = 0
            while received_bytes < OVERSIZED_BYTES // 8:
                received_bytes += len(await response.content.readany())
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [visit.status for visit in site.log] == [CLIENT_LEFT]
    assert peak_bytes < 4 * 1024 * 1024


async def test_bomb_is_small_on_the_wire_only(site: SampleSite) -> None:
    """The bomb is a valid gzip body under 300 KB that unpacks to 200 MiB."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as raw,
        raw.get(site.url(CELLAR, "/files/small-parcel")) as response,
    ):
        assert response.headers["Content-Encoding"] == "gzip"
        packed = await response.read()
    assert len(packed) < 300_000
    unpacker, unpacked_bytes = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    while not unpacker.eof:
        unpacked_bytes += len(unpacker.decompress(packed, 1024 * 1024))
        packed = unpacker.unconsumed_tail
    assert unpacked_bytes == BOMB_MIB * 1024 * 1024


async def test_taken_port_is_refused_and_left_clean() -> None:
    """A second site on a port in use fails with OSError; the port is free once the first has closed."""
    async with SampleSite() as first:
        with pytest.raises(OSError, match="in use"):
            await SampleSite(first.port).__aenter__()
    async with SampleSite(first.port) as again:
        assert again.port == first.port
