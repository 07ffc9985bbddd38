"""One call, one HTTP request: a redirect is not followed, since its target host has a spacing of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import aiohttp
import yarl
from ada_url import URL, HostType
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random

from worker.clock import Clock, SystemClock
from worker.errors import FetchFailed
from worker.fetch.attempt import Unseen, guarded_sockets, one_request, reuse_tracing, watched
from worker.fetch.body import READ_BYTES, Body, read_body
from worker.fetch.coding import parse_codings
from worker.fetch.outcome import NETWORK_ERRORS, failure_from
from worker.fetch.resolver import ThreadedResolver
from worker.fetch.response import is_page_type, looks_like_text, redirect_target, retry_after_s
from worker.model import Page, Redirect

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from aiohttp.abc import AbstractResolver

    from worker.fetch.guard import AddressGuard

#: HTML first, then text; the rest at a low rank, so that a strict server sends what it has and not a 406.
_PAGE_ACCEPT = "text/html,application/xhtml+xml;q=0.9,text/plain;q=0.8,*/*;q=0.1"
_TEXT_ACCEPT = "text/plain,*/*;q=0.5"
_CODINGS_ACCEPTED = "gzip, deflate, br, zstd"

#: 304 answers a condition that was not set; 305 and 306 are retired (RFC 9110, 15.4.6 and 15.4.7).
_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
_NO_CONTENT = frozenset({204, 205})
_PARTIAL_CONTENT = 206  # never asked for, and half an article must not pass for a whole one

_QUICK_TRIES = 3
_QUICK_PAUSE_S = (0.02, 0.2)
_DNS_CACHE_S = 60
_DNS_CACHE_HOSTS = 10_000

_Read = Callable[[aiohttp.ClientResponse], Awaitable[Body]]


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one request may cost. Timeouts in seconds; sizes in bytes."""

    connect_timeout_s: float = 10.0  # DNS, TCP and TLS together
    stall_timeout_s: float = 15.0  # the longest silence, before the headers and within the body
    total_timeout_s: float = 30.0  # quick retries included
    body_limit_bytes: int = 10_000_000  # decompressed
    wire_limit_bytes: int | None = None  # the body as sent; None: the same as body_limit_bytes
    header_limit_bytes: int = 32_768  # all response headers together

    @property
    def on_wire_bytes(self) -> int:
        """The limit for the body as sent."""
        return self.body_limit_bytes if self.wire_limit_bytes is None else self.wire_limit_bytes


