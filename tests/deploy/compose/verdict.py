"""The verdict of the chaos tests on the project's Redis, in a container: URLs on stdin, faults on stdout.

Run as `python -m tests.deploy.compose.verdict`. The exit code is 1 if there is a fault.
"""

from __future__ import annotations

import asyncio
import sys

from tests.chaos.verdict import faults
from worker.cli.store import opened
from worker.settings import load_settings
from worker.store.ledger import read_ledger


async def main() -> int:
    """Judge."""
    sent = sys.stdin.read().split()
    async with opened(load_settings()) as store:
        found = await faults(store.connection, store.keys, sent)
        ledger = await read_ledger(store.connection, store.keys)
    print("\n".join((*found, f"{len(sent)} sent, {len(found)} faults; {ledger.figures()} {ledger.traffic}")))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
