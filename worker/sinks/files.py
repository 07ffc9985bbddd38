"""What sinks that write files share: one writer a place, and renames that last."""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from worker.errors import SinkUnavailable, SinkUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_T = TypeVar("_T")


class Lock:
    """An exclusive lock that the kernel takes away from a process that died (flock)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take it. Raises SinkUnusable when another process has it, and OSError."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise SinkUnusable(
                f"another process writes here (it holds {self.path}): end it, or choose another place"
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back; the file stays, or two processes could hold locks on two files of its name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


async def in_thread(call: Callable[..., _T], *args: object) -> _T:
    """As `asyncio.to_thread`, but whoever is cancelled goes only once the thread is done with the file."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *args))
    try:
        return await asyncio.shield(running)
    finally:
        if not running.done():
            await asyncio.wait({running})


def sync_folder(folder: Path) -> None:
    """Make renames and new names in the folder outlive a power failure. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def usable(place: Path) -> Iterator[None]:
    """Turn an OSError of the block, before anything is written, into SinkUnusable."""
    try:
        yield
    except OSError as error:
        raise SinkUnusable(
            f"cannot write to {place}: {error.strerror or error}; choose a place that this user may write to"
        ) from error


@contextmanager
def available(place: Path) -> Iterator[None]:
    """Turn an OSError of the block, while events come, into SinkUnavailable: a full disk may be emptied."""
    try:
        yield
    except OSError as error:
        raise SinkUnavailable(f"cannot write to {place}: {error.strerror or error}") from error
