"""The library for consumers without an event loop."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.events.streams import LONG_MS, fields, url
from worker.errors import Misconfigured
from worker.events import SyncArticleConsumer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import RedisServer

from redis import Redis

ARTICLES = "{ingest:0}:articles"


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[Redis]:
    """The emptied server, with three events."""
    with Redis(unix_socket_path=redis_server.url.removeprefix("unix://"), protocol=2) as store:
        store.flushall()
        for number in range(3):
            store.xadd(ARTICLES, {**fields(number)})
        yield store


def consumer(redis_server: RedisServer, **options: Any) -> SyncArticleConsumer:
    """A consumer of the group g that ends when there is nothing more."""
    given: dict[str, Any] = {"idle_ms": LONG_MS, "end_when_quiet_s": 0.05} | options
    return SyncArticleConsumer(redis_server.url, group="g", **given)


def pending(store: Redis) -> int:
    """How many entries are."""
    return int(store.xpending(ARTICLES, "g")["pending"])


def test_loop_reads_acknowledges_and_ends(redis_server: RedisServer, store: Redis) -> None:
    """As the asynchronous one; the thread ends with it."""
    before = threading.active_count()
    with consumer(redis_server) as reader:
        seen: list[str | None] = []
        for event in reader:
            assert reader.lag() == 3 - len(seen)
            seen.append(event.url)
    assert seen == [url(0), url(1), url(2)]
    assert (pending(store), threading.active_count()) == (0, before)


def test_exception_does_not_acknowledge(redis_server: RedisServer, store: Redis) -> None:
    """It leaves the loop, and the event stays pending; what was read ahead is given back."""

    def fail() -> None:
        with consumer(redis_server) as reader:
            for event in reader:
                if event.url == url(1):
                    raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert pending(store) == 2
    with consumer(redis_server) as reader:
        assert [event.url for event in reader] == [url(2)]
    assert pending(store) == 1


def test_stop_from_another_thread_ends_the_loop(redis_server: RedisServer, store: Redis) -> None:
    """After the event in hand, which is acknowledged; a signal handler may do the same."""
    with consumer(redis_server, end_when_quiet_s=None) as reader:
        for event in reader:
            if event.url == url(1):
                stopping = threading.Thread(target=reader.stop)
                stopping.start()
                stopping.join()
    assert pending(store) == 1  # the third was read ahead, and given back


def test_signals_end_the_loop(redis_server: RedisServer, store: Redis) -> None:
    """SIGTERM comes while it waits for an event: what it has is done, and the program goes on behind it."""
    script = (
        "import signal, sys\n"
        "from worker.events import SyncArticleConsumer\n"
        "with SyncArticleConsumer(sys.argv[1], group='g') as consumer:\n"
        "    signal.signal(signal.SIGTERM, lambda *_: consumer.stop())\n"
        "    for event in consumer:\n"
        "        print(event.url, flush=True)\n"
        "print('done')\n"
    )
    reading = subprocess.Popen([sys.executable, "-c", script, redis_server.url], stdout=subprocess.PIPE)
    try:
        assert reading.stdout is not None
        lines = [reading.stdout.readline().decode().strip() for _ in range(3)]
        reading.send_signal(signal.SIGTERM)
        rest, _ = reading.communicate(timeout=30)
    finally:
        reading.kill()
    assert (lines, rest, reading.returncode) == ([url(0), url(1), url(2)], b"done\n", 0)
    assert pending(store) == 0


def test_lists_and_parts_of_them(redis_server: RedisServer, store: Redis) -> None:
    """One is left, one rejected, one acknowledged before the end."""
    with consumer(redis_server) as reader:
        for events in reader.batches(3, 10):
            reader.leave(events[0])
            reader.reject(events[1], "not for us")
            reader.acknowledge(events[2])
            assert pending(store) == 1
    assert pending(store) == 1
    assert store.hlen("{ingest:0}:rejected:g") == 1


def test_a_body_that_blocks_keeps_its_events(redis_server: RedisServer, store: Redis) -> None:
    """The signs of life are given by another thread: idle times are set back while the body blocks."""
    with consumer(redis_server, idle_ms=600) as reader:
        for event in reader:
            if event.url == url(0):
                idle, deadline = 0, time.monotonic() + 60
                while (now := _idle(store, event.entry)) >= idle:
                    idle = now
                    assert time.monotonic() < deadline
                    time.sleep(0.005)
    assert pending(store) == 0


def test_wrong_arguments_leave_nothing_behind() -> None:
    """Neither a thread nor an event loop."""
    before = threading.active_count()
    with pytest.raises(Misconfigured, match="batch=0"):
        SyncArticleConsumer("redis://127.0.0.1:1/0", group="g", batch=0)
    assert threading.active_count() == before


def _idle(store: Redis, entry: str) -> int:
    page: Any = store.xpending_range(ARTICLES, "g", entry, entry, 1)
    return int(page[0]["time_since_delivered"])
