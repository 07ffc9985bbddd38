"""Errors provoked for real: each becomes a row of the table, with a detail that quotes nothing."""

from __future__ import annotations

import asyncio
import errno
import shutil
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.fetch.conftest import (
    LIMITS,
    LOOPBACK,
    USER_AGENT,
    RawServer,
    Reply,
    http,
    then_close,
    then_hang,
    then_reset,
)
from worker.errors import FetchFailed
from worker.fetch.outcome import failure_from
from worker.fetch.session import Fetcher, FetchLimits
from worker.model import Page
from worker.outcomes import outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


async def failure(fetcher: Fetcher, url: str) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        await fetcher.request(url)
    assert outcome(caught.value.reason).reason == caught.value.reason
    return caught.value


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (then_close(b""), "connect"),
        (then_reset(b""), "connect"),
        (then_close(b"HTTP/1.1 200 OK\r\nContent-Ty"), "bad_response"),
        (then_hang(b""), "timeout"),
        (then_hang(b"HTTP/1.1 200 OK\r\n"), "timeout"),
        (then_hang(http(b"x" * 100)[:-50]), "too_slow"),
        (then_hang(CHUNKED + b"5\r\nhello\r\n"), "too_slow"),
        (then_close(http(b"x" * 100)[:-50]), "bad_response"),
        (then_reset(http(b"x" * 100)[:-50]), "bad_response"),
        (then_close(CHUNKED + b"5\r\nhello\r\n"), "bad_response"),
        (then_reset(UNTIL_CLOSE + b"half an artic"), "bad_response"),
        (CHUNKED + b"5\r\nhello\r\nnot a size\r\n", "bad_response"),
        (CHUNKED + b"not a size\r\n", "bad_response"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "bad_response"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", "bad_response"),
        (http(b"x", x_long="y" * 5000), "bad_response"),
        (http(b"x", **{f"x_{n}": "y" * 500 for n in range(9)}), "bad_response"),
        (http(b"x", **{f"x_{n}": "y" for n in range(200)}), "bad_response"),
        (http(b"<html>", content_encoding="gzip"), "bad_encoding"),
        (http(b"<html>", content_encoding="sdch"), "bad_encoding"),
    ],
)
async def test_what_servers_do_wrong(server: RawServer, fetcher: Fetcher, reply: Reply, reason: str) -> None:
    """Each way to break a response is told apart, and costs one request."""
    server.replies = [reply]
    assert (await failure(fetcher, server.url())).reason == reason
    assert len(server.seen) == 1


def drip(head: bytes) -> Reply:
    """Send `head`, and then a byte every 50 ms, so that nothing ever stalls."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.05)

    return reply


@pytest.mark.parametrize(
    ("head", "limits", "expected"),
    [
        (
            http(b"x" * 90)[:-90],
            FetchLimits(stall_timeout_s=0.3, total_timeout_s=0.6, least_bytes_per_s=0),
            "timeout: the request took too long as a whole",
        ),
        (http(b"x" * 90)[:-90], FetchLimits(stall_timeout_s=0.3), "too_slow: "),
        (
            b"HTTP/1.1 200 OK\r\nX-Drip: ",
            FetchLimits(stall_timeout_s=0.3, headers_timeout_s=0.4),
            "timeout: the headers took more than 0.4 s",
        ),
    ],
)
async def test_drips_are_stopped(server: RawServer, head: bytes, limits: FetchLimits, expected: str) -> None:
    """A server that sends a byte now and then never stalls: the total time ends it, or the least rate of a
    body, or in the headers their own time.
    """
    server.replies = [drip(head)]
    async with Fetcher(limits=limits, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        assert str(await failure(fetcher, server.url())).startswith(expected)
    assert len(server.seen) == 1


async def test_the_time_for_headers_begins_with_the_request(server: RawServer) -> None:
    """What connecting took is not counted, a body may take longer, and so may the next request."""
    server.replies = [drip(http(b"", content_length="12"))]
    limits = FetchLimits(headers_timeout_s=0.4, least_bytes_per_s=0)
    async with Fetcher(limits=limits, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        page = await fetcher.request(server.url())
    assert isinstance(page, Page)
    assert (page.body, page.duration_ms >= 500) == (b"x" * 12, True)


async def test_a_refused_connection(fetcher: Fetcher) -> None:
    """A port without a server is `connect`, in the operating system's words."""
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    refusal = await failure(fetcher, f"http://user:secret@127.0.0.1:{port}/")
    assert (refusal.reason, refusal.detail) == ("connect", "Connection refused")


