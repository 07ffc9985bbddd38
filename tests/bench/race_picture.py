"""The medians as an SVG: a panel for each figure, a bar for each contestant, ours on top."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tests.bench.extract_picture import SPOKEN, STYLE
from tests.bench.standings import FIGURES, OURS, SCRIPT, Figure, Medians

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WIDTH, _ACROSS = 960, 300  # of the picture, and of the longest bar
_LEFTS = (110, 590)  # where the bars of the two columns start
_TOP, _STEP, _BAR, _GAP = 56, 26, 18, 58


def draw(of_all: Mapping[str, Medians], caption: str) -> str:
    """The picture, drawn for light and dark pages alike. `caption` says what was measured."""
    panel = len(of_all) * _STEP + _GAP
    rows = (len(FIGURES) + 1) // 2
    said = "; ".join(
        f"{name}: " + ", ".join(f"{figure.name} {_number(each, figure)}" for figure in FIGURES)
        for name, each in of_all.items()
    )
    height = _TOP + rows * panel - _GAP // 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {SPOKEN}>',
            f'  <title id="title">{OURS} and its peers: speed and cost of a page</title>',
            f'  <desc id="desc">{escape(f"{caption}. {said}.")}</desc>',
            f"  <style>{STYLE}\n  </style>",
            *(
                line
                for number, figure in enumerate(FIGURES)
                for line in _panel(figure, of_all, _LEFTS[number % 2], _TOP + number // 2 * panel)
            ),
            "</svg>\n",
        ]
    )


def _panel(figure: Figure, of_all: Mapping[str, Medians], left: int, top: int) -> Iterator[str]:
    good = "more is better" if figure.more_is_better else "less is better"
    longest = max((each[figure.name] or 0.0 for each in of_all.values()), default=0.0) or 1.0
    yield f'  <text class="name" x="{left}" y="{top - 14}">{escape(figure.name)}</text>'
    yield f'  <text class="small end" x="{left + _ACROSS}" y="{top - 14}">{good}</text>'
    for row, (name, each) in enumerate(of_all.items()):
        y, kind = top + row * _STEP, {OURS: "c0", SCRIPT: "c2"}.get(name, "c1")
        across = (each[figure.name] or 0.0) / longest * _ACROSS
        yield f'  <text class="end" x="{left - 10}" y="{y + 14}">{escape(name)}</text>'
        yield f'  <rect class="{kind}" x="{left}" y="{y}" width="{across:.1f}" height="{_BAR}" rx="3"/>'
        yield f'  <text class="small" x="{left + across + 6:.1f}" y="{y + 14}">{_number(each, figure)}</text>'


def _number(each: Medians, figure: Figure) -> str:
    value = each[figure.name]
    return "not measured" if value is None else f"{value:,.{figure.digits}f}"
