"""The process that extracts one page after another, `python -m worker.extract.child`; it may be killed.

On the socket, all lengths in four bytes (big-endian): from the parent two lengths, a pickle and a page; to it
one length and a pickle. What the parent sends first, with an empty page, is the functions to import; then
each pickle is a function and the keyword arguments to call it with, beside the page.
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
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.errors import NotAnArticle
from worker.lifeline import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH = struct.Struct(">I")
HEAD = struct.Struct(">II")


class Reply(NamedTuple):
    """What became of one page: one of `answer`, `refusal` and `fault` is set. None is when it gets ready."""

    answer: Any = None  # what the function returned
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
    if (first := _receive(connection)) is None:
        return
    pickle.loads(first[0])  # noqa: S301 - from our own parent
    # After the imports: a limit below what they need must not look like a page's fault.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_memory(memory_limit_bytes)
    _send(connection, Reply())
    while frame := _receive(connection):
        function, arguments = pickle.loads(frame[0])  # noqa: S301 - from our own parent
        reply = _answer(function, {**arguments, "page": frame[1]})
        _send(connection, reply)
        if reply.last:
            return


def _answer(function: Callable[..., object], arguments: dict[str, Any]) -> Reply:
    started = time.process_time()

    def spent() -> float:
        return time.process_time() - started

    try:
        return Reply(answer=function(**arguments), cpu_s=spent())
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


def _receive(connection: socket.socket) -> tuple[bytes, bytes] | None:
    """The next call and its page, or None when the parent has closed the socket."""
    if not (head := _exactly(connection, HEAD.size)):
        return None
    call, page = (_exactly(connection, size) for size in HEAD.unpack(head))
    return None if call is None or page is None else (call, page)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    data = connection.recv(size, socket.MSG_WAITALL) if size else b""
    # Of a process that was stopped and continues, the call ends with what has come until then (signal(7)).
    while data and len(data) < size:
        if not (rest := connection.recv(size - len(data), socket.MSG_WAITALL)):
            return None
        data += rest
    return data if len(data) == size else None


if __name__ == "__main__":
    # Under this name the classes would be pickled as `__main__.Reply`, which the parent does not have.
    importlib.import_module("worker.extract.child").main(*map(int, sys.argv[1:]))