class Fetcher:
    """Makes requests over one pool of connections, as an async context manager.

    It keeps no cookies, sends no credentials of the environment and uses no proxy. Nor does it send
    Accept-Language: that means "any" (RFC 9110, 12.5.4), so that a site shows a URL in the URL's own language
    and does not redirect by ours. `tls` replaces the system's trust store; `connections` bounds the pool, 0
    does not.
    """

    _session: aiohttp.ClientSession

    def __init__(
        self,
        *,
        guard: AddressGuard,
        user_agent: str,
        limits: FetchLimits = FetchLimits(),
        connections: int = 0,
        clock: Clock | None = None,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        self._limits = limits
        self._guard = guard
        self._user_agent = user_agent
        self._connections = connections
        self._resolver = resolver or ThreadedResolver()
        self._tls = tls

    async def __aenter__(self) -> Self:
        limits = self._limits
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections,
                resolver=self._resolver,
                ttl_dns_cache=_DNS_CACHE_S,
                dns_cache_max_size=_DNS_CACHE_HOSTS,
                socket_factory=guarded_sockets(self._guard),
                ssl=self._tls or True,
            ),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": _CODINGS_ACCEPTED},
            timeout=aiohttp.ClientTimeout(
                total=None, connect=limits.connect_timeout_s, sock_read=limits.stall_timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            read_bufsize=READ_BYTES,
            max_line_size=limits.header_limit_bytes,
            max_field_size=limits.header_limit_bytes,
            middlewares=(one_request,),
            trace_configs=[reuse_tracing()],
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._resolver.close()

    async def request(self, url: str) -> Page | Redirect:
        """GET the page at `url`, or learn where it has gone.

        Raises FetchFailed with a row of `worker.outcomes`; statuses other than 2xx and redirects are
        `http_<status>` and carry the server's Retry-After.
        """
        return await self._exchange(url, _PAGE_ACCEPT, self._page_body)

    async def request_text(self, url: str, *, keep_bytes: int) -> Page | Redirect:
        """GET the first `keep_bytes` of whatever is at `url`: any type, and empty too. For robots.txt.

        Raises FetchFailed as `request` does.
        """
        return await self._exchange(url, _TEXT_ACCEPT, partial(self._body, keep_bytes=keep_bytes))

    async def _exchange(self, url: str, accept: str, read: _Read) -> Page | Redirect:
        target = self._requestable(url)
        started = self.clock.monotonic()
        try:
            async with (
                asyncio.timeout(self._limits.total_timeout_s),
                await self._send(target, accept) as response,
            ):
                self._check_head(response)
                if response.status in _REDIRECTS:
                    return Redirect(url, response.status, redirect_target(target.href, _location(response)))
                body = await read(response)
        except NETWORK_ERRORS as exc:
            raise failure_from(exc) from exc
        return Page(
            url=url,
            status=response.status,
            body=body.data,
            content_type=_header(response, "Content-Type"),
            wire_bytes=body.wire_bytes,
            duration_ms=round((self.clock.monotonic() - started) * 1000),
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
        )

    def _requestable(self, url: str) -> URL:
        """`url` parsed as browsers do, which also reads `0x7f.1` as the address that it is."""
        try:
            target = URL(url)
        except ValueError:
            raise FetchFailed("malformed", "not a URL") from None
        if target.protocol not in {"http:", "https:"}:
            raise FetchFailed("malformed", "not an http(s) URL")
        if target.host_type != HostType.DEFAULT:
            self._guard.check(target.hostname.strip("[]"))
        return target

    async def _send(self, target: URL, accept: str) -> aiohttp.ClientResponse:
        """The response's head. Tries again at once only what the server cannot have seen or answered."""
        quick = AsyncRetrying(
            retry=retry_if_exception_type(Unseen),
            stop=stop_after_attempt(_QUICK_TRIES),
            wait=wait_random(*_QUICK_PAUSE_S),
            reraise=True,
        )
        return await quick(self._attempt, target, accept)

    async def _attempt(self, target: URL, accept: str) -> aiohttp.ClientResponse:
        url = yarl.URL(target.href, encoded=True)  # already in the form to send: not to be quoted anew
        with watched():
            return await self._session.get(url, headers={"Accept": accept}, allow_redirects=False)

    def _check_head(self, response: aiohttp.ClientResponse) -> None:
        """Raise FetchFailed for a response that neither redirects nor has a body to read."""
        # aiohttp bounds each header and their number, and so only the product of both.
        header_bytes = sum(len(name) + len(value) for name, value in response.raw_headers)
        if header_bytes > self._limits.header_limit_bytes:
            raise FetchFailed("bad_response", "the headers are over the limit")
        status = response.status
        if status not in _REDIRECTS and (not 200 <= status < 300 or status == _PARTIAL_CONTENT):
            wanted_s = retry_after_s(response.headers, self.clock.now())
            raise FetchFailed(f"http_{status}", status=status, retry_after_s=wanted_s)

    async def _page_body(self, response: aiohttp.ClientResponse) -> Body:
        if response.status in _NO_CONTENT:
            raise FetchFailed("empty", f"status {response.status}")
        is_page = is_page_type(response.headers.get("Content-Type"))
        if is_page is False:
            raise FetchFailed("not_html", (_header(response, "Content-Type") or "")[:80])
        if (response.content_length or 0) > self._limits.on_wire_bytes:
            raise FetchFailed("too_large", f"{response.content_length} bytes announced")
        body = await self._body(response)
        if not body.data:
            raise FetchFailed("empty")
        if is_page is None and not looks_like_text(body.data):
            raise FetchFailed("not_html", "binary, and of no declared type")
        return body

    async def _body(self, response: aiohttp.ClientResponse, keep_bytes: int | None = None) -> Body:
        connection = response.connection
        protocol = None if connection is None else connection.protocol
        try:
            body = await read_body(
                response.content,
                parse_codings(",".join(response.headers.getall("Content-Encoding", ()))),
                limit_bytes=self._limits.body_limit_bytes,
                wire_limit_bytes=self._limits.on_wire_bytes,
                keep_bytes=keep_bytes,
            )
        except aiohttp.SocketTimeoutError as exc:
            raise FetchFailed("too_slow", f"silent for {self._limits.stall_timeout_s:g} s") from exc
        # A body that ends with its connection ends at a reset too, and aiohttp hands it over as if whole.
        open_ended = response.content_length is None and "Transfer-Encoding" not in response.headers
        if open_ended and protocol is not None and isinstance(protocol.exception(), OSError):
            raise FetchFailed("bad_response", "the body was cut by a reset")
        return body


def _header(response: aiohttp.ClientResponse, name: str) -> str | None:
    """A header as text fit for JSON: aiohttp keeps bytes that are no UTF-8 as lone surrogates."""
    value = response.headers.get(name)
    return value and value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _location(response: aiohttp.ClientResponse) -> bytes | None:
    value = response.headers.get("Location")
    return None if value is None else value.encode("utf-8", "surrogateescape")
