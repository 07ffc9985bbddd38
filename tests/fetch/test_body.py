from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest

from worker.clock import FakeClock
from worker.errors import FetchFailed
from worker.fetch.body import Pace, read_body

if TYPE_CHECKING:
    from collections.abc import Iterable


class Chunks:
    """A body that arrives in the given chunks."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.reads = 0

    async def read(self, n: int) -> bytes:
        self.reads += 1
        chunk = next(self._chunks, b"")
        assert len(chunk) <= n
        return chunk


async def test_a_body_and_its_wire_size() -> None:
    """The body is what was decoded; the wire size is what was sent."""
    packed = gzip.compress(b"hello " * 1000)
    body = await read_body(Chunks([packed[:9], packed[9:]]), ["gzip"], limit_bytes=9000, wire_limit_bytes=999)
    assert (body.data, body.wire_bytes) == (b"hello " * 1000, len(packed))


async def test_bodies_up_to_the_limit_and_not_a_byte_more() -> None:
    """Both limits are inclusive."""
    assert (await read_body(Chunks([b"abcde"]), [], limit_bytes=5, wire_limit_bytes=5)).data == b"abcde"
    with pytest.raises(FetchFailed, match="too_large: more than 4 bytes on the wire"):
        await read_body(Chunks([b"abcde"]), [], limit_bytes=5, wire_limit_bytes=4)
    with pytest.raises(FetchFailed, match="too_large: more than 4 bytes decompressed"):
        await read_body(Chunks([b"abcde"]), [], limit_bytes=4, wire_limit_bytes=5)


async def test_reading_stops_at_the_limit() -> None:
    """An endless body is not read on once it is over the limit."""
    endless = Chunks(iter(lambda: b"x" * 1000, None))
    with pytest.raises(FetchFailed, match="too_large"):
        await read_body(endless, [], limit_bytes=10_000, wire_limit_bytes=10_000)
    assert endless.reads == 11


async def test_the_first_bytes_can_be_enough() -> None:
    """With `keep_bytes`, the rest is neither read nor held against the limits."""
    endless = Chunks(iter(lambda: b"x" * 1000, None))
    body = await read_body(endless, [], limit_bytes=10, wire_limit_bytes=10, keep_bytes=2500)
    assert (len(body.data), endless.reads) == (2500, 3)


async def test_the_first_bytes_of_a_bomb_can_be_enough() -> None:
    """With `keep_bytes`, a compressed body of any size gives its beginning."""
    packer = zlib.compressobj()
    packed = packer.compress(bytes(50_000_000)) + packer.flush()
    body = await read_body(
        Chunks([packed[:60_000]]), ["deflate"], limit_bytes=1, wire_limit_bytes=1, keep_bytes=9
    )
    assert body.data == bytes(9)


async def test_a_shorter_body_than_wanted_is_whole() -> None:
    """`keep_bytes` is no minimum."""
    body = await read_body(Chunks([b"ab"]), [], limit_bytes=10, wire_limit_bytes=10, keep_bytes=5)
    assert body.data == b"ab"


async def test_memory_is_bounded_by_the_limit() -> None:
    """A bomb of 100 MB never takes more memory than the limit and some pieces."""
    packed = gzip.compress(bytes(100_000_000), 6)
    chunks = [packed[at : at + 65_536] for at in range(0, len(packed), 65_536)]
    tracemalloc.start()
    with pytest.raises(FetchFailed, match="too_large"):
        await read_body(Chunks(chunks), ["gzip"], limit_bytes=2_000_000, wire_limit_bytes=2_000_000)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 3_500_000  # BytesIO grows by an eighth at a time, and moves


async def test_other_tasks_run_meanwhile() -> None:
    """A body whose bytes are all there does not keep the loop to itself."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    await read_body(Chunks([b"x"] * 50), [], limit_bytes=100, wire_limit_bytes=100)
    other.cancel()
    assert turns >= 50


def test_a_pace_is_measured_over_whole_windows() -> None:
    """Bursts and pauses average out within a window; a window that brings too little ends the body."""
    clock = FakeClock()
    pace = Pace(clock, least_bytes_per_s=100, window_s=10)
    for arrived_bytes, after_s in ((1000, 9), (0, 1), (1, 5), (999, 5)):
        clock.advance(after_s)
        pace.count(arrived_bytes)
    clock.advance(11)
    with pytest.raises(FetchFailed, match=r"too_slow: 90\.9 bytes a second, less than 100"):
        pace.count(1000)


def test_no_least_rate_is_no_limit() -> None:
    """With 0 a body may take as long as the whole request may."""
    clock = FakeClock()
    pace = Pace(clock, least_bytes_per_s=0, window_s=10)
    clock.advance(100)
    pace.count(0)
