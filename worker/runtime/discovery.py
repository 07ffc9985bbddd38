"""Which feeds and sitemaps a site has: what its page and robots.txt name, then a few usual places."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from worker.clock import SystemClock
from worker.errors import FetchFailed, Malformed
from worker.feeds import NotAFeed
from worker.feeds.links import feed_links
from worker.feeds.text import decoded
from worker.fetch.gate import RobotsGate, Unshared
from worker.model import Page
from worker.runtime.feed_reader import FeedReader
from worker.runtime.parts import fetcher_of
from worker.runtime.polite import OwnTurns, Polite
from worker.settings import host_rules
from worker.urls import canonicalise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from worker.feeds import Feed
    from worker.settings import Settings

#: Asked only where the page names no feed, and robots.txt no sitemap.
USUAL_FEEDS = ("/feed", "/rss.xml", "/atom.xml", "/rss", "/index.xml")
USUAL_SITEMAPS = ("/sitemap.xml", "/sitemap_index.xml", "/news-sitemap.xml")
#: Requests for one site, so that none is bothered by many.
MOST_LOOKED_AT = 24
_SITEMAPS_OF_AN_INDEX = 4


@dataclass(frozen=True, slots=True)
class Found:
    """A feed or sitemap, or why what was named as one is none. `same_as` has just the same entries."""

    url: str
    by: str  # `page`, `robots.txt`, `usual place`, `index` or `asked`
    feed: Feed | None = None
    error: str = ""
    same_as: str | None = None


@dataclass
class Discovery:
    """What was found at a site so far."""

    site: str
    found: dict[str, Found] = field(default_factory=dict)
    requests: int = 0
    page_error: str = ""

    @property
    def feeds(self) -> list[Found]:
        """The feeds and sitemaps, those of news first, each with the newest first."""
        good = [each for each in self.found.values() if each.feed]
        return sorted(good, key=_rank)

    @property
    def faults(self) -> list[Found]:
        """What was named and is no feed, usual places aside."""
        return [each for each in self.found.values() if not each.feed and each.by != "usual place"]


def _rank(found: Found) -> tuple[bool, bool, float]:
    feed = found.feed
    assert feed is not None  # noqa: S101
    return not feed.is_news, found.same_as is not None, -(feed.newest.timestamp() if feed.newest else 0.0)


class Explorer:
    """Looks at single documents, and round whole sites."""

    def __init__(self, polite: Polite, reader: FeedReader) -> None:
        self._polite = polite
        self._reader = reader

    async def look(self, url: str) -> tuple[str, Feed]:
        """The feed at `url`, and the address to watch. Raises NotAFeed and FetchFailed."""
        answer = await self._polite.get(url)
        assert isinstance(answer.response, Page)  # noqa: S101 - no condition was set
        return answer.moved_to or url, await self._reader.read(answer.response)

    async def discover(self, site: str) -> Discovery:
        """All that is found at the canonical URL `site`. Raises FetchFailed where it cannot be had at all."""
        discovery = Discovery(site)
        named: dict[str, str | None] = {}
        home = site
        try:
            answer = await self._polite.get(site)
            assert isinstance(answer.response, Page)  # noqa: S101
            home = answer.response.url
            discovery.requests += 1
            try:
                self._note(discovery, site, "asked", await self._reader.read(answer.response))
            except NotAFeed:
                named = feed_links(decoded(answer.response.body, answer.response.content_type), home)
        except FetchFailed as failure:
            if failure.status is None:
                raise
            discovery.page_error = str(failure)
        await self._look_at(discovery, named, "page")
        if not discovery.feeds:
            await self._look_at(
                discovery, (urljoin(home, path) for path in USUAL_FEEDS), "usual place", enough=1
            )
        sitemaps = await self._sitemaps_of_robots(home)
        await self._look_at(discovery, sitemaps, "robots.txt")
        if not sitemaps:
            places = (urljoin(home, path) for path in USUAL_SITEMAPS)
            await self._look_at(discovery, places, "usual place", enough=1)
        for index in [each.feed for each in discovery.feeds if each.feed and each.feed.sitemaps]:
            # Those named after news first; the index has the newest before the others.
            likely = sorted(index.sitemaps, key=lambda url: "news" not in url.lower())
            await self._look_at(discovery, likely[:_SITEMAPS_OF_AN_INDEX], "index")
        return discovery

    async def _sitemaps_of_robots(self, home: str) -> list[str]:
        try:
            rules = await self._polite.robots(home)
        except FetchFailed:
            return []
        return [urljoin(home, url) for url in dict.fromkeys(rules.sitemaps)]

    async def _look_at(
        self, discovery: Discovery, urls: Iterable[str], by: str, *, enough: int | None = None
    ) -> None:
        """Look at each; stop once `enough` were feeds."""
        hits = 0
        for each in urls:
            try:
                url = canonicalise(each)
            except Malformed:
                continue
            if url in discovery.found or discovery.requests >= MOST_LOOKED_AT:
                continue
            discovery.requests += 1
            try:
                address, feed = await self.look(url)
            except (FetchFailed, NotAFeed) as fault:
                discovery.found[url] = Found(url, by, error=str(fault))
                continue
            hits += self._note(discovery, address, by, feed)
            if enough is not None and hits >= enough:
                return

    def _note(self, discovery: Discovery, url: str, by: str, feed: Feed) -> bool:
        entries = {entry.url for entry in feed.entries}
        twin = next(
            (
                each.url
                for each in discovery.found.values()
                if each.feed and entries and {entry.url for entry in each.feed.entries} == entries
            ),
            None,
        )
        discovery.found.setdefault(url, Found(url, by, feed, same_as=twin))
        return True


@asynccontextmanager
async def explorer_of(settings: Settings) -> AsyncIterator[Explorer]:
    """An explorer that needs no Redis: it spaces its requests itself, and the fleet does not count them."""
    clock, reader = SystemClock(), FeedReader(settings)
    larger = settings.model_copy(update={"body_limit_bytes": settings.feed_limit_bytes})
    async with fetcher_of(larger) as fetcher, reader.pool:
        gate = RobotsGate(
            Unshared(),
            fetcher,
            user_agent=settings.user_agent,
            pause_s=settings.host_spacing_s,
            turn_s=settings.lease_s,
            clock=clock,
        )
        turns = OwnTurns(settings, host_rules(settings), clock)
        yield Explorer(Polite(fetcher, gate, turns, settings, clock), reader)
