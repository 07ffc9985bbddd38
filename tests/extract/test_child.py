"""The process that extracts, spoken to as the pool speaks to it."""

from __future__ import annotations

import fcntl
import pickle
import signal
import socket
import struct
import termios
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.extract.misbehaving import obey
from tests.extract.pages import TITLE, URL
from worker.extract.child import HEAD, LENGTH, Reply
from worker.extract.pool import _spawn

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_BYTES = 600 << 20
CALL = pickle.dumps((obey, {"url": URL}))
PAGE = b"good " + b"x" * 150_000


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def taken_in(ours: socket.socket) -> bool:
    """Whether the other side has read all that was sent (Linux's SIOCOUTQ, unix(7))."""
    return struct.unpack("i", fcntl.ioctl(ours, termios.TIOCOUTQ, bytes(4))) == (0,)


def reply_on(ours: socket.socket) -> Reply:
    with ours.makefile("rb") as stream:
        (size,) = LENGTH.unpack(stream.read(LENGTH.size))
        reply = pickle.loads(stream.read(size))  # noqa: S301 - from our own child
    assert isinstance(reply, Reply)
    return reply


@pytest.mark.parametrize("before", [3, HEAD.size + 10, HEAD.size + len(CALL) + 60_000])
def test_a_process_that_was_stopped_takes_in_the_rest(before: int) -> None:
    """SIGSTOP and SIGCONT, as a debugger or a frozen container sends them, in the head, call and page."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(20)
        child = _spawn(theirs.fileno(), LIMIT_BYTES)
        try:
            theirs.close()
            imports = pickle.dumps((obey,))
            ours.sendall(HEAD.pack(len(imports), 0) + imports)
            assert reply_on(ours) == Reply()
            frame = HEAD.pack(len(CALL), len(PAGE)) + CALL + PAGE
            ours.sendall(frame[:before])
            wait_until(lambda: taken_in(ours))
            child.send_signal(signal.SIGSTOP)
            wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
            child.send_signal(signal.SIGCONT)
            ours.sendall(frame[before:])
            assert reply_on(ours).answer.title == TITLE
        finally:
            child.kill()
            child.wait()
