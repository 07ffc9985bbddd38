"""What each contestant's runs come to: medians, the ratio to the best peer, the table and the JSON."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

OURS, SCRIPT = "ingest", "script"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a contestant, from its first claim to its last result; its start is not counted."""

    pages: int
    articles: int  # pages of which there is a text
    wall_s: float
    cpu_s: float  # the whole process tree
    redis_s: float | None = None  # CPU of the server, from queueing to the last result; None without Redis
    peak_rss_bytes: int | None = None  # the whole process tree

    @property
    def pages_per_s(self) -> float:
        """Wall rate."""
        return self.pages / self.wall_s

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a page."""
        return self.cpu_s / self.pages * 1000

    @property
    def redis_us(self) -> float | None:
        """CPU microseconds of the server a page."""
        return None if self.redis_s is None else self.redis_s / self.pages * 1e6

    @property
    def peak_rss_mb(self) -> float | None:
        """Of all processes, summed: what they share is counted for each."""
        return None if self.peak_rss_bytes is None else self.peak_rss_bytes / 1e6


@dataclass(frozen=True, slots=True)
class Figure:
    """A column: what is measured, how it is written, and whether more of it is better."""

    name: str
    of: Callable[[Run], float | None]
    digits: int
    more_is_better: bool = False


FIGURES = (
    Figure("pages/s", lambda run: run.pages_per_s, 1, more_is_better=True),
    Figure("CPU ms a page", lambda run: run.cpu_ms, 2),
    Figure("Redis CPU µs a page", lambda run: run.redis_us, 0),
    Figure("peak RSS MB", lambda run: run.peak_rss_mb, 0),
)
Medians = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours against the best peer's, which is another one for each figure."""

    figure: str
    value: float
    best: str


def medians(runs: Sequence[Run]) -> Medians:
    """The median of each figure; None where it was not measured."""
    found: Medians = {}
    for figure in FIGURES:
        values = [value for run in runs if (value := figure.of(run)) is not None]
        found[figure.name] = statistics.median(values) if values else None
    return found


def ratios(of_all: Mapping[str, Medians]) -> list[Ratio]:
    """For each figure that a peer has. The script is no peer: it has no queue."""
    found = []
    for figure in FIGURES:
        ours = of_all[OURS][figure.name]
        peers = {
            name: value
            for name, each in of_all.items()
            if name not in {OURS, SCRIPT} and (value := each[figure.name]) is not None
        }
        if peers and ours is not None:
            best = (max if figure.more_is_better else min)(peers, key=peers.__getitem__)
            found.append(Ratio(figure.name, ours / peers[best], best))
    return found


def table(runs: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    """A line for each contestant, and the ratios under them."""
    of_all = {name: medians(each) for name, each in runs.items()}
    yield _row("medians", [*(figure.name for figure in FIGURES), "articles"])
    for name, each in of_all.items():
        cells = [_written(each[figure.name], figure.digits) for figure in FIGURES]
        yield _row(name, [*cells, str(runs[name][-1].articles)])
    found = ratios(of_all)
    if found:
        of_figure = {ratio.figure: ratio for ratio in found}
        kept = [of_figure.get(figure.name) for figure in FIGURES]
        yield _row(f"{OURS} / best peer", [f"{ratio.value:.2f}" if ratio else "-" for ratio in kept])
        yield _row("the best peer", [ratio.best if ratio else "-" for ratio in kept])


def as_json(runs: Mapping[str, Sequence[Run]]) -> dict[str, object]:
    """Every run, the medians and the ratios."""
    of_all = {name: medians(each) for name, each in runs.items()}
    return {
        "medians": of_all,
        "ratios": {ratio.figure: {"value": ratio.value, "best_peer": ratio.best} for ratio in ratios(of_all)},
        "runs": {
            name: [
                {figure.name: figure.of(run) for figure in FIGURES}
                | {"pages": run.pages, "articles": run.articles}
                for run in each
            ]
            for name, each in runs.items()
        },
    }


def _row(name: str, cells: Sequence[str]) -> str:
    widths = [max(len(figure.name), 12) for figure in FIGURES] + [10]
    return f"{name:20}" + "".join(f"{cell:>{width + 2}}" for cell, width in zip(cells, widths, strict=False))


def _written(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
