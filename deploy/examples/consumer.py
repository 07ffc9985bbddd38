"""An example of a consumer: prints a line for each article, and acknowledges it.

Environment: `REDIS_URL`, with a user who may read; `STREAM`, `GROUP`, and `READER`, its name in the group. Of
several, each has a name for itself: under that of one that died, what it had not acknowledged comes again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAM = os.environ.get("STREAM", "{ingest:0}:articles")
GROUP = os.environ.get("GROUP", "example")
READER = os.environ.get("READER", "reader-1")

ending = threading.Event()

Entry = tuple[bytes, dict[bytes, bytes]]


def entries(store: redis.Redis) -> Iterator[Entry]:
    """Entry by entry: first what this reader took and did not acknowledge, then what comes.

    Ends once `ending` is set, within some seconds.
    Raises redis.RedisError when Redis goes away.
    """
    try:
        store.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
    after = "0"
    while not ending.is_set():
        # Shorter than the connection's own patience, or a quiet stream would look like a Redis that is gone.
        reply: Any = store.xreadgroup(GROUP, READER, {STREAM: after}, count=100, block=2000)
        batch: list[Entry] = reply[0][1] if reply else []
        yield from batch
        if not batch:
            after = ">"


def shown(fields: dict[bytes, bytes]) -> str:
    """The event on one line: when, what, where."""
    article = json.loads(fields[b"data"])
    # A visit that found the article as it was has no title: it says which revision still holds.
    what = article.get("title") or f"unchanged, revision {article['revision']}"
    when = article.get("published_at") or "no date"
    return f"{when[:10]:<10}  {''.join(c if c.isprintable() else ' ' for c in what)}  {article['url']}"


def main() -> None:
    """Read until SIGTERM or Ctrl-C, whatever happens to Redis meanwhile; what was printed is acknowledged."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=10)
    while not ending.is_set():
        try:
            for entry, fields in entries(store):
                if fields:  # else the entry itself is gone, and only its number was still to be acknowledged
                    print(shown(fields), flush=True)  # keep it here, under the event's id
                store.xack(STREAM, GROUP, entry)
                if ending.is_set():
                    return
        except redis.RedisError as error:
            print(f"again in a second: {error}", file=sys.stderr, flush=True)
            ending.wait(1)


if __name__ == "__main__":
    main()
