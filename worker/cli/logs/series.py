"""Figures over time, for a span that nobody knows beforehand, in bounded memory."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

#: When a row has more buckets than that, all become twice as wide.
_BUCKETS = 1024


@dataclass(slots=True)
class Series:
    """Rows of buckets by name, in any order of time. A row named in `peaks` keeps maxima, any other sums."""

    peaks: frozenset[str] = frozenset()
    width_s: int = 1
    _rows: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, name: str, at_s: float, value: float = 1) -> None:
        """Count `value` at a time, in Unix seconds."""
        row = self._rows[name]
        self._put(name, row, int(at_s // self.width_s), value)
        if len(row) > _BUCKETS:
            self._widen()

    def step_s(self, began_s: float, ended_s: float, columns: int) -> int:
        """How many seconds a column lasts, so that at most so many cover the span."""
        buckets = int(ended_s // self.width_s) - int(began_s // self.width_s) + 1
        return self.width_s * math.ceil(buckets / columns)

    def columns(self, name: str, began_s: float, ended_s: float, step_s: int) -> list[float]:
        """A row over the span, a value for each `step_s` (of `step_s()`); 0 where nothing was counted."""
        first = int(began_s // self.width_s)
        per_column = step_s // self.width_s
        columns: dict[int, float] = {}
        for bucket, value in self._rows.get(name, {}).items():
            self._put(name, columns, (bucket - first) // per_column, value)
        count = (int(ended_s // self.width_s) - first) // per_column + 1
        return [columns.get(column, 0) for column in range(count)]

    def _put(self, name: str, row: dict[int, float], key: int, value: float) -> None:
        before = row.get(key, 0)
        row[key] = max(before, value) if name in self.peaks else before + value

    def _widen(self) -> None:
        self.width_s *= 2
        for name, row in self._rows.items():
            wider: dict[int, float] = {}
            for key, value in row.items():
                self._put(name, wider, key // 2, value)
            self._rows[name] = wider
