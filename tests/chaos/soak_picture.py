"""The series of a soak as an SVG: a panel for each, with the line of its trend."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tests.bench.extract_picture import SPOKEN, STYLE
from tests.chaos.soak_samples import SERIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.chaos.soak_samples import Sample, Trend

_ACROSS, _HIGH, _GAP = 380, 110, 64  # of a panel, and to the next one
_COLUMNS, _LEFT, _TOP = 2, 70, 60
_MOST_POINTS = 400  # of a curve


def draw(samples: Sequence[Sample], trends: dict[str, Trend], warm_up_s: float, caption: str) -> str:
    """The picture, drawn for light and dark pages alike. `caption` says what was run."""
    rows = -(-len(SERIES) // _COLUMNS)
    width = _LEFT + _COLUMNS * (_ACROSS + _LEFT)
    height = _TOP + rows * (_HIGH + _GAP)
    panels: list[str] = []
    for number, name in enumerate(SERIES):
        left = _LEFT + number % _COLUMNS * (_ACROSS + _LEFT)
        top = _TOP + 20 + number // _COLUMNS * (_HIGH + _GAP)
        points = [(sample.at_s, getattr(sample, name)) for sample in samples]
        panels += _panel(SERIES[name], points, trends.get(name), warm_up_s, (left, top))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {SPOKEN}>',
            f'  <title id="title">{escape(caption)}</title>',
            f'  <desc id="desc">{escape("; ".join(SERIES.values()))}</desc>',
            f"  <style>{STYLE}",
            "    .curve { fill: none; stroke: #0969da } .trend { stroke: #9a5b00; stroke-width: 2 }",
            "  </style>",
            f'  <text class="name" x="{_LEFT}" y="28">{escape(caption)}</text>',
            *panels,
            "</svg>\n",
        ]
    )


def _panel(
    title: str,
    points: Sequence[tuple[float, float]],
    trend: Trend | None,
    warm_up_s: float,
    corner: tuple[int, int],
) -> Iterator[str]:
    left, top = corner
    end_s = max(points[-1][0], 1.0)
    highest = max(value for _, value in points) * 1.15 or 1.0

    def at(second: float, value: float) -> tuple[float, float]:
        return left + second / end_s * _ACROSS, top + _HIGH - value / highest * _HIGH

    yield f'  <text x="{left}" y="{top - 8}">{escape(title)}</text>'
    yield f'  <rect class="plot" x="{left}" y="{top}" width="{_ACROSS}" height="{_HIGH}" rx="4"/>'
    for share in (0.5, 1.0):
        value = highest / 1.15 * share
        _, y = at(0, value)
        yield f'  <line class="grid" x1="{left}" y1="{y:.1f}" x2="{left + _ACROSS}" y2="{y:.1f}"/>'
        yield f'  <text class="small end" x="{left - 8}" y="{y + 4:.1f}">{value:.0f}</text>'
    for share in (0.0, 0.5, 1.0):
        x, y = at(end_s * share, 0)
        yield f'  <text class="small mid" x="{x:.1f}" y="{y + 16:.1f}">{end_s * share / 60:.0f} min</text>'
    step = -(-len(points) // _MOST_POINTS)
    path = " L".join("{:.1f} {:.1f}".format(*at(*point)) for point in points[::step])
    yield f'  <path class="curve" d="M{path}"/>'
    if trend:
        begin = min(warm_up_s, end_s)
        middle = (begin + end_s) / 2
        ends = [trend.mean + trend.slope * (second - middle) / 3600 for second in (begin, end_s)]
        (x1, y1), (x2, y2) = at(begin, ends[0]), at(end_s, ends[1])
        yield f'  <line class="trend" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        said = f"{trend.slope:+.2f} ± {trend.error:.2f} an hour"
        yield f'  <text class="small end" x="{left + _ACROSS}" y="{top - 8}">{said}</text>'
