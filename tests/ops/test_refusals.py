"""How wrong tokens are told."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import orjson
import pytest

from worker.ops.refusals import Refusals
from worker.telemetry.log import configure_logging, reset_logging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.clock import FakeClock


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    """The log, where a line that the catalogue does not know raises."""
    stream = io.BytesIO()
    configure_logging("json", "info", stream=stream, worker="one", strict=True)
    yield stream
    reset_logging()


def test_wrong_tokens_are_told_once_a_minute(clock: FakeClock, stream: io.BytesIO) -> None:
    """The first one at once; the next line says how many there were meanwhile."""
    refusals = Refusals(clock)
    for _ in range(1000):
        refusals.note("192.0.2.1")
    clock.advance(60)
    refusals.note("192.0.2.2")
    told = [orjson.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["address"], line["count"]) for line in told] == [
        ("ops_refused", "192.0.2.1", 1),
        ("ops_refused", "192.0.2.2", 1000),
    ]
