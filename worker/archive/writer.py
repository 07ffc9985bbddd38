"""The archive's files: written by a thread of its own, so that neither the disk nor gzip holds up the loop.

A file is called `ingest-<time>-<serial>-<pid>-<host>.warc.gz`, and `.open` behind that until it is complete.
Each record is a gzip member, written by one call: what a killed process leaves is whole but for its last one.
Trouble with the disk is told once, and costs records, never an event: those that come meanwhile are dropped,
and the next file is tried some time later.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import queue
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from worker.archive.records import members, warcinfo
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from worker.capture import Capture

#: What may wait for the disk, in memory. A disk that is slower than that for long loses records.
_PENDING_BYTES = 64 * 1024 * 1024
_PATIENCE_S = 5.0
_TRIED_AGAIN_S = 30.0
#: For what is still pending at the end; a disk that hangs must not keep a worker from ending.
_LAST_WORDS_S = 5.0
_HEAD_BYTES = 4_096
_SERIAL = itertools.count()


class Archive:
    """Keeps captures, as an async context manager. `facts` go into the first record of each file."""

    def __init__(self, folder: Path, *, file_bytes: int, facts: Mapping[str, str]) -> None:
        self._folder = folder
        self._pending_bytes = 0
        self._room = asyncio.Event()
        self._captures: queue.SimpleQueue[Capture | None] = queue.SimpleQueue()
        self._lost = 0
        self._failing = False
        self._scribe = _Scribe(folder, file_bytes, facts)
        self._thread = threading.Thread(target=self._write_all, name="archive", daemon=True)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._captures.put(None)
        await asyncio.to_thread(self._thread.join, _LAST_WORDS_S)
        await asyncio.sleep(0)  # lets in what the thread had to say last

    async def keep(self, capture: Capture) -> None:
        """Hand the capture to the thread; waits some seconds for room, and then drops it. Raises nothing."""
        size = len(capture.body) + _HEAD_BYTES
        if not self._has_room(size) and not await self._room_made(size):
            self._failed(f"the disk is slower than the web: {self._pending_bytes} bytes wait for it")
            return
        self._pending_bytes += size
        self._captures.put(capture)

    def _has_room(self, size: int) -> bool:
        return not self._pending_bytes or self._pending_bytes + size <= _PENDING_BYTES

    async def _room_made(self, size: int) -> bool:
        """Wait for room; not again while the archive is in trouble."""
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self._failing else _PATIENCE_S):
                while not self._has_room(size):
                    self._room.clear()
                    await self._room.wait()
        return self._has_room(size)

    def _write_all(self) -> None:
        """The thread. Each capture is answered by a call in the loop."""
        while (capture := self._captures.get()) is not None:
            size = len(capture.body) + _HEAD_BYTES
            try:
                closed = self._scribe.write(capture)
            except OSError as error:
                self._say(self._failed, f"{error.strerror or error}", size)
            except Exception as error:  # a fault of ours must not end the thread, or the disk's room runs out
                self._say(self._failed, f"{type(error).__name__}: {error}", size)
            else:
                self._say(self._written, size, closed)
        try:
            self._say(self._written, 0, self._scribe.close())
        except OSError as error:
            self._say(self._failed, f"{error.strerror or error}", 0)

    def _say(self, what: Callable[..., None], *words: object) -> None:
        with suppress(RuntimeError):  # the loop has not waited for us
            self._loop.call_soon_threadsafe(what, *words)

    def _written(self, size: int, closed: _Closed | None) -> None:
        self._make_room(size)
        if self._failing and size:
            get_logger().info("archive_restored", lost=self._lost)
            self._failing, self._lost = False, 0
        if closed is not None:
            get_logger().info(
                "archive_file_closed", file=closed.name, size_bytes=closed.size_bytes, records=closed.records
            )

    def _failed(self, why: str, size: int = 0) -> None:
        self._make_room(size)
        self._lost += 1
        if not self._failing:
            get_logger().error("archive_failed", error=why, folder=str(self._folder))
            self._failing = True

    def _make_room(self, size: int) -> None:
        self._pending_bytes -= size
        self._room.set()


@dataclass(frozen=True, slots=True)
class _Closed:
    """A complete file."""

    name: str
    size_bytes: int
    records: int


class _Scribe:
    """In the thread: the file at hand, and when to begin another one."""

    def __init__(self, folder: Path, file_bytes: int, facts: Mapping[str, str]) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._facts = facts
        self._file: _File | None = None
        self._not_before = 0.0

    def write(self, capture: Capture) -> _Closed | None:
        """Write the capture's records; the file, if that has made it complete. Raises OSError."""
        if time.monotonic() < self._not_before:
            raise OSError("tried again later")
        try:
            if self._file is None:
                self._file = _File.begin(self._folder, self._facts)
            self._file.append(members(capture, self._file.info_id), records=2)
            return self.close() if self._file.size_bytes >= self._file_bytes else None
        except OSError:
            self._not_before = time.monotonic() + _TRIED_AGAIN_S
            with suppress(OSError):
                self.close()
            raise

    def close(self) -> _Closed | None:
        """Complete the file, if there is one. Raises OSError."""
        file, self._file = self._file, None
        return file.close() if file else None


class _File:
    """A file that is being written."""

    def __init__(self, path: Path, descriptor: int, info_id: str) -> None:
        self._path = path
        self._descriptor = descriptor
        self.info_id = info_id
        self.size_bytes = 0
        self._records = 0

    @classmethod
    def begin(cls, folder: Path, facts: Mapping[str, str]) -> _File:
        """A new file with its first record. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")[:-3]
        host = "".join(char if char.isalnum() or char in "-." else "_" for char in socket.gethostname())
        path = folder / f"ingest-{stamp}-{next(_SERIAL):05}-{os.getpid()}-{host}.warc.gz"
        opened = os.open(_open_name(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        info_id, first = warcinfo(path.name, facts)
        file = cls(path, opened, info_id)
        try:
            file.append(first, records=1)
        except OSError:
            os.close(opened)
            os.unlink(_open_name(path))
            raise
        return file

    def append(self, data: bytes, *, records: int) -> None:
        """Write whole members, or nothing. Raises OSError."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            with suppress(OSError):  # half a member in the middle of a file would hide what comes after it
                os.ftruncate(self._descriptor, self.size_bytes)
            raise
        self.size_bytes += len(data)
        self._records += records

    def close(self) -> _Closed:
        """Give the file its name. Raises OSError."""
        try:
            os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)
        os.rename(_open_name(self._path), self._path)
        return _Closed(self._path.name, self.size_bytes, self._records)


def _open_name(path: Path) -> Path:
    return path.with_name(f"{path.name}.open")
