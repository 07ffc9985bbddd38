"""Plots of block characters, from figures alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def bars(values: Sequence[float], height: int) -> list[str]:
    """Upright bars, `height` lines from top to bottom; what is not 0 is seen, however small."""
    top = max(values, default=0)
    eighths = [max(1, round(value / top * height * 8)) if value > 0 else 0 for value in values]
    return [
        "".join(_EIGHTHS[min(8, max(0, filled - 8 * line))] for filled in eighths)
        for line in reversed(range(height))
    ]


def sparkline(values: Sequence[float]) -> str:
    """Bars of one line."""
    return bars(values, 1)[0]
