"""One call, one HTTP request: a redirect is not followed, since its target host has a spacing of its own."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self

import aiohttp
import yarl
from ada_url import URL, HostType

from worker.clock import Clock, SystemClock
from worker.errors import FetchFailed
from worker.fetch.body import Body, Pace, read_body
from worker.fetch.coding import parse_codings
from worker.fetch.conditions import conditions
from worker.fetch.cookies import cookie_header
from worker.fetch.headers import header_of, headers_of, location_of
from worker.fetch.limits import FetchLimits
from worker.fetch.observation import noted
from worker.fetch.outcome import NETWORK_ERRORS, failure_from
from worker.fetch.proxies import Proxies
from worker.fetch.recording import Copied, Recorder, current_tape, taped
from worker.fetch.response import check_body, is_page_type, max_age_s, redirect_target, retry_after_s
from worker.fetch.targets import Targets
from worker.fetch.transport import Transport
from worker.model import NotModified, Page, Redirect

__all__ = ["FetchLimits", "Fetcher"]

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from aiohttp.abc import AbstractResolver

    from worker.fetch.guard import AddressGuard
    from worker.model import Validators

#: HTML first, then text; the rest at a low rank, so that a strict server sends what it has and not a 406.
_PAGE_ACCEPT = "text/html,application/xhtml+xml;q=0.9,text/plain;q=0.8,*/*;q=0.1"
_TEXT_ACCEPT = "text/plain,*/*;q=0.5"
_FEED_ACCEPT = (
    "application/atom+xml,application/rss+xml,application/feed+json,"
    "application/xml;q=0.9,text/xml;q=0.9,*/*;q=0.5"
)

#: 305 and 306 are retired (RFC 9110, 15.4.6 and 15.4.7).
_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_NO_CONTENT = frozenset({204, 205})
_STATUSES = range(100, 600)  # RFC 9110, 15
_PARTIAL_CONTENT = 206  # never asked for, and half an article must not pass for a whole one


_Read = Callable[[aiohttp.ClientResponse], Awaitable[Body]]


class Fetcher:
    """Makes requests, as an async context manager.

    It sends no Accept-Language: that means "any" (RFC 9110, 12.5.4), so that a site shows a URL in the URL's
    own language and does not redirect by ours. `resolver` takes the place of the system's, with its cache;
    `recorder` is given every exchange that had a response. `as_sent`: `request` leaves content codings alone,
    for who reads the page to undo, and to find faults in what comes of it; but not with a recorder, which has
    to know whether a body that ends with its connection was whole. For the rest see Transport.
    """

    def __init__(
        self,
        *,
        guard: AddressGuard,
        user_agent: str,
        limits: FetchLimits | None = None,
        targets: Targets | None = None,
        proxies: Proxies | None = None,
        connections: int = 0,
        clock: Clock | None = None,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        recorder: Recorder | None = None,
        as_sent: bool = False,
    ) -> None:
        self.clock = clock or SystemClock()
        self._limits = limits or FetchLimits()
        self._guard = guard
        self._targets = targets or Targets()
        self._recorder = recorder
        self._as_sent = as_sent and recorder is None
        self._transport = Transport(
            guard=guard,
            proxies=proxies or Proxies(),
            user_agent=user_agent,
            limits=self._limits,
            connections=connections,
            clock=self.clock,
            resolver=resolver,
            tls=tls,
            kept=recorder is not None,
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, exc, trace)

    def address_of(self, url: str) -> str | None:
        """The IP address that the URL's host was last connected at, directly; None where it is not known."""
        return self._transport.address_of(url)

    async def request(
        self, url: str, *, validators: Validators | None = None, cookies: Sequence[tuple[str, str]] = ()
    ) -> Page | Redirect | NotModified:
        """GET the page at `url`, or learn where it has gone, or that it is as `validators` know it.

        `cookies` are those of the chain of redirects so far, each the URL that set it and its Set-Cookie;
        those meant for `url` are sent. Raises FetchFailed with a row of `worker.outcomes`; statuses other
        than 2xx and redirects are `http_<status>` and carry the server's Retry-After.
        """
        headers = {"Accept": _PAGE_ACCEPT, **conditions(validators)}
        return await self._exchange(url, headers, self._page_body, cookies)

    async def request_text(self, url: str, *, keep_bytes: int) -> Page | Redirect:
        """GET the first `keep_bytes` of whatever is at `url`: any type, and empty too. For robots.txt.

        Raises FetchFailed as `request` does.
        """
        read = partial(self._body, keep_bytes=keep_bytes)
        answer = await self._exchange(url, {"Accept": _TEXT_ACCEPT}, read)
        assert not isinstance(answer, NotModified)  # noqa: S101 - no condition was set
        return answer

    async def request_document(
        self, url: str, *, validators: Validators | None = None
    ) -> Page | Redirect | NotModified:
        """GET a feed or sitemap: whole, and of any type. Raises FetchFailed as `request` does."""
        return await self._exchange(url, {"Accept": _FEED_ACCEPT, **conditions(validators)}, self._body)

    @noted
    async def _exchange(
        self, url: str, headers: dict[str, str], read: _Read, cookies: Sequence[tuple[str, str]] = ()
    ) -> Page | Redirect | NotModified:
        if self._recorder is None:
            return await self._answer(url, headers, read, cookies)
        with taped(url, self.clock.now()) as tape:
            try:
                answer = await self._answer(url, headers, read, cookies)
            except FetchFailed as failure:
                await tape.hand_to(self._recorder, failure)
                raise
            kept = await tape.hand_to(self._recorder)
        return replace(answer, record=kept) if isinstance(answer, Page) else answer

    async def _answer(
        self, url: str, headers: dict[str, str], read: _Read, cookies: Sequence[tuple[str, str]]
    ) -> Page | Redirect | NotModified:
        target = self._requestable(url)
        started = self.clock.monotonic()
        try:
            async with (
                asyncio.timeout(self._limits.total_timeout_s),
                await self._send(target, headers, cookies) as response,
            ):
                if tape := current_tape():
                    tape.head(response, self._transport.peer_of(url, response))
                self._check_head(response)
                if response.status in _REDIRECTS:
                    location = redirect_target(target.href, location_of(response))
                    return Redirect(url, response.status, location, headers_of(response, "Set-Cookie"))
                if response.status == _NOT_MODIFIED:
                    return self._not_modified(url, response, headers, started)
                body = await read(response)
        except NETWORK_ERRORS as exc:
            raise failure_from(exc) from exc
        return Page(
            url=url,
            status=response.status,
            body=body.data,
            content_type=header_of(response, "Content-Type"),
            wire_bytes=body.wire_bytes,
            duration_ms=self._ms_since(started),
            etag=header_of(response, "ETag"),
            last_modified=header_of(response, "Last-Modified"),
            codings=body.codings,
            robots_tag=headers_of(response, "X-Robots-Tag"),
            set_cookies=headers_of(response, "Set-Cookie"),
            max_age_s=max_age_s(
                ",".join(headers_of(response, "Cache-Control")), header_of(response, "Age") or ""
            ),
        )

    def _not_modified(
        self, url: str, response: aiohttp.ClientResponse, headers: Mapping[str, str], started: float
    ) -> NotModified:
        if not headers.keys() & {"If-None-Match", "If-Modified-Since"}:
            raise FetchFailed("bad_response", "304 to a request without a condition")
        etag, last_modified = header_of(response, "ETag"), header_of(response, "Last-Modified")
        return NotModified(url, response.status, self._ms_since(started), etag, last_modified)

    def _ms_since(self, started: float) -> int:
        return round((self.clock.monotonic() - started) * 1000)

    def _requestable(self, url: str) -> URL:
        """`url` parsed as browsers do, which also reads `0x7f.1` as the address that it is."""
        try:
            target = URL(url)
        except ValueError:
            raise FetchFailed("malformed", "not a URL") from None
        if target.protocol not in {"http:", "https:"}:
            raise FetchFailed("malformed", "not an http(s) URL")
        if target.host_type == HostType.DEFAULT:
            self._guard.check_name(target.hostname)
        else:
            self._guard.check(target.hostname.strip("[]"))
        if "%3a" in target.username.lower():
            raise FetchFailed("malformed", "a user name with a colon in it (RFC 7617, 2)")
        self._targets.check(target)
        return target

    async def _send(
        self, target: URL, headers: Mapping[str, str], cookies: Sequence[tuple[str, str]]
    ) -> aiohttp.ClientResponse:
        url = yarl.URL(target.href, encoded=True)  # already in the form to send: not to be quoted anew
        sent = dict(headers)
        if cookie := cookie_header(url, cookies):
            sent["Cookie"] = cookie
        if url.user is not None or url.password is not None:
            # RFC 7617 in UTF-8. aiohttp has Latin-1, and raises for what is beyond.
            credentials = f"{url.user or ''}:{url.password or ''}".encode()
            sent["Authorization"] = f"Basic {b64encode(credentials).decode()}"
            url = url.with_user(None)
        return await self._transport.get(url, sent)

    def _check_head(self, response: aiohttp.ClientResponse) -> None:
        """Raise FetchFailed for a response that neither redirects nor has a body to read."""
        # aiohttp bounds each header and their number, and so only the product of both.
        header_bytes = sum(len(name) + len(value) for name, value in response.raw_headers)
        if header_bytes > self._limits.header_limit_bytes:
            raise FetchFailed("bad_response", "the headers are over the limit")
        status = response.status
        if status in _REDIRECTS or status == _NOT_MODIFIED:
            return
        if status not in _STATUSES:
            raise FetchFailed("bad_response", f"status {status}, which HTTP does not have")
        if not 200 <= status < 300 or status == _PARTIAL_CONTENT:
            wanted_s = retry_after_s(response.headers, self.clock.now())
            raise FetchFailed(f"http_{status}", status=status, retry_after_s=wanted_s)

    async def _page_body(self, response: aiohttp.ClientResponse) -> Body:
        if response.status in _NO_CONTENT:
            raise FetchFailed("empty", f"status {response.status}")
        if is_page_type(response.headers.get("Content-Type")) is False:
            raise FetchFailed("not_html", (header_of(response, "Content-Type") or "")[:80])
        if (response.content_length or 0) > self._limits.on_wire_bytes:
            raise FetchFailed("too_large", f"{response.content_length} bytes announced")
        body = await self._body(response, as_sent=self._as_sent)
        if not body.codings:
            check_body(header_of(response, "Content-Type"), body.data)
        elif not body.data:
            raise FetchFailed("empty")
        return body

    async def _body(
        self, response: aiohttp.ClientResponse, keep_bytes: int | None = None, *, as_sent: bool = False
    ) -> Body:
        connection = response.connection
        protocol = None if connection is None else connection.protocol
        codings = parse_codings(",".join(response.headers.getall("Content-Encoding", ())))
        as_sent = as_sent and bool(codings)
        try:
            body = await read_body(
                Copied(response.content, tape) if (tape := current_tape()) else response.content,
                () if as_sent else codings,
                limit_bytes=self._limits.on_wire_bytes if as_sent else self._limits.body_limit_bytes,
                wire_limit_bytes=self._limits.on_wire_bytes,
                keep_bytes=keep_bytes,
                pace=Pace(self.clock, self._limits.least_bytes_per_s, self._limits.stall_timeout_s),
            )
        except aiohttp.SocketTimeoutError as exc:
            raise FetchFailed("too_slow", f"silent for {self._limits.stall_timeout_s:g} s") from exc
        # A body that ends with its connection ends at a reset too, and aiohttp hands it over as if whole.
        open_ended = response.content_length is None and "Transfer-Encoding" not in response.headers
        if open_ended and protocol is not None and isinstance(protocol.exception(), OSError):
            raise FetchFailed("bad_response", "the body was cut by a reset")
        return replace(body, codings=codings) if as_sent else body
