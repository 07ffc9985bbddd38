"""A publisher with feeds that grow as a test says, and a log of how they were asked for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from aiohttp import web

from tests.chaos.origin import Origin, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADLINES = "Harbour & pier"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a feed, and what was answered."""

    path: str
    if_none_match: str | None
    status: int


class Newsroom(Origin):
    """An Origin whose `/feed.xml` lists the articles of `numbers`, the newest first, under an ETag.

    `held` requests for it are not answered before `release` is set. `status` other than 200 answers it
    instead, with `headers`. Other documents are in `documents`, by path: their type and their text.
    """

    def __init__(self, hosts: int = 2) -> None:
        super().__init__(hosts)
        self.numbers: list[int] = []
        self.asked: list[Asked] = []
        self.held = 0
        self.waiting = asyncio.Semaphore(0)  # released once for each request that is held
        self.release = asyncio.Event()
        self.status = 200
        self.headers: dict[str, str] = {}
        self.documents: dict[str, tuple[str, str]] = {}
        self.moves: dict[str, tuple[int, str]] = {}  # path → status and location
        self.paths: list[str] = []  # of all requests

    @property
    def root(self) -> str:
        """The first host's URL, without a path."""
        return f"http://{self.hosts[0]}:{self.port}"

    @property
    def feed(self) -> str:
        """The feed's URL."""
        return f"{self.root}/feed.xml"

    def articles(self, numbers: Sequence[int]) -> list[str]:
        """The URLs of these articles."""
        return [f"http://{self.hosts[number % len(self.hosts)]}:{self.port}/a/{number}" for number in numbers]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        if not {request.path} & {"/feed.xml", *self.documents, *self.moves}:
            return await super()._serve(request)
        began_s = time.monotonic()
        try:
            return await self._listed(request)
        finally:
            host = request.host.partition(":")[0]
            self.log.append(Request(host, request.path, began_s, time.monotonic()))

    async def _listed(self, request: web.Request) -> web.StreamResponse:
        if request.path in self.moves:
            status, location = self.moves[request.path]
            return web.Response(status=status, headers={"Location": location})
        if request.path in self.documents:
            kind, text = self.documents[request.path]
            return web.Response(text=text, content_type=kind)
        if self.held:
            self.held -= 1
            self.waiting.release()
            await self.release.wait()
        etag = f'"{len(self.numbers)}"'
        condition = request.headers.get("If-None-Match")
        status = self.status if self.status != 200 else 304 if condition == etag else 200
        self.asked.append(Asked(request.path, condition, status))
        if status != 200:
            return web.Response(status=status, headers={"ETag": etag, **self.headers})
        return web.Response(text=self._document(), content_type="application/rss+xml", headers={"ETag": etag})

    def _document(self) -> str:
        items = "".join(
            f"<item><title>Pier {number}</title><link>{escape(url)}?utm_source=rss</link>"
            f"<guid isPermaLink='false'>n{number}</guid><dc:creator>Ann Bell</dc:creator>"
            f"<pubDate>Wed, 04 Mar 2026 05:06:{number % 60:02d} GMT</pubDate></item>"
            for number, url in zip(self.numbers, self.articles(self.numbers), strict=True)
        )
        return (
            "<?xml version='1.0'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>"
            f"<title>{escape(_HEADLINES)}</title><language>en</language>{items}</channel></rss>"
        )
