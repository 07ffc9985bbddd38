"""Scrapy with scrapy-redis: URLs from a Redis list, items to a Redis list, trafilatura in the callback.

The callback reads the page in the reactor's thread, as Scrapy's own do: with a process for each core another
thread would win nothing. Of scrapy-redis' parts the queue of requests and its pipeline are used.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from redis import Redis
from scrapy.crawler import CrawlerProcess
from scrapy_redis.spiders import RedisSpider

from tests.bench.peers.article import article
from tests.bench.peers.gate import AT_ONCE, REDIS_URL, RESULTS, wait_for_go

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy import Request
    from scrapy.http import Response

_QUEUE = "bench:urls"


def written(item: dict[str, str]) -> str:
    """The item as the pipeline stores it: it is JSON already."""
    return item["record"]


class PagesSpider(RedisSpider):
    """Reads each URL of the queue once."""

    name = "pages"
    redis_key = _QUEUE

    async def start(self) -> AsyncIterator[Request]:
        """The first batch; the next ones come whenever the spider is idle."""
        wait_for_go()
        for request in self.next_requests():
            yield request

    def parse(self, response: Response) -> Iterator[dict[str, str]]:
        """One record for a page."""
        yield {"record": article(response.body, response.url)}


SETTINGS = {
    "REDIS_URL": REDIS_URL,
    "REDIS_ITEMS_KEY": RESULTS,
    "REDIS_ITEMS_SERIALIZER": written,
    "SCHEDULER": "scrapy_redis.scheduler.Scheduler",
    "DUPEFILTER_CLASS": "scrapy_redis.dupefilter.RFPDupeFilter",
    "ITEM_PIPELINES": {"scrapy_redis.pipelines.RedisPipeline": 300},
    "CONCURRENT_REQUESTS": AT_ONCE,
    "CONCURRENT_REQUESTS_PER_DOMAIN": AT_ONCE,
    "DOWNLOAD_DELAY": 0,
    "ROBOTSTXT_OBEY": False,
    "AUTOTHROTTLE_ENABLED": False,
    "COOKIES_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_LEVEL": "ERROR",
    "LOGSTATS_INTERVAL": 0,
    "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
}


def main() -> None:
    """Fill or work."""
    if sys.argv[1] == "fill":
        with Redis.from_url(REDIS_URL) as store:
            store.rpush(_QUEUE, *(json.dumps({"url": url}) for url in sys.stdin.read().split()))
    else:
        process = CrawlerProcess(SETTINGS)
        process.crawl(PagesSpider)
        process.start()


if __name__ == "__main__":
    main()
