"""Feeds are read as pages are, in a process that can be killed: XML has many ways to keep a parser busy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from worker.errors import ExtractionFailed, ExtractTimeout, FetchFailed
from worker.extract.pool import ExtractionPool
from worker.feeds import Feed, NotAFeed, parse_feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.model import Article, Page
    from worker.settings import Settings

#: The largest sitemap that the protocol allows takes three seconds.
READ_TIMEOUT_S = 60.0


def read(page: bytes, *, url: str, content_type: str | None, **_: object) -> Feed | NotAFeed:
    """What the child process runs, with what it is given for any page."""
    try:
        return parse_feed(page, url=url, content_type=content_type)
    except NotAFeed as refusal:
        return refusal


class FeedReader:
    """Reads feeds, one at a time in a child."""

    def __init__(self, settings: Settings) -> None:
        self.pool = ExtractionPool(
            processes=1,
            timeout_s=READ_TIMEOUT_S,
            memory_limit_bytes=settings.extract_memory_limit_bytes,
            function=cast("Callable[..., Article]", read),  # the pool hands through whatever comes back
        )

    async def read(self, page: Page) -> Feed:
        """What the document tells.

        Raises NotAFeed; FetchFailed as `extract_timeout`, `poison` or `internal` where the child was killed,
        died or could not start.
        """
        try:
            found: Any = await self.pool.extract(page.body, url=page.url, content_type=page.content_type)
        except ExtractTimeout as failure:
            raise FetchFailed("extract_timeout", str(failure)) from failure
        except ExtractionFailed as failure:
            raise FetchFailed("poison", str(failure)) from failure
        if isinstance(found, NotAFeed):
            raise found
        assert isinstance(found, Feed)  # noqa: S101
        return found
