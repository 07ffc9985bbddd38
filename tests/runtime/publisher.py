"""A publisher on a loopback port: one article under many paths, each with its own idea of RFC 9110."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

_SENTENCE = "The ferry left the quay at nine and came back at noon, with all of its passengers. "
_DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


@dataclass
class Publisher:
    """What the article says now, and what was asked.

    /etag honours If-None-Match, /date If-Modified-Since, /none neither; /moved redirects to /etag, and /liar
    says 304 to everybody.
    """

    title: str = "A title of some words"
    author: str = "Ada Example"
    times: int = 4  # how often each paragraph says its sentence
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] | None = None  # once, between an answer and its sending
    port: int = 0
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def url(self, path: str) -> str:
        """The article's URL at that path."""
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def page(self) -> bytes:
        """The article as it is now."""
        head = f"<title>{self.title}</title><meta name=author content='{self.author}'>"
        text = f"<p>{_SENTENCE * self.times}</p>" * 4
        return f"<html><head>{head}</head><body><article><h1>{self.title}</h1>{text}".encode()

    @property
    def etag(self) -> str:
        """The page's own."""
        return f'"{hashlib.sha256(self.page).hexdigest()[:12]}"'

    async def _answer(self, request: web.Request) -> web.Response:
        response = self._response(request)
        none_match, modified_since = (
            request.headers.get(name) for name in ("If-None-Match", "If-Modified-Since")
        )
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        self.asked.append((request.path, none_match, modified_since))
        self.statuses.append(response.status)
        return response

    def _response(self, request: web.Request) -> web.Response:
        page = web.Response(body=self.page, content_type="text/html")
        match request.path:
            case "/moved":
                return web.Response(status=302, headers={"Location": "/etag"})
            case "/etag":
                page.headers["ETag"] = self.etag
                if request.headers.get("If-None-Match") == self.etag:
                    return web.Response(status=304, headers={"ETag": self.etag})
            case "/date":
                page.headers["Last-Modified"] = _DATE
                if request.headers.get("If-Modified-Since") == _DATE:
                    return web.Response(status=304)
            case "/liar":
                return web.Response(status=304)
        return page