async def test_an_unanswered_connection() -> None:
    """A connection that is neither opened nor refused in time is a timeout."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        with socket.create_connection(full.getsockname()):  # fills the queue of the one that may wait
            limits = FetchLimits(connect_timeout_s=0.3)
            async with Fetcher(limits=limits, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
                timeout = await failure(fetcher, url)
    assert (timeout.reason, timeout.detail) == ("timeout", "no connection in time")


@pytest.mark.parametrize("host", ["nothing.invalid", "a" * 64 + ".example", "xn--a.example"])
async def test_names_that_do_not_resolve(fetcher: Fetcher, host: str) -> None:
    """A host name that does not exist, or cannot, is `dns` (or malformed where the URL standard says so)."""
    assert (await failure(fetcher, f"http://{host}/")).reason in {"dns", "malformed"}


@pytest.mark.parametrize(
    "url", ["", "no url", "http://", "ftp://example.com/", "http://a b/", "http://h:99999/"]
)
async def test_what_is_no_http_url(fetcher: Fetcher, url: str) -> None:
    """Text that is no http(s) URL is malformed."""
    assert (await failure(fetcher, url)).reason == "malformed"


class Resolves(AbstractResolver):
    """Every name to the same addresses, after the given failures."""

    def __init__(self, *addresses: str, failures: list[OSError] | None = None) -> None:
        self._addresses = addresses
        self.failures = failures or []
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for news.example, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    pem = folder / "both.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=news.example", "-addext", "subjectAltName=DNS:news.example", "-days", "2"]
    subprocess.run(
        [*command, *names, "-keyout", pem, "-out", folder / "cert"], check=True, capture_output=True
    )
    pem.write_bytes(pem.read_bytes() + (folder / "cert").read_bytes())
    return pem


@pytest.fixture
async def tls_server(certificate: Path) -> AsyncIterator[RawServer]:
    server = RawServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    await server.start(context)
    yield server
    await server.stop()


async def fetch_over_tls(server: RawServer, host: str, trusted: Path | None) -> str:
    tls = ssl.create_default_context(cafile=trusted)
    resolver = Resolves("127.0.0.1")
    async with Fetcher(
        limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT, resolver=resolver, tls=tls
    ) as fetcher:
        try:
            await fetcher.request(server.url(host=host))
        except FetchFailed as failed:
            return str(failed)
    return "fetched"


async def test_certificates_are_checked(tls_server: RawServer, certificate: Path) -> None:
    """A trusted certificate is accepted; an unknown one, and one for another name, are `tls`."""
    assert await fetch_over_tls(tls_server, "news.example", certificate) == "fetched"
    assert (await fetch_over_tls(tls_server, "news.example", None)).startswith("tls: self")
    assert (await fetch_over_tls(tls_server, "other.example", certificate)).startswith("tls: Hostname")
    assert len(tls_server.seen) == 1


async def test_tls_spoken_to_a_plain_server(server: RawServer) -> None:
    """An https URL of a server that answers in the clear is `tls`."""
    server.scheme = "https"
    server.replies = [b"HTTP/1.1 400 Bad Request\r\n\r\n"]

    async def in_the_clear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(in_the_clear, "127.0.0.1", 0)
    async with plain, Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        port = plain.sockets[0].getsockname()[1]
        assert (await failure(fetcher, f"https://127.0.0.1:{port}/")).reason == "tls"


@pytest.mark.parametrize(
    ("exc", "reason"),
    [
        (FetchFailed("robots"), "robots"),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "dns"),
        (UnicodeError("label too long"), "dns"),
        (TimeoutError(), "timeout"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "timeout"),
        (aiohttp.ServerTimeoutError(), "timeout"),
        (ssl.SSLEOFError(8, "EOF occurred"), "connect"),
        (ssl.SSLError(1, "odd"), "tls"),
        (aiohttp.ServerFingerprintMismatch(b"a", b"b", "h", 1), "tls"),
        (aiohttp.ClientPayloadError("secret"), "bad_response"),
        (aiohttp.InvalidURL("http://user:secret@"), "malformed"),
        (aiohttp.ClientConnectionResetError("secret"), "connect"),
        (aiohttp.ClientConnectionError("secret"), "connect"),
        (OSError("Multiple exceptions: secret"), "connect"),
        (OSError(errno.EHOSTUNREACH, "secret"), "connect"),
        (OSError(errno.EMFILE, "secret"), "internal"),
        (KeyError("secret"), "internal"),
    ],
)
def test_every_error_has_a_row_and_our_own_words(exc: Exception, reason: str) -> None:
    """The table is total, and no message of an exception gets into the detail."""
    failed = failure_from(exc)
    assert failed.reason == reason
    assert outcome(failed.reason).reason == reason
    assert "secret" not in str(failed)
