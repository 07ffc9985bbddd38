"""`make bench-frontier`: what a URL costs in frontiers of a thousand to ten million waiting URLs.

Each size has a redis-server of its own, filled by processes that admit as workers do. Claims and ends are
made by one caller, one after the other, and what ends is replaced, so that the size stays.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import frontier_report as report
from tests.bench.frontier_fill import Shape
from tests.bench.frontier_picture import draw
from tests.bench.frontier_tier import Scope, measure
from tests.bench.frontier_workers import admission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.frontier_tier import Tier
    from tests.bench.frontier_workers import Admission

_ROOT = Path(__file__).parents[2]
_LEAST_DRAWN = 10**6  # the picture of the docs is not drawn of less


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says."""

    sizes: list[int]
    tail: int
    giant: int
    urls_a_host: int
    claims: int
    reaped: int
    producers: int
    workers: list[int]
    queued: int
    no_aof: bool
    folder: Path | None
    json: Path
    picture: Path | None

    @property
    def scope(self) -> Scope:
        """How much is measured at each size."""
        return Scope(self.claims, self.reaped, self.producers, persistent=not self.no_aof)


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and draw."""
    given = given_by(words)
    caption = (
        f"A frontier of {given.urls_a_host} URLs a host, {given.claims:,} claimed and ended at each size, "
        f"{os.cpu_count()} cores, {'without' if given.no_aof else 'with'} an append-only file"
    )
    print(caption, flush=True)
    admissions = asyncio.run(_admit(given))
    tiers = asyncio.run(_measure(given))
    print("\n".join(["", *report.table(tiers), "", "longest commands", *report.pauses(tiers), ""]))
    verdicts = report.verdicts(tiers)
    for each in verdicts:
        print(each)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    found = report.as_json(caption, tiers) | {"admissions": [asdict(each) for each in admissions]}
    given.json.write_text(json.dumps(found, indent=1), "utf-8")
    print(f"written: {given.json}")
    picture = given.picture or (_ROOT / "docs" / "frontier.svg" if given.sizes[-1] >= _LEAST_DRAWN else None)
    if picture:
        picture.write_text(draw(tiers, caption, str(verdicts[0])), "utf-8")
        print(f"drawn: {picture}")


def given_by(words: Sequence[str] | None) -> Given:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench-frontier", description=__doc__)
    parser.add_argument(
        *("--sizes", "-s"),
        default="1e3,1e4,1e5,1e6,1e7",
        help="waiting URLs, by commas (1e3,…,1e7: 18 minutes)",
    )
    parser.add_argument(
        "--tail", type=_count, default=10**6, help="one URL a host, up to so many (1e6); 0: not"
    )
    parser.add_argument(
        "--giant", type=_count, default=2 * 10**6, help="URLs of one host beside the most (2e6); 0: not"
    )
    parser.add_argument("--urls-a-host", type=_count, default=50, help="(50)")
    parser.add_argument("--claims", type=_count, default=20_000, help="URLs claimed and ended (20,000)")
    parser.add_argument("--reaped", type=_count, default=10_000, help="leases that run out at once (10,000)")
    parser.add_argument("--producers", type=_count, default=2, help="processes that fill (2)")
    parser.add_argument(
        "--workers", default="1,2,4", help="real workers that admit a queue, by commas (1,2,4)"
    )
    parser.add_argument("--queued", type=_count, default=50_000, help="URLs in that queue (50,000)")
    parser.add_argument("--no-aof", action="store_true", help="without the append-only file that we deploy")
    parser.add_argument("--folder", type=Path, help="for the append-only file (the system's own)")
    parser.add_argument(
        "--json", type=Path, default=_ROOT / ".ingest" / "bench" / "frontier.json", help="where to write all"
    )
    parser.add_argument(
        "--picture", type=Path, help="where to draw (docs/frontier.svg, of a million or more)"
    )
    given = vars(parser.parse_args(words))
    for name in ("sizes", "workers"):
        given[name] = sorted(_count(number) for number in given[name].split(",") if number)
    return Given(**given)


def _count(word: str) -> int:
    return int(float(word))


async def _admit(given: Given) -> list[Admission]:
    found = []
    for workers in given.workers:
        with tempfile.TemporaryDirectory(prefix="ingest-f-", dir=given.folder) as folder:
            found.append(await admission(workers, given.queued, Path(folder), persistent=not given.no_aof))
        print(found[-1], flush=True)
    return found


def shapes(given: Given) -> list[tuple[str, Shape, int]]:
    """What is measured, in order: its name, its shape, and the URLs of a giant beside it at last."""
    crowded = [
        (
            report.CROWDED,
            Shape.crowded(size, given.urls_a_host),
            given.giant if size == given.sizes[-1] else 0,
        )
        for size in given.sizes
    ]
    return crowded + [(report.TAIL, Shape(size, size), 0) for size in given.sizes if size <= given.tail]


async def _measure(given: Given) -> list[Tier]:
    tiers = []
    for name, shape, giant in shapes(given):
        with tempfile.TemporaryDirectory(prefix="ingest-f-", dir=given.folder) as folder:
            tier = await measure(name, shape, Path(folder), given.scope, giant=giant)
        tiers.append(tier)
        print(
            f"{name}, {tier.waiting:,} on {tier.hosts:,}: {tier.figures['bytes_a_url']:.0f} bytes a URL, "
            f"{tier.figures['admitted_per_s']:,.0f} admitted a second, "
            f"claim p99 {tier.figures['claim_p99_ms']:.2f} ms ({tier.server})",
            flush=True,
        )
    return tiers


if __name__ == "__main__":
    main()
