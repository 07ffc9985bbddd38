"""`python -m tests.bench.fetch_only`: a worker without the CPU: it does all of its job but reading the page.

The settings are those of `ingest run`. Every page is taken for the same article, under its own URL.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import uvloop

from tests.bench.timed_origin import tiny_page
from worker.extract import extract_article
from worker.extract.pool import ExtractionPool
from worker.runtime import parts
from worker.runtime.supervisor import Stop, run_worker
from worker.settings import load_settings
from worker.urls import article_id

if TYPE_CHECKING:
    from worker.model import Article


class Unread(ExtractionPool):
    """A pool that starts no process."""

    _article = extract_article(tiny_page().body, url="http://tiny.example/1", content_type="text/html")

    async def extract(self, page: bytes, *, url: str, **known: Any) -> Article:
        """The same article for every page."""
        return replace(self._article, url=url, canonical_url=url, article_id=article_id(url))


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
