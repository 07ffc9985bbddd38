"""`make chaos`: kill workers at random, run after run, for as long as asked. A failing seed is told."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.driver import Plan, run


def main() -> int:
    """Run plans until the time is up; 1 if any of them had a fault."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="go on starting runs for so long (1)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the first run's seed; the next one has the next (1)"
    )
    parser.add_argument("--urls", type=int, default=600, help="URLs a run (600)")
    parser.add_argument("--hosts", type=int, default=30, help="loopback hosts (30)")
    parser.add_argument("--workers", type=int, default=3, help="worker processes (3)")
    parser.add_argument("--kills", type=int, default=8, help="SIGKILLs a run, at most (8)")
    given = parser.parse_args()
    until, seed, bad = time.monotonic() + given.minutes * 60, given.seed, 0
    while True:
        plan = Plan(urls=given.urls, hosts=given.hosts, workers=given.workers, kills=given.kills, seed=seed)
        with tempfile.TemporaryDirectory(prefix="ingest-chaos-") as folder:
            report = asyncio.run(run(plan, Path(folder), say=lambda line: print(f"  {line}", flush=True)))
        verdict = "ok" if not report.faults else "FAULTS"
        print(
            f"seed {seed}: {verdict}: {report.kills} kills, {report.requests} requests, "
            f"{report.took_s:.0f} s, {report.ledger.figures()}",
            flush=True,
        )
        for fault in report.faults[:50]:
            print(f"    {fault}")
        if report.faults:
            bad += 1
            sizes = (
                f"--urls {given.urls} --hosts {given.hosts} --workers {given.workers} --kills {given.kills}"
            )
            print(f"  to replay: make chaos ARGS='--minutes 0 --seed {seed} {sizes}'")
        seed += 1
        if time.monotonic() >= until:
            return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
