"""Descriptors on the workers' own event loop: each is closed once, by whoever has it."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import struct
import threading
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
import uvloop

from tests.fetch.conftest import LOOPBACK, USER_AGENT
from worker.errors import FetchFailed
from worker.fetch.limits import FetchLimits
from worker.fetch.protocol import LoopsSocket
from worker.fetch.session import Fetcher

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS = 300
AT_ONCE = 50
LIMITS = FetchLimits(connect_timeout_s=0.2, total_timeout_s=10)
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@contextmanager
def resetting() -> Iterator[int]:
    """A port that resets every connection at once, on a thread: it must not wait for the client's loop."""
    with socket.create_server(("127.0.0.1", 0), backlog=AT_ONCE) as listener:

        def reset_all() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the listener was shut down
                    return
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                connection.close()

        thread = threading.Thread(target=reset_all)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


async def ends(*urls: str) -> tuple[Counter[str], int]:
    """How requests for the URLs in turn end, many at once, and how many descriptors they leave open."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # uvloop complains of each reset
    places, found = asyncio.Semaphore(AT_ONCE), Counter[str]()

    async def ask(fetcher: Fetcher, url: str) -> None:
        async with places:
            with pytest.raises(FetchFailed) as failure:
                await fetcher.request(url)
            found[failure.value.reason] += 1

    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        await asyncio.gather(*(ask(fetcher, urls[number % len(urls)]) for number in range(AT_ONCE)))
        await asyncio.sleep(0.1)  # for what is made once, and what is still being closed
        before = len(os.listdir("/proc/self/fd"))
        await asyncio.gather(*(ask(fetcher, urls[number % len(urls)]) for number in range(REQUESTS)))
        gc.collect()
        await asyncio.sleep(0.1)
        return found, len(os.listdir("/proc/self/fd")) - before


def test_a_reset_closes_no_other_connection() -> None:
    """Hosts that reset at once, beside one that hangs: each fails for its own reason, and nothing leaks.

    uvloop's sockets closed other connections' descriptors then: a hanging one ended as `connect` ("bad file
    descriptor"), and a new one as an error of ours.
    """
    with resetting() as port, closing(socket.create_server(("127.0.0.1", 0), backlog=1000)) as hanging:
        ports = port, hanging.getsockname()[1]
        found, left = uvloop.run(ends(*(f"https://127.0.0.1:{port}/" for port in ports)))
    assert found["timeout"] >= (REQUESTS + AT_ONCE) // 2
    assert found.keys() <= {"timeout", "connect"}
    assert left <= 0


def test_a_collected_socket_closes_nothing() -> None:
    """The garbage collector leaves the descriptor to the loop, which may have closed it long ago."""
    opened = LoopsSocket.of(socket.create_server(("127.0.0.1", 0)))
    descriptor = opened.fileno()
    del opened
    gc.collect()
    os.close(descriptor)


def test_a_closed_socket_is_closed() -> None:
    """Whoever connects can still close it: no failed attempt leaves a descriptor behind."""
    opened = LoopsSocket(socket.AF_INET, socket.SOCK_STREAM)
    descriptor = opened.fileno()
    opened.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
