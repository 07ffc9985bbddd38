"""What the race tells the peers' programs, and the gate that holds them until all are up and warm."""

from __future__ import annotations

import gzip
import os
import time
import urllib.request

from redis import Redis

from tests.bench.peers.article import article

REDIS_URL = os.environ.get("BENCH_REDIS_URL", "")
AT_ONCE = int(os.environ.get("BENCH_AT_ONCE", "16"))  # requests of a process
PROCESSES = int(os.environ.get("BENCH_PROCESSES", "2"))
RESULTS = "bench:results"
READY, GO = "bench:ready", "bench:go"
_PATIENCE_S = 120
_LOOK_EVERY_S = 0.01


def wait_for_go() -> None:
    """Read a few pages first, so that no import or table is loaded within the race; then wait for its start.

    Raises TimeoutError if there is none in two minutes.
    """
    for url in os.environ.get("BENCH_WARM_URLS", "").split():
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - the bench's own pages
            body = response.read()
            is_gzip = response.headers.get("Content-Encoding") == "gzip"
        article(gzip.decompress(body) if is_gzip else body, url)
    with Redis.from_url(REDIS_URL) as store:
        store.incr(READY)
        for _ in range(int(_PATIENCE_S / _LOOK_EVERY_S)):
            if store.exists(GO):
                return
            time.sleep(_LOOK_EVERY_S)
    raise TimeoutError(f"{GO} was not set within {_PATIENCE_S} s")
