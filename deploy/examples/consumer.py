"""An example of a consumer: prints a line for each article, and acknowledges it.

Environment: `REDIS_URL`, with a user who may read; `GROUP` and `PREFIX` (INGEST_NAMESPACE), where they are
not `example` and `ingest`. Any number of these share the events of their group.
"""

from __future__ import annotations

import asyncio
import os
import signal

from worker.events import ArticleConsumer, Event


def shown(event: Event) -> str:
    """The event on one line: when, what, where; without what could steer a terminal."""
    article = event.article
    # A visit that found the article as it was has no title: it says which revision still holds.
    what = article.title if article else f"unchanged, revision {event.payload.revision}"
    when = (article and article.published_at) or "no date"
    return f"{when[:10]:<10}  {''.join(c if c.isprintable() else ' ' for c in what)}  {event.url}"


async def main() -> None:
    """Read until SIGTERM or Ctrl-C, whatever happens to Redis meanwhile; what was printed is acknowledged."""
    group, prefix = os.environ.get("GROUP", "example"), os.environ.get("PREFIX", "ingest")
    async with ArticleConsumer(os.environ["REDIS_URL"], group=group, prefix=prefix) as consumer:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, consumer.stop)
        async for event in consumer:
            print(shown(event), flush=True)  # keep it here, under event.id


asyncio.run(main())
