"""What a Fetcher hands to the archive, from bytes on a socket to a file."""

from __future__ import annotations

import gzip
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.archive.reading import Record, records
from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, http, then_close, then_hang
from tests.fetch.proxy_servers import HttpProxy
from worker.archive.writer import Archive
from worker.capture import Subject, on_behalf_of
from worker.errors import FetchFailed
from worker.fetch.proxies import Proxies, Proxy
from worker.fetch.session import Fetcher
from worker.model import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PAGE = b"<html><p>The ferry left the quay at nine.</p>" * 20


@asynccontextmanager
async def archiving(
    folder: Path, proxies: Proxies | None = None, *, as_sent: bool = False
) -> AsyncIterator[Fetcher]:
    """A fetcher whose exchanges are kept in the folder."""
    async with (
        Archive(folder, file_bytes=10**9, facts={}) as archive,
        Fetcher(
            guard=LOOPBACK,
            user_agent=USER_AGENT,
            limits=LIMITS,
            recorder=archive,
            proxies=proxies,
            as_sent=as_sent,
        ) as one,
    ):
        yield one


def kept_files(folder: Path) -> list[str]:
    """The names in the folder."""
    return [file.name for file in folder.iterdir()]


def kept(folder: Path) -> tuple[Record, Record]:
    """The only response and request."""
    (file,) = folder.iterdir()
    _, response, request = records(file)
    return response, request


async def test_the_bytes_on_the_wire_are_kept(server: RawServer, tmp_path: Path) -> None:
    """Compressed as they came, with both heads; the page knows its record."""
    packed = gzip.compress(PAGE)
    server.replies = [http(packed, content_encoding="gzip", set_cookie="sid=SECRET")]
    async with archiving(tmp_path) as fetcher:
        with on_behalf_of(Subject("http://a.example/moved")):
            page = await fetcher.request(server.url("/n?q=1"), cookies=[(server.url("/"), "sid=SECRET")])
    response, request = kept(tmp_path)
    assert isinstance(page, Page)
    assert (page.body, response.payload, response.content) == (PAGE, packed, PAGE)
    assert response.fields["WARC-Record-ID"] == f"<urn:uuid:{page.record}>"
    assert response.fields["WARC-Target-URI"] == server.url("/n?q=1")
    assert response.fields["WARC-IP-Address"] == "127.0.0.1"
    assert response.fields["Ingest-Subject"] == "http://a.example/moved"
    assert response.first_line == "HTTP/1.1 200 OK"
    assert request.first_line == "GET /n?q=1 HTTP/1.1"
    assert (request.headers["user-agent"], request.headers["host"]) == (
        USER_AGENT,
        f"127.0.0.1:{server.port}",
    )
    assert server.seen[0].headers["Cookie"] == "sid=SECRET"
    assert server.seen[0].headers["Accept-Encoding"] == "gzip, deflate"
    assert not {"cookie", "set-cookie"} & (request.headers.keys() | response.headers.keys())
    assert "WARC-Truncated" not in response.fields


