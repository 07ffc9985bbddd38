"""Reading a body: bounded on the wire and decompressed, whatever a server sends."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from worker.errors import FetchFailed
from worker.fetch.budget import take
from worker.fetch.coding import PIECE_BYTES, Decoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.clock import Clock

READ_BYTES = 65_536


class ByteSource(Protocol):
    """What a body is read from: aiohttp's StreamReader."""

    async def read(self, n: int) -> bytes:
        """Up to `n` bytes; empty at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Body:
    """A body as decoded, and how much of the wire it took (after chunks, before decompression)."""

    data: bytes
    wire_bytes: int
    codings: tuple[str, ...] = ()  # that were left alone


class Pace:
    """Gives up on a body that drips: in each window of time it must average a least rate."""

    def __init__(self, clock: Clock, least_bytes_per_s: float, window_s: float) -> None:
        self._clock = clock
        self._least_bytes_per_s = least_bytes_per_s
        self._window_s = window_s
        self._began = clock.monotonic()
        self._window_bytes = 0

    def count(self, arrived_bytes: int) -> None:
        """Raises FetchFailed("too_slow") when a window has passed with too little in it."""
        self._window_bytes += arrived_bytes
        passed_s = self._clock.monotonic() - self._began
        if passed_s < self._window_s:
            return
        if self._window_bytes < self._least_bytes_per_s * passed_s:
            rate = self._window_bytes / passed_s
            raise FetchFailed("too_slow", f"{rate:.1f} bytes a second, less than {self._least_bytes_per_s:g}")
        self._began += passed_s
        self._window_bytes = 0


async def read_body(
    source: ByteSource,
    codings: Sequence[str],
    *,
    limit_bytes: int,
    wire_limit_bytes: int,
    keep_bytes: int | None = None,
    pace: Pace | None = None,
) -> Body:
    """Read and decode `source` to its end; or just its first `keep_bytes`, which then raise the limits.

    Raises FetchFailed: `too_large` over either limit, `bad_encoding` for a body that does not decompress,
    `bad_response` for one that ends early, `too_slow` for one that `pace` gives up on. Errors of `source`
    itself pass through.
    """
    if keep_bytes is not None:
        # What is kept must fit, with the piece that completes it, however small a page may be.
        limit_bytes = max(limit_bytes, keep_bytes + READ_BYTES + 2 * PIECE_BYTES)
        wire_limit_bytes = max(wire_limit_bytes, keep_bytes + READ_BYTES)
    decoder = Decoder(codings, limit_bytes=limit_bytes)
    kept = io.BytesIO()  # its getvalue() copies nothing, so the body is in memory once
    wire_bytes = 0
    while chunk := await source.read(READ_BYTES):
        wire_bytes += len(chunk)
        if pace is not None:
            pace.count(len(chunk))
        if wire_bytes > wire_limit_bytes:
            raise FetchFailed("too_large", f"more than {wire_limit_bytes} bytes on the wire")
        for piece in decoder.feed(chunk):
            await take(len(piece))
            kept.write(piece)
            if keep_bytes is not None and kept.tell() >= keep_bytes:
                kept.truncate(keep_bytes)
                return Body(kept.getvalue(), wire_bytes)
        # A read that finds bytes waiting does not yield, and a fast server could hold the loop to itself.
        await asyncio.sleep(0)
    decoder.finish()
    return Body(kept.getvalue(), wire_bytes)
