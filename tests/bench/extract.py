"""`make bench-extract`: our extraction beside others on the same pages in the same run.

Each contestant runs in a process of its own, one after the other, on the pages of the sample site and on
the real pages of a folder, where one is at hand.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import extract_report as report
from tests.bench.extract_contestants import NAMES, OURS, release
from tests.bench.extract_picture import Mark, draw
from tests.bench.extract_run import PageScore
from tests.site.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROOT = Path(__file__).parents[2]
_SHARED = Path(os.environ.get("INGEST_SHARED", _ROOT.parent / "shared")) / "pages"

Results = dict[str, list[PageScore]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One set of pages: each contestant's scores, and bare and own CPU milliseconds of each HTML page."""

    scores: Results
    stages: list[tuple[float, float]]


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(prog="make bench-extract", description=__doc__)
    parser.add_argument("--pages", type=Path, default=_SHARED, help="a folder of real pages")
    parser.add_argument("--json", type=Path, help="write every page's scores there")
    parser.add_argument(
        "--picture", type=Path, default=_ROOT / "docs" / "extraction.svg", help="where to draw the real pages"
    )
    parser.add_argument("--worst", type=int, default=5, help="lowest pages to name (5)")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, CPython {sys.version.split()[0]}; {', '.join(map(_described, NAMES))}")
    sample = _measure(None)
    _print("the sample site", "languages", sample, given.worst)
    print(f"  Of the site's {len(CATALOGUE)} URLs the others bring no page, or one that is above already.")
    print("  It names stretches of its articles, and clutter, and no body in full: hence no body F1.")
    sets = {"sample": sample.scores}
    if (given.pages / "expected.jsonl").is_file():
        real = _measure(given.pages.resolve())
        _print("real news pages", "countries", real, given.worst)
        sets["real"] = real.scores
        caption = f"{len(real.scores[OURS])} real news pages, means"
        given.picture.write_text(draw(marks(real.scores), caption), "utf-8")
        print(f"\ndrawn: {given.picture}")
    else:
        print("\nreal news pages: skipped, the folder has no expected.jsonl (see --pages, INGEST_SHARED)")
    if given.json:
        given.json.write_text(json.dumps(_rows(sets)), "utf-8")


def marks(results: Mapping[str, Sequence[PageScore]]) -> list[Mark]:
    """The means that the picture shows."""
    fields = ("precision", "recall", "f1", "cpu_ms")
    means = {name: [report.mean(each, of) or 0.0 for of in fields] for name, each in results.items()}
    return [Mark(name, *values) for name, values in means.items()]


def _measure(folder: Path | None) -> Measured:
    """Every contestant that is installed, one at a time: two at once would slow each other down."""
    installed = [name for name in NAMES if release(name) is not None]
    return Measured(
        scores={name: [PageScore(**row) for row in _apart("run", folder, name)] for name in installed},
        stages=_apart("stages", folder),
    )


def _apart(module: str, folder: Path | None, *names: str) -> Any:
    where = [str(folder)] if folder else []
    command = [sys.executable, "-m", f"tests.bench.extract_{module}", *names, *where]
    return json.loads(subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True).stdout)


def _described(name: str) -> str:
    number = release(name)
    return f"{name}: skipped, not installed" if number is None else f"{name} {number}".strip()


def _print(title: str, of_places: str, measured: Measured, worst: int) -> None:
    pages = measured.scores[OURS]
    publishers, places = ({getattr(each, of) for each in pages} - {""} for of in ("publisher", "country"))
    print(f"\n{title}: {len(pages)} pages, {len(publishers)} publishers, {len(places)} {of_places}")
    for line in report.table(measured.scores):
        print(line)
    print(f"\n{OURS} on {title}")
    for line in report.ours(pages, measured.stages, worst):
        print(f"  {line}")


def _rows(sets: Mapping[str, Results]) -> dict[str, dict[str, list[dict[str, object]]]]:
    return {
        kind: {name: [dataclasses.asdict(each) for each in scores] for name, scores in results.items()}
        for kind, results in sets.items()
    }


if __name__ == "__main__":
    main()
