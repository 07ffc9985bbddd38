"""The process that extracts one page after another, `python -m worker.extract.child`; it may be killed.

Frames on the socket, both ways: four bytes of length (big-endian), then a pickle. The first frame from the
parent is a pickle of the function to run; each later one is the keyword arguments of a call.
"""

from __future__ import annotations

import contextlib
import importlib
import pickle
import resource
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.errors import NotAnArticle
from worker.lifeline import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.model import Article

LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one page: one of `article`, `refusal` and `fault` is set. None is when it gets ready."""

    article: Article | None = None
    refusal: NotAnArticle | None = None
    fault: str | None = None
    cpu_s: float = 0.0
    last: bool = False  # the child ends after this reply


def main(descriptor: int, parent: int, memory_limit_bytes: int) -> None:
    """Serve the parent on the socket `descriptor` until it is closed; never outlive the process `parent`."""
    die_with_parent(parent)  # however busy: the closed socket is only seen between pages
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a stop is for the parent to decide: it may want this page yet
    # A parent that is killed leaves a reset connection: there is nobody to tell. And without the memory to
    # take in a page there is nothing to tell it with: the end of the stream says enough.
    quiet = contextlib.suppress(ConnectionError, MemoryError)
    with quiet, socket.socket(fileno=descriptor) as connection:
        _serve(connection, memory_limit_bytes)


def _serve(connection: socket.socket, memory_limit_bytes: int) -> None:
    frame = _receive(connection)
    if frame is None:
        return
    function: Callable[..., Article] = pickle.loads(frame)  # noqa: S301 - from our own parent
    # After the imports: a limit below what they need must not look like a page's fault.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_memory(memory_limit_bytes)
    _send(connection, Reply())
    while (frame := _receive(connection)) is not None and (page := _receive(connection)) is not None:
        reply = _answer(function, pickle.loads(frame) | {"page": page})  # noqa: S301 - from our own parent
        _send(connection, reply)
        if reply.last:
            return


def _answer(function: Callable[..., Article], arguments: dict[str, Any]) -> Reply:
    started = time.process_time()

    def spent() -> float:
        return time.process_time() - started

    try:
        return Reply(article=function(**arguments), cpu_s=spent())
    except NotAnArticle as refusal:
        return Reply(refusal=refusal.with_traceback(None), cpu_s=spent())
    except MemoryError:
        return Reply(fault="MemoryError", cpu_s=spent(), last=True)  # its heap is full of holes now
    except Exception as error:  # a fault of ours fails this page only, and is named
        return Reply(fault=f"{type(error).__name__}: {error}"[:500], cpu_s=spent())


def _limit_memory(limit_bytes: int) -> None:
    """Limit private memory. RLIMIT_AS would count address space that allocators reserve and never touch."""
    with contextlib.suppress(ValueError):  # a lower hard limit is in force already, which serves as well
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def _send(connection: socket.socket, reply: Reply) -> None:
    frame = pickle.dumps(reply, pickle.HIGHEST_PROTOCOL)
    connection.sendall(LENGTH.pack(len(frame)) + frame)


def _receive(connection: socket.socket) -> bytes | None:
    """The next frame, or None when the parent has closed the socket."""
    head = _exactly(connection, LENGTH.size)
    return _exactly(connection, LENGTH.unpack(head)[0]) if head else None


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    data = bytearray(size)
    view, filled = memoryview(data), 0
    while filled < size:
        count = connection.recv_into(view[filled:])
        if count == 0:
            return None
        filled += count
    return bytes(data)


if __name__ == "__main__":
    # Under this name the classes would be pickled as `__main__.Reply`, which the parent does not have.
    importlib.import_module("worker.extract.child").main(*map(int, sys.argv[1:]))
