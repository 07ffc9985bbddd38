"""A producer: pushes items to the queue, a batch at a time, each again until Redis has said yes to it.

Run as `python -m tests.chaos.producer REDIS_URL QUEUE FILE BATCH PAUSE_S`, FILE with an item a line. When a
reply was lost its batch may stand in the queue twice: that is the producer's side of the promise.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.lifeline import die_with_parent


def main(url: str, queue: str, file: str, batch: str, pause_s: str) -> None:
    """Push all of it."""
    die_with_parent(os.getppid())
    store = redis.Redis.from_url(
        url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0), retry_on_error=[]
    )
    items = Path(file).read_bytes().splitlines()
    for start in range(0, len(items), int(batch)):
        while True:
            try:
                store.rpush(queue, *items[start : start + int(batch)])
                break
            except (redis.RedisError, OSError):
                time.sleep(0.1)
        time.sleep(float(pause_s))


if __name__ == "__main__":
    main(*sys.argv[1:])
