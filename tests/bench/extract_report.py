"""The figures of a run, as plain text."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.bench.extract_contestants import OURS, YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.bench.extract_run import PageScore

_FOLDS = 5
_GOOD = 0.9
_BANDS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, math.inf))
_MEANS = (
    ("body F1", "f1"),
    ("body precision", "precision"),
    ("body recall", "recall"),
    ("known stretches found", "kept"),
    ("known clutter left out", "clean"),
    ("article or not, told right", "judged"),
    ("title equal", "title"),
    ("date, same minute", "minute"),
    ("date, same day", "day"),
    ("authors F1", "authors"),
)


def mean(scores: Sequence[PageScore], field: str) -> float | None:
    """The mean of `field` over the pages that have it; None where none has."""
    values = [float(value) for each in scores if (value := getattr(each, field)) is not None]
    return statistics.fmean(values) if values else None


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest of `values` that `share` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(results: Mapping[str, Sequence[PageScore]]) -> Iterator[str]:
    """The contestants side by side, then what only ours can be asked."""
    yield f"{'':30}" + "".join(f"{name:>14}" for name in results)
    for label, field in _MEANS:
        row = {name: mean(scores, field) for name, scores in results.items()}
        if any(value is not None for value in row.values()):
            yield _row(label, row, "{:.3f}")
    if all(each.f1 is not None for each in results[OURS]):
        yield _row("body F1, lowest page", {n: min(_f1(s)) for n, s in results.items()}, "{:.3f}")
        low = {name: sum(f1 < 0.5 for f1 in _f1(scores)) for name, scores in results.items()}
        yield _row("pages with F1 below 0.5", low, "{:.0f}")
    cpu: dict[str, Callable[[Sequence[float]], float]] = {
        "mean": statistics.fmean,
        "p50": statistics.median,
        "p99": lambda values: percentile(values, 0.99),
    }
    for label, figure in cpu.items():
        each = {name: figure([page.cpu_ms for page in scores]) for name, scores in results.items()}
        yield _row(f"CPU ms a page, {label}", each, "{:.2f}")
    if yardstick := results.get(YARDSTICK):
        for label, figure in cpu.items():
            base = figure([page.cpu_ms for page in yardstick])
            ratio = {name: figure([page.cpu_ms for page in each]) / base for name, each in results.items()}
            yield _row(f"CPU by {YARDSTICK}'s, {label}", ratio, "{:.3f}")


def ours(scores: Sequence[PageScore], stages: Sequence[tuple[float, float]], worst: int) -> Iterator[str]:
    """Cost beside the bare parse (`stages`), methods, calibration, spread and the lowest pages."""
    bare, body = (statistics.fmean(column) for column in zip(*stages, strict=True))
    median = statistics.median(body_ms / bare_ms for bare_ms, body_ms in stages)
    yield (
        f"parse and body: {body:.2f} ms of CPU a page, {body / bare:.2f} times the bare parse"
        f" ({bare:.2f} ms); median page {median:.2f}"
    )
    methods = Counter(each.method or "refused" for each in scores)
    yield "text from: " + ", ".join(f"{method} {count}" for method, count in methods.most_common())
    if not all(each.f1 is not None for each in scores):
        return
    yield "calibration of extraction.confidence"
    yield from calibration(scores)
    yield "spread of body F1 over groups of pages"
    yield from spread(scores)
    yield "lowest pages"
    for each in sorted(scores, key=lambda one: one.f1 or 0.0)[:worst]:
        yield (
            f"  {each.f1:.3f}  precision {each.precision:.3f}  recall {each.recall:.3f}"
            f"  {each.method or 'refused':10}{each.page}"
        )


def calibration(scores: Sequence[PageScore]) -> Iterator[str]:
    """For each band of confidence: its pages, and the share of them whose body is good."""
    yield f"  {'confidence':>14}{'pages':>8}{f'F1 >= {_GOOD}':>12}{'mean F1':>10}"
    for low, high in _BANDS:
        f1 = [
            each.f1 or 0.0 for each in scores if each.confidence is not None and low <= each.confidence < high
        ]
        name = f"{low:.1f} to {high:.1f}" if high < math.inf else f"{low:.1f} and up"
        good, average = (
            (f"{sum(one >= _GOOD for one in f1) / len(f1):.3f}", f"{statistics.fmean(f1):.3f}")
            if f1
            else "--"
        )
        yield f"  {name:>14}{len(f1):8}{good:>12}{average:>10}"


def spread(scores: Sequence[PageScore]) -> Iterator[str]:
    """How far the mean F1 hangs on which publishers and countries are among the pages."""
    for label, field in (("publishers", "publisher"), ("countries", "country")):
        groups = grouped(scores, field)
        means = [statistics.fmean(group) for group in groups.values()]
        without = leave_one_out(groups)
        yield (
            f"  {len(means):3} {label + ':':11} {min(means):.3f} least,"
            f" {statistics.median(means):.3f} median, {max(means):.3f} most;"
            f" all pages but one group's {min(without):.3f} to {max(without):.3f}"
        )
    folds = publisher_folds(scores)
    if len(folds) > 1:
        yield (
            f"  {len(folds)} folds of publishers: standard deviation {statistics.stdev(folds):.3f}"
            f" ({', '.join(f'{fold:.3f}' for fold in folds)})"
        )


def grouped(scores: Sequence[PageScore], field: str) -> dict[str, list[float]]:
    """The F1 of the pages that share `field`."""
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for each in scores:
        groups[getattr(each, field)].append(each.f1 or 0.0)
    return dict(groups)


def leave_one_out(groups: Mapping[str, Sequence[float]]) -> list[float]:
    """The mean over all pages but those of one group, for each group. A lone group leaves its own mean."""
    total, count = sum(map(sum, groups.values())), sum(map(len, groups.values()))
    return [
        (total - sum(group)) / (count - len(group)) if count > len(group) else total / count
        for group in groups.values()
    ]


def publisher_folds(scores: Sequence[PageScore]) -> list[float]:
    """The mean F1 of each of five folds, no publisher in two; publishers are dealt out by name."""
    groups = sorted(grouped(scores, "publisher").items())
    dealt = [[f1 for _, group in groups[fold::_FOLDS] for f1 in group] for fold in range(_FOLDS)]
    return [statistics.fmean(fold) for fold in dealt if fold]


def _f1(scores: Sequence[PageScore]) -> list[float]:
    return [each.f1 or 0.0 for each in scores]


def _row(label: str, values: Mapping[str, float | None], form: str) -> str:
    cells = ("-" if value is None else form.format(value) for value in values.values())
    return f"  {label:28}" + "".join(f"{cell:>14}" for cell in cells)
