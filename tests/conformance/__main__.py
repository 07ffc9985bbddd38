"""`make conformance`: the store's tests over every server, and a table of what came of them."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.conformance.binaries import fetch
from tests.conformance.suite import MATRIX, Result, run


def main() -> int:
    """Fetch what is missing, run, print; the exit code is 1 if anything failed or was not there."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("names", nargs="*", default=MATRIX, help=f"which of {', '.join(MATRIX)}")
    parser.add_argument("--no-fetch", action="store_true", help="run over what is here")
    chosen = parser.parse_args()
    for fault in [] if chosen.no_fetch else fetch():
        print(fault)
    print(_row("server", "version", "passed", "failed", "skipped", "s"))
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(chosen.names):
            results.append(run(name, Path(folder) / f"{number}.xml"))
            print(_line(results[-1]), flush=True)
    return int(not all(result.good for result in results))


def _line(result: Result) -> str:
    if not result.version:
        return f"{result.name:<20} skipped: {result.why}"
    counts = (result.passed, result.failed, result.skipped, round(result.took_s, 1))
    row = _row(result.name, result.version, *map(str, counts))
    return f"{row}\n{result.why}" if result.why else row


def _row(name: str, version: str, *counts: str) -> str:
    return f"{name:<20} {version:<14}" + "".join(f"{count:>9}" for count in counts)


if __name__ == "__main__":
    raise SystemExit(main())
