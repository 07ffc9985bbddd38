"""A frontier's figures over its size as an SVG: what a claim and an end take, CPU, and memory."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from tests.bench.extract_picture import SPOKEN, STYLE
from tests.bench.frontier_report import CROWDED, TAIL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.frontier_tier import Tier

_ACROSS, _HIGH, _GAP = 380, 170, 84  # of a panel, and to the next one
_LEFTS, _TOP = (80, 560), 84
_WIDTH = 980
_ROOM = 1.25  # above the highest point

#: panel → its curves: label, shape, figure, what it is multiplied by
_PANELS: dict[str, tuple[tuple[str, str, str, float], ...]] = {
    "claim of 32 URLs, ms": (
        ("p99", CROWDED, "claim_p99_ms", 1),
        ("p50", CROWDED, "claim_p50_ms", 1),
        ("p99 in Redis", CROWDED, "claim_p99_us", 0.001),
    ),
    "finish, ms": (
        ("p99", CROWDED, "finish_p99_ms", 1),
        ("p50", CROWDED, "finish_p50_ms", 1),
        ("p99 in Redis", CROWDED, "finish_p99_us", 0.001),
    ),
    "Redis CPU µs a URL, from the queue to its event": (
        (CROWDED, CROWDED, "redis_us", 1),
        (TAIL, TAIL, "redis_us", 1),
        ("of that admission", CROWDED, "admit_redis_us", 1),
    ),
    "bytes a waiting URL": ((CROWDED, CROWDED, "bytes_a_url", 1), (TAIL, TAIL, "bytes_a_url", 1)),
}

Point = tuple[float, float]


def draw(tiers: Sequence[Tier], caption: str, verdict: str) -> str:
    """The picture, drawn for light and dark pages alike. `caption` says what was measured."""
    sizes = sorted({tier.waiting for tier in tiers})
    height = _TOP + -(-len(_PANELS) // 2) * (_HIGH + _GAP) - _GAP // 2
    panels: list[str] = []
    for number, (title, curves) in enumerate(_PANELS.items()):
        corner = (_LEFTS[number % 2], _TOP + number // 2 * (_HIGH + _GAP))
        drawn = [(label, _points(tiers, shape, name, by)) for label, shape, name, by in curves]
        panels += _panel(title, [each for each in drawn if each[1]], sizes, corner)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {SPOKEN}>',
            f'  <title id="title">{escape(caption)}</title>',
            f'  <desc id="desc">{escape(_said(tiers, verdict))}</desc>',
            f"  <style>{STYLE}",
            "    path { fill: none; stroke-width: 2 }",
            "    .l0 { stroke: #1a7f37 } .l1 { stroke: #0969da } .l2 { stroke: #9a5b00 }",
            "  </style>",
            f'  <text class="name" x="{_LEFTS[0]}" y="26">{escape(caption)}</text>',
            f'  <text class="small" x="{_LEFTS[0]}" y="46">{escape(verdict)}</text>',
            *panels,
            "</svg>\n",
        ]
    )


def _points(tiers: Sequence[Tier], shape: str, figure: str, by: float) -> list[Point]:
    return sorted((tier.waiting, tier.figures[figure] * by) for tier in tiers if tier.name == shape)


def _said(tiers: Sequence[Tier], verdict: str) -> str:
    each = (
        f"{tier.name}, {tier.waiting:,} waiting: claim p99 {tier.figures['claim_p99_ms']:.2f} ms, "
        f"{tier.figures['redis_us']:.0f} µs of Redis and {tier.figures['bytes_a_url']:.0f} bytes a URL"
        for tier in tiers
    )
    return "; ".join([verdict, *each])


def _panel(
    title: str, curves: Sequence[tuple[str, list[Point]]], sizes: Sequence[int], corner: tuple[int, int]
) -> Iterator[str]:
    left, top = corner
    highest = max((value for _, points in curves for _, value in points), default=0.0) * _ROOM or 1.0
    least, most = math.log10(sizes[0]), math.log10(sizes[-1])

    def at(size: float, value: float) -> Point:
        share = (math.log10(size) - least) / (most - least) if most > least else 0.5
        return left + 12 + share * (_ACROSS - 24), top + _HIGH - value / highest * _HIGH

    yield f'  <text class="name" x="{left}" y="{top - 10}">{escape(title)}</text>'
    yield f'  <rect class="plot" x="{left}" y="{top}" width="{_ACROSS}" height="{_HIGH}" rx="4"/>'
    for value in _ticks(highest):
        _, y = at(sizes[0], value)
        yield f'  <line class="grid" x1="{left}" y1="{y:.1f}" x2="{left + _ACROSS}" y2="{y:.1f}"/>'
        yield f'  <text class="small end" x="{left - 8}" y="{y + 4:.1f}">{value:g}</text>'
    for size in sizes:
        x, y = at(size, 0)
        yield f'  <text class="small mid" x="{x:.1f}" y="{y + 16:.1f}">{_short(size)}</text>'
    for number, (label, points) in enumerate(curves):
        places = [at(*point) for point in points]
        yield f'  <path class="l{number}" d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in places)}"/>'
        yield from (f'  <circle class="c{number}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places)
        x = left + number * _ACROSS / 3
        yield f'  <text class="c{number}" x="{x:.1f}" y="{top + _HIGH + 36}">● {escape(label)}</text>'


def _ticks(highest: float) -> list[float]:
    """Round values to write beside a plot that ends at `highest`: two to five of them."""
    decade = 10 ** math.floor(math.log10(highest / 2))
    step = next(step for step in (5 * decade, 2 * decade, decade) if step <= highest / 2)
    return [round(step * number, 9) for number in range(1, int(highest / step) + 1)]


def _short(size: int) -> str:
    for unit, letter in ((10**6, "M"), (10**3, "k")):
        if size >= unit:
            return f"{size / unit:g} {letter}"
    return str(size)
