"""The reporter: what one `worker_stats` line says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson

from worker.runtime.reporter import Reporter

if TYPE_CHECKING:
    import io

    from worker.runtime.parts import Parts


async def test_overdue_is_the_longest_wait_of_a_host_that_may_be_asked(
    parts: Parts, stream: io.BytesIO
) -> None:
    """A host that rests is not overdue, however many URLs of it wait; one that could be asked is."""
    ready, now_ms = parts.keys.part(0, "ready"), int(time.time() * 1000)
    await parts.connection.command("ZADD", ready, now_ms + 3_600_000, "resting.example")
    await Reporter(parts).report()
    await parts.connection.command("ZADD", ready, now_ms - 600_000, "due.example")
    await Reporter(parts).report()
    resting, due = (orjson.loads(line)["overdue_s"] for line in stream.getvalue().splitlines())
    assert resting == 0
    assert 600 <= due < 1200
