"""Memory that goes back to the system once a large body has been dealt with."""

from __future__ import annotations

import ctypes
import sys

#: mallopt(3). glibc raises its threshold with every large block that is freed, up to 32 MB, and then keeps
#: what bodies of many sizes leave between each other. A set threshold stays.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BYTES = 262_144
_TRIM_BYTES = 1_048_576


def return_large_blocks() -> None:
    """Have large blocks mapped on their own, so that freeing one returns it. Does nothing off glibc."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is not None and hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
