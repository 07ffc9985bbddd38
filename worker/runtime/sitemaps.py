"""The sitemaps that an index lists: each is watched as a feed of its own, the newest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import Malformed
from worker.store.feeds import Added, LeaseLost, feed_id
from worker.telemetry.log import get_logger
from worker.urls import canonicalise, url_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.connection import Word
    from worker.store.feeds import FeedLease, Feeds

#: Of an index, so many of the newest sitemaps are watched.
MOST_SITEMAPS = 500
#: So many feeds, and no more sitemaps of indexes are watched: a site may list new ones without end.
MOST_FEEDS = 100_000
#: Sitemaps in one call of a script: a few milliseconds of Redis' time.
_AT_ONCE = 500


async def adopt(feeds: Feeds, lease: FeedLease, locations: Sequence[str]) -> int:
    """Watch the sitemaps at these `locations`, the newest first; returns how many are new.

    What the first of them hold is skipped if what the index held was to be, also where one of them comes
    among the newest only later; what is listed later is new. Raises LeaseLost.
    """
    index = lease.feed
    urls = _canonical(locations, index.url)
    old = await _old(feeds, lease, urls)
    added = 0
    room = max(0, MOST_FEEDS - await feeds.count()) if urls else 0
    for url in urls[: min(MOST_SITEMAPS, room)]:
        fields: dict[str, Word] = {"parent": index.id}
        if url in old:
            fields["skip_present"] = 1
        became = await feeds.add(
            url, fields=fields, revive=False, root=index.root or index.parent or index.id
        )
        if became is Added.NEW:
            added += 1
            get_logger().info("feed_added", feed_id=feed_id(url), feed=url, parent=index.id)
    return added


async def _old(feeds: Feeds, lease: FeedLease, urls: Sequence[str]) -> set[str]:
    """Those whose entries are to be skipped: all that the index listed at a first look that was to skip.

    They are remembered as the index's own entries are, and for as long; it has no others.
    """
    old: set[str] = set()
    for start in range(0, len(urls), _AT_ONCE):
        batch = urls[start : start + _AT_ONCE]
        digests = [url_digest(url) for url in batch]
        new = await feeds.look(lease, digests)
        if new is None:
            raise LeaseLost("look")
        if not lease.feed.skip_present:
            old.update(set(batch) - {batch[index] for index in new})
            continue
        old.update(batch)
        if new and await feeds.push(lease, [(digests[index], b"") for index in new]) is None:
            raise LeaseLost("push")
    return old


def _canonical(locations: Sequence[str], own: str) -> list[str]:
    urls = []
    for location in locations:
        try:
            url = canonicalise(location)
        except Malformed:
            continue
        if url != own:
            urls.append(url)
    return urls
