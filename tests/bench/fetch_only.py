"""`python -m tests.bench.fetch_only`: a worker without the CPU: it does all of its job but reading the page.

The settings are those of `ingest run`. Every page is taken for the same article, under its own URL.
"""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn
from unittest.mock import patch

import uvloop

from tests.bench.timed_origin import tiny_page
from worker.extract import extract_article
from worker.extract.pool import ExtractionPool
from worker.reading import members, reading_of
from worker.runtime import parts
from worker.runtime.supervisor import Stop, run_worker
from worker.settings import load_settings
from worker.urls import article_id


class Unread(ExtractionPool):
    """A pool that starts no process."""

    _reading = reading_of(
        extract_article(tiny_page().body, url="http://tiny.example/1", content_type="text/html")
    )

    async def call(self, function: Any, page: bytes, **arguments: Any) -> Any:
        """The same article for every page, whichever way it should be read."""
        url = str(arguments["url"])
        name = article_id(url)
        _, _, *others = self._reading.parts
        own = members({"article_id": name}), members({"url": url, "canonical_url": url})
        return self._reading._replace(article_id=name, parts=(*own, *others), body_bytes=len(page))

    async def _child_of(self, slot: object) -> NoReturn:
        raise NotImplementedError("a page was to be read: the pool has another way in")


async def main() -> None:
    """Run until SIGTERM."""
    stop = Stop()
    stop.on_signals()
    await run_worker(load_settings(), stop)


if __name__ == "__main__":
    with (
        patch.object(parts, "ExtractionPool", Unread),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(main())
