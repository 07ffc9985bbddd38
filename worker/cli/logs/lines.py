"""From a file's bytes to log lines, in bounded memory whatever the file holds."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from worker.telemetry.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Workers write lines of less than 4,096 bytes, except where no text can be cut further.
_LINE_LIMIT_BYTES = 64 * 1024

Line = dict[str, Any]


def lines_of(file: BinaryIO) -> Iterator[tuple[float, Line] | None]:
    """Each line with its time (Unix seconds), or None for one that is not of our log.

    What stands before the first `{` is passed over: docker-compose and journald put a name there. A line of
    more than 64 KiB is read as several, none of them ours.
    """
    for raw in iter(partial(file.readline, _LINE_LIMIT_BYTES), b""):
        yield _read(raw)


def _read(raw: bytes) -> tuple[float, Line] | None:
    start = raw.find(b"{")
    if start < 0:
        return None
    try:
        line = orjson.loads(raw[start:])
        if line["event"] not in CATALOGUE:
            return None
        return datetime.fromisoformat(line["timestamp"]).timestamp(), line
    except (ValueError, KeyError, TypeError, OverflowError):
        # Cut off by a crash, or another program's: the caller counts it.
        return None


def number(line: Line, name: str) -> float:
    """A field as a number; 0 where there is none."""
    value = line.get(name)
    return value if isinstance(value, int | float) else 0


def word(line: Line, name: str) -> str:
    """A field as a text; `unknown` where there is none."""
    value = line.get(name)
    return value if isinstance(value, str) else "unknown"
