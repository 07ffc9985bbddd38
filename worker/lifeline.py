"""Child processes that must not outlive us, however we end."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent(parent: int, signum: int = signal.SIGKILL) -> None:
    """In the child: have the kernel send it `signum` when the process `parent` dies, SIGKILL included.

    Linux only. Elsewhere it does nothing but look once: there, a child ends when its pipe or socket closes.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signum))
    if os.getppid() != parent:
        os.kill(os.getpid(), signum)  # the parent died before the line above, and no signal will come