async def test_chunks_are_undone(server: RawServer, tmp_path: Path) -> None:
    """The body is what the chunks hold, and both readers read it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.replies = [head + b"5\r\n<html\r\n4\r\n><p>\r\n0\r\n\r\n"]
    async with archiving(tmp_path) as fetcher:
        await fetcher.request(server.url())
    response, _ = kept(tmp_path)
    assert response.content == b"<html><p>"
    assert response.headers["x-crawl-transfer-encoding"] == "chunked"


@pytest.mark.parametrize(
    ("reply", "reason", "kept_as"),
    [
        (http(b"<p>" * 60_000, content_length=""), "too_large", ("length", 1)),
        (then_hang(http(b"<p>" * 9)[:-9]), "too_slow", ("time", 18)),
        (then_close(http(b"<p>" * 9)[:-9]), "bad_response", ("disconnect", 18)),
        (http(b"gone", status="404 Not Found"), "http_404", ("unspecified", 0)),
        (http(b"", status="404 Not Found"), "http_404", (None, 0)),
        (http(b"<p>", content_encoding="gzip"), "bad_encoding", ("unspecified", 3)),
        (http(b"%PDF-1.7"), "not_html", (None, 8)),
        (http(b"%PDF-1.7", content_type="application/pdf"), "not_html", ("unspecified", 0)),
    ],
)
async def test_what_was_cut_says_so(
    server: RawServer, tmp_path: Path, reply: bytes, reason: str, kept_as: tuple[str | None, int]
) -> None:
    """A response that became no page is kept as far as it was read, and says whether that was all."""
    server.replies = [then_close(reply) if reason == "too_large" else reply]
    async with archiving(tmp_path) as fetcher:
        with pytest.raises(FetchFailed) as failure:
            await fetcher.request(server.url())
    assert failure.value.reason == reason
    response, _ = kept(tmp_path)
    truncated, size = kept_as
    assert response.fields.get("WARC-Truncated") == truncated
    assert len(response.payload) >= size
    assert bool(size) is bool(response.payload)


@pytest.mark.parametrize("as_sent", [False, True])
async def test_what_was_cut_within_its_coding_says_so(
    server: RawServer, tmp_path: Path, *, as_sent: bool
) -> None:
    """Without a length only the coding tells that a body is not whole, whoever is to undo it."""
    packed = gzip.compress(PAGE)[:-9]
    server.replies = [then_close(http(packed, content_encoding="gzip", content_length=""))]
    async with archiving(tmp_path, as_sent=as_sent) as fetcher:
        with pytest.raises(FetchFailed) as failure:
            await fetcher.request(server.url())
    assert failure.value.reason == "bad_response"
    response, _ = kept(tmp_path)
    assert (response.fields.get("WARC-Truncated"), response.payload) == ("disconnect", packed)


async def test_redirects_and_robots_files_are_kept(server: RawServer, tmp_path: Path) -> None:
    """Whatever was answered; the first bytes of a file are all that was wanted of it."""
    server.replies = [
        http(status="302 Found", location="/next"),
        http(b"User-agent: *\n" * 50, content_type="text/plain"),
    ]
    async with archiving(tmp_path) as fetcher:
        await fetcher.request(server.url("/old"))
        await fetcher.request_text(server.url("/robots.txt"), keep_bytes=30)
    (name,) = kept_files(tmp_path)
    found = [record for record in records(tmp_path / name) if record.kind == "response"]
    assert [(each.first_line, each.fields.get("WARC-Truncated")) for each in found] == [
        ("HTTP/1.1 302 Found", None),
        ("HTTP/1.1 200 OK", "length"),
    ]


async def test_a_proxy_is_no_address(server: RawServer, tmp_path: Path) -> None:
    """Beyond a proxy the server's address is not known, and its password is in no file."""
    async with HttpProxy(server.port, credentials="user:SECRET") as proxy:
        through = Proxies(Proxy(f"http://user:SECRET@127.0.0.1:{proxy.port}"))
        async with archiving(tmp_path, through) as fetcher:
            await fetcher.request("http://127.0.0.1/")
    response, request = kept(tmp_path)
    assert "WARC-IP-Address" not in response.fields
    assert "proxy-authorization" not in request.headers
    assert request.first_line == "GET / HTTP/1.1"


async def test_no_response_is_no_record(tmp_path: Path) -> None:
    """Nothing was fetched where nobody answered."""
    async with archiving(tmp_path) as fetcher:
        with suppress(FetchFailed):
            await fetcher.request("http://127.0.0.1:1/")
    assert kept_files(tmp_path) == []


async def test_a_url_with_a_password_is_not_kept(server: RawServer, tmp_path: Path) -> None:
    """What only a login shows belongs into no file; the page comes all the same."""
    async with archiving(tmp_path) as fetcher:
        url = server.url("/").replace("//", "//user:SECRET@")
        page = await fetcher.request(url)
        with on_behalf_of(Subject("http://user:SECRET@a.example/")):
            await fetcher.request(server.url("/"))
    assert isinstance(page, Page)
    assert page.record is None
    assert kept_files(tmp_path) == []


async def test_nothing_is_copied_without_an_archive(server: RawServer) -> None:
    """A page of a fetcher without a recorder has no record."""
    async with Fetcher(guard=LOOPBACK, user_agent=USER_AGENT, limits=LIMITS) as fetcher:
        page = await fetcher.request(server.url())
    assert isinstance(page, Page)
    assert page.record is None
