"""`make chaos`: runs of one seed after another, each with its own faults. A failing seed is told and kept."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.driver import run
from tests.chaos.faults import FAULTS
from tests.chaos.plan import draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.chaos.driver import Report

_SHOWN = 20
_ENDS = ("accepted", "articles", "unchanged", "dead", "refused")


@dataclass(slots=True)
class Series:
    """Many runs, and their sums."""

    given: argparse.Namespace
    total: Counter[str] = field(default_factory=Counter)  # also of what was found, by the check's name
    struck: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    failing: list[int] = field(default_factory=list)

    async def run_all(self) -> None:
        """Run every seed, some at a time."""
        seeds = self._seeds()

        async def run_some() -> None:
            for seed in seeds:
                await self._run(seed)

        async with asyncio.TaskGroup() as group:
            for _ in range(self.given.jobs):
                group.create_task(run_some())

    def _seeds(self) -> Iterator[int]:
        given, until = self.given, time.monotonic() + (self.given.minutes or 0) * 60
        seed = given.seed
        while time.monotonic() < until if given.minutes else seed < given.seed + given.runs:
            yield seed
            seed += 1

    async def _run(self, seed: int) -> None:
        given = self.given
        only = [name for name in given.faults.split(",") if name]
        plan = draw(seed, only=only, urls=given.urls, hosts=given.hosts)
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))  # a short name: a socket's path is bounded

        def say(line: str) -> None:
            if given.verbose:
                print(f"  seed {seed}: {line}", flush=True)

        report = await run(plan, folder, say)
        print(_line(seed, plan.says(), report), flush=True)
        self.struck.update(report.struck)
        self.made.update(report.made)
        self.missed.update(report.missed)
        self.total.update(runs=1, urls=report.ledger.accepted, requests=report.requests)
        self.total.update(fault.partition(":")[0] for fault in report.faults)
        if not report.faults:
            shutil.rmtree(folder)
            return
        self.failing.append(seed)
        for fault in report.faults[:_SHOWN]:
            print(f"    {fault}")
        again = f"--faults {given.faults} " if only else ""
        sizes = f"--urls {given.urls} --hosts {given.hosts}"
        print(f"    kept in {folder}; to replay: make chaos ARGS='--seed {seed} --runs 1 {again}{sizes}'")

    def says(self, took_s: float) -> str:
        """The sums, in some lines."""
        total = self.total
        return (
            f"\n{total['runs']} runs from seed {self.given.seed} in {took_s:.0f} s, "
            f"{total['urls']} URLs accepted, {total['requests']} requests\n"
            f"faults injected: {sum(self.struck.values())}: {_counts(self.struck)}\n"
            f"faults that found nothing to harm: {_counts(self.missed)}\n"
            f"commands hit on the network: {_counts(self.made)}\n"
            f"lost {total['lost']}, repeated {total['repeated']}, failing seeds: {self.failing or 'none'}"
        )


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counter.most_common()) or "none"


def _line(seed: int, plan: str, report: Report) -> str:
    figures = report.ledger.figures()
    ends = " ".join(f"{name} {figures[name]}" for name in _ENDS)
    skipped = "".join(f" (no {name}: {why})" for name, why in report.skipped.items())
    verdict = "ok" if not report.faults else f"{len(report.faults)} FAULTS"
    return f"seed {seed}: {verdict}: {plan}{skipped}; {ends}; {report.took_s:.1f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 1 if any run had a fault."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="how many (10)")
    parser.add_argument("--minutes", type=float, help="go on for so long instead")
    parser.add_argument("--seed", type=int, default=1, help="the first run's seed; the next has the next (1)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (1)")
    parser.add_argument("--faults", default="", help=f"these alone, by comma; there are {', '.join(FAULTS)}")
    parser.add_argument("--urls", type=int, default=150, help="URLs a run (150)")
    parser.add_argument("--hosts", type=int, default=20, help="loopback hosts (20)")
    parser.add_argument("--verbose", action="store_true", help="tell each strike")
    series, began = Series(parser.parse_args(arguments)), time.monotonic()
    asyncio.run(series.run_all())
    print(series.says(time.monotonic() - began))
    return 1 if series.failing else 0


if __name__ == "__main__":
    sys.exit(main())
