"""A file of lines that grows, is cut after a crash, and is renamed when it is long or old enough.

Lines are appended a batch at a time and synced; a batch is whole, or cut off again. Renaming comes before
a batch and never after one: what may come again, since it was not acknowledged, is in the file that grows.
"""

from __future__ import annotations

import mmap
import os
import re
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from worker.errors import SinkUnusable
from worker.sinks.files import Lock, available, sync_folder, usable
from worker.sinks.sink import key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from worker.clock import Clock

_BEGINNING = b'{"id":"'
_KEY_FIRST = re.compile(rb'\{"id":"([^"\\]*)","source":"([^"\\]*)"')


class Segments:
    """`path`, and beside it what it was renamed to: `name.20260102T030405Z-001.suffix`.

    It is renamed before it would pass `limit_bytes`, and when a new period of `every_s` seconds has begun
    (counted from 1970, so that 3600 is each full hour in UTC); 0 is never. All calls block.
    """

    def __init__(self, path: Path, *, limit_bytes: int, every_s: float, clock: Clock) -> None:
        self.path = path
        self._limit_bytes = limit_bytes
        self._every_s = every_s
        self._clock = clock
        self._lock = Lock(path.with_name(f"{path.name}.lock"))
        self._descriptor: int | None = None
        self._size = 0
        self._period = 0

    def open(self) -> None:
        """Take the place, and cut off what a crash left half. Raises SinkUnusable."""
        with usable(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.take()
            self._begin()

    def close(self) -> None:
        """Let go of it."""
        self._end()
        self._lock.release()

    def recent_keys(self, count: int) -> list[str]:
        """The keys of the events in the last lines, at least `count` if there are so many, oldest first.

        Raises SinkUnusable for a line that is none of ours.
        """
        found: list[deque[str]] = []
        with usable(self.path):
            for file in [self.path, *reversed(self.renamed())]:
                keys = (_key_of(line, file, number) for number, line in _lines(file))
                found.append(deque(keys, maxlen=count))
                if sum(map(len, found)) >= count:
                    break
        return [each for keys in reversed(found) for each in keys]

    def renamed(self) -> list[Path]:
        """The files that grow no more, oldest first."""
        form = re.compile(
            rf"{re.escape(self.path.stem)}\.\d{{8}}T\d{{6}}Z-\d{{3,}}{re.escape(self.path.suffix)}"
        )
        return sorted(file for file in self.path.parent.iterdir() if form.fullmatch(file.name))

    def append(self, lines: Sequence[bytes]) -> None:
        """Write the lines, each with its line feed, and sync. Raises SinkUnavailable; then none is there."""
        whole = b"".join(lines)
        with available(self.path):
            if self._descriptor is None or not self._is_still_there():
                self._end()
                self._begin()
            if self._size and self._limit_bytes and self._size + len(whole) > self._limit_bytes:
                self._rename()
            self.rotate_if_due()
            try:
                self._write(whole)
            except OSError:
                self._cut_off_again()
                raise
            self._size += len(whole)
            self._period = self._this_period()

    def rotate_if_due(self) -> None:
        """Rename the file if a new period has begun and it has lines. Raises OSError."""
        if self._descriptor is not None and self._size and self._period != self._this_period():
            self._rename()

    def _write(self, whole: bytes) -> None:
        assert self._descriptor is not None  # noqa: S101 - `append` has seen to it
        view = memoryview(whole)
        while view:
            view = view[os.write(self._descriptor, view) :]
        os.fsync(self._descriptor)

    def _cut_off_again(self) -> None:
        # After a failed fsync nobody knows what the disk has: the next batch looks at the file anew.
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                os.ftruncate(descriptor, self._size)
            finally:
                os.close(descriptor)

    def _begin(self) -> None:
        is_new = not self.path.exists()
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._size = _whole_lines_bytes(self._descriptor, self.path)
        if self._size < os.fstat(self._descriptor).st_size:
            os.ftruncate(self._descriptor, self._size)
        os.fsync(self._descriptor)
        if is_new:
            sync_folder(self.path.parent)
        # Its last line belongs to the period in which the file was last changed.
        self._period = self._period_of(os.fstat(self._descriptor).st_mtime)

    def _end(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _is_still_there(self) -> bool:
        """Whether the name still leads to our file: somebody else's rotation may have taken it away."""
        assert self._descriptor is not None  # noqa: S101 - `append` has seen to it
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _rename(self) -> None:
        self._end()
        os.rename(self.path, self._next_name())
        self._begin()

    def _next_name(self) -> Path:
        stamp = datetime.fromtimestamp(self._clock.now().timestamp(), UTC).strftime("%Y%m%dT%H%M%SZ")
        last = max((file.name for file in self.renamed()), default="")
        number = 1
        while True:
            name = f"{self.path.stem}.{stamp}-{number:03}{self.path.suffix}"
            if name > last and not (self.path.parent / name).exists():
                return self.path.parent / name
            number += 1
            if number > 999:  # the clock went back: go on after the last name
                stamp, number = _stamp_after(last, self.path.stem), 1

    def _this_period(self) -> int:
        return self._period_of(self._clock.now().timestamp())

    def _period_of(self, moment_s: float) -> int:
        return int(moment_s // self._every_s) if self._every_s else 0


def _stamp_after(name: str, stem: str) -> str:
    stamp = datetime.strptime(name[len(stem) + 1 :][:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return datetime.fromtimestamp(stamp.timestamp() + 1, UTC).strftime("%Y%m%dT%H%M%SZ")


def _whole_lines_bytes(descriptor: int, file: Path) -> int:
    """How many bytes of the file are whole lines. Raises SinkUnusable for a file that is none of ours.

    A power failure may leave pages of zeros in what was not synced yet, and JSON holds no zero byte: all
    from the line of the first one on is cut, too.
    """
    size = os.fstat(descriptor).st_size
    if not size:
        return 0
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as whole:
        # What follows may cut it: a file that somebody named by mistake must survive that.
        if not _BEGINNING.startswith(whole[: len(_BEGINNING)]):
            raise SinkUnusable(f"{file} is there, and no file of events: choose another name")
        zero = whole.find(b"\0")
        return whole.rfind(b"\n", 0, size if zero < 0 else zero) + 1


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    with file.open("rb") as lines:
        yield from enumerate(lines, 1)


def _key_of(line: bytes, file: Path, number: int) -> str:
    if first := _KEY_FIRST.match(line):
        return key(first[2].decode(), first[1].decode())
    try:
        whole = orjson.loads(line)
        return key(whole["source"], whole["id"])
    except (ValueError, KeyError, TypeError):
        raise SinkUnusable(
            f"line {number} of {file} is no event: move the file away, or choose another one"
        ) from None
