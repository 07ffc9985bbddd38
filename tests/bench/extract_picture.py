"""The figures as an SVG of two panels: precision against recall, and F1 against CPU."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_WIDTH, _HEIGHT = 960, 400
_TOP, _SIDE, _LEFTS = 56, 290, (70, 570)  # of the two plots; both are _SIDE high and _ACROSS wide
_ACROSS = 340
_STEPS = 24  # of a curve
_LINE = 15  # between labels that would cover each other
SPOKEN = 'role="img" aria-labelledby="title desc"'
STYLE = """
    .plot { fill: #f3f5f8; stroke: #c5ccd6 }
    .grid { stroke: #dde2e9 }
    .iso { fill: none; stroke: #9aa4b0; stroke-dasharray: 4 4 }
    .c0 { fill: #1a7f37 } .c1 { fill: #0969da } .c2 { fill: #9a5b00 }
    text { fill: #1f2328; font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
    .name { font-weight: 600; font-size: 15px }
    .small { fill: #57606a; font-size: 12px }
    .mid { text-anchor: middle } .end { text-anchor: end }
    @media (prefers-color-scheme: dark) {
      .plot { fill: #161b22; stroke: #3d444d }
      .grid { stroke: #262c36 }
      .iso { stroke: #6e7681 }
      .c0 { fill: #3fb950 } .c1 { fill: #58a6ff } .c2 { fill: #e3a23b }
      text { fill: #e6edf3 }
      .small { fill: #9da7b3 }
    }"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A contestant's place in the picture: means over the pages."""

    name: str
    precision: float
    recall: float
    f1: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class _Axis:
    """A scale from values to pixels. With `log` its ticks are 1, 2 and 5 in each decade."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of `value`."""
        of: Callable[[float], float] = math.log10 if self.log else float
        share = (of(value) - of(self.low)) / (of(self.high) - of(self.low))
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """The values to write along the axis."""
        if not self.log:
            step = 0.02 if self.high - self.low < 0.11 else 0.05 if self.high - self.low < 0.5 else 0.2
            count = int((self.high - self.low) / step + 0.01)
            return [self.high - step * number for number in range(count + 1)]
        steps = (step * 10.0**decade for decade in range(-2, 5) for step in (1, 2, 5))
        return [value for value in steps if self.low <= value <= self.high]


def draw(marks: Sequence[Mark], caption: str) -> str:
    """The picture, drawn for light and dark pages alike. `caption` says what was measured."""
    said = "; ".join(
        f"{mark.name}: precision {mark.precision:.3f}, recall {mark.recall:.3f}, F1 {mark.f1:.3f},"
        f" {mark.cpu_ms:.1f} ms"
        for mark in marks
    )
    left, right = _LEFTS
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {SPOKEN}>',
            '  <title id="title">Body text: quality and cost of three extractors</title>',
            f'  <desc id="desc">{escape(f"{caption}. {said}.")}</desc>',
            f"  <style>{STYLE}\n  </style>",
            *_panel(
                "precision against recall",
                ("recall", "precision"),
                _shares([mark.recall for mark in marks], left, left + _ACROSS),
                _shares([mark.precision for mark in marks], _TOP + _SIDE, _TOP),
                [(mark.name, mark.recall, mark.precision) for mark in marks],
                iso=True,
            ),
            *_panel(
                "F1 against CPU",
                ("CPU ms a page, log scale", "F1"),
                _costs([mark.cpu_ms for mark in marks], right, right + _ACROSS),
                _shares([mark.f1 for mark in marks], _TOP + _SIDE, _TOP),
                [(mark.name, mark.cpu_ms, mark.f1) for mark in marks],
                iso=False,
            ),
            "</svg>\n",
        ]
    )


def _shares(values: Sequence[float], start: float, end: float) -> _Axis:
    """Up to 1, down to a round number below the least value, so that near marks stand apart."""
    return _Axis(max(0.0, min(0.9, math.floor(min(values) * 20 - 0.2) / 20)), 1.0, start, end)


def _costs(values: Sequence[float], start: float, end: float) -> _Axis:
    return _Axis(min(values) / 2, max(values) * 2, start, end, log=True)


def _panel(
    name: str,
    labels: tuple[str, str],
    x: _Axis,
    y: _Axis,
    points: Sequence[tuple[str, float, float]],
    *,
    iso: bool,
) -> Iterator[str]:
    middle = (x.start + x.end) / 2
    yield f'  <text class="name mid" x="{middle:.0f}" y="{_TOP - 22}">{escape(name)}</text>'
    yield f'  <rect class="plot" x="{x.start}" y="{y.end}" width="{_ACROSS}" height="{_SIDE}" rx="4"/>'
    for tick in x.ticks():
        at = x.at(tick)
        yield f'  <line class="grid" x1="{at:.1f}" y1="{y.end}" x2="{at:.1f}" y2="{y.start}"/>'
        yield f'  <text class="small mid" x="{at:.1f}" y="{y.start + 18}">{_number(x, tick)}</text>'
    for tick in y.ticks():
        at = y.at(tick)
        yield f'  <line class="grid" x1="{x.start}" y1="{at:.1f}" x2="{x.end}" y2="{at:.1f}"/>'
        yield f'  <text class="small end" x="{x.start - 8}" y="{at + 4:.1f}">{_number(y, tick)}</text>'
    yield f'  <text class="small mid" x="{middle:.0f}" y="{y.start + 40}">{escape(labels[0])}</text>'
    yield f'  <text class="small end" x="{x.start - 8}" y="{y.end - 14}">{escape(labels[1])}</text>'
    if iso:
        yield from _equal_f1(x, y)
    yield from _marks(x, y, points)


def _equal_f1(x: _Axis, y: _Axis) -> Iterator[str]:
    """Lines along which F1 is the same, named under their ends; none that end below the plot."""
    for f1 in (0.8, 0.85, 0.9, 0.95):
        recalls = [x.low + (x.high - x.low) * step / _STEPS for step in range(_STEPS + 1)]
        pairs = [(recall, f1 * recall / (2 * recall - f1)) for recall in recalls if 2 * recall > f1]
        inside = [(x.at(recall), y.at(precision)) for recall, precision in pairs if precision <= y.high]
        end = y.at(f1 / (2 - f1))  # where recall is 1
        if end + _LINE < y.start:
            yield f'  <path class="iso" d="M{" L".join(f"{a:.1f} {b:.1f}" for a, b in inside)}"/>'
            yield f'  <text class="small end" x="{x.end - 5}" y="{end + _LINE:.1f}">F1 {f1:.2f}</text>'


def _marks(x: _Axis, y: _Axis, points: Sequence[tuple[str, float, float]]) -> Iterator[str]:
    """A dot for each contestant with its name beside it, on the side that has room for it."""
    placed: list[float] = []
    order = {name: number for number, (name, _, _) in enumerate(points)}
    for name, across, up in sorted(points, key=lambda point: -point[2]):
        a, b = x.at(across), y.at(up)
        label = max([b + 4, *(other + _LINE for other in placed if other + _LINE > b + 4)])
        placed.append(label)
        beside, anchor = (a + 11, "") if a < (x.start + x.end) / 2 else (a - 11, " end")
        kind = f"c{order[name]}"
        yield f'  <circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="7"/>'
        yield f'  <text class="{kind}{anchor}" x="{beside:.1f}" y="{label:.1f}">{escape(name)}</text>'


def _number(axis: _Axis, value: float) -> str:
    return f"{value:g}" if axis.log else f"{value:.2f}"
