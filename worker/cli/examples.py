"""Examples at the end of a command's help."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """An epilog that click leaves as it is, line by line."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))
