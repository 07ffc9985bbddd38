"""Does `make chaos-consumers` see what it is for? Each mutation takes a rule out of a copy of the library.

Run as `python -m tests.chaos.consumer_mutations`: it prints which checks caught each; 1 if any was missed. A
text to be replaced that is not there any more is an error.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.fleet import ROOT
from tests.chaos.mutations import Mutation, mutated

_DELIVERIES, _CONSUMER = "worker/events/deliveries.py", "worker/events/consumer.py"
_RUNS = 3
_KILLS, _PATIENCE_S = 15, 10

MUTATIONS = (
    Mutation(
        "the search for idle events ends with its first page",
        ((_DELIVERIES, 'goes_on = f"({page[-1].entry}" if len(page) == PAGE else ""', 'goes_on = ""'),),
        ("kill",),
    ),
    Mutation(
        "events are acknowledged as they are handed out",
        (
            (
                _CONSUMER,
                "                        self._in_hand = list(events)\n",
                "                        await self._deliveries.acknowledge(events)\n",
            ),
        ),
        ("kill",),
    ),
    Mutation(
        "nobody takes over what the dead had",
        ((_DELIVERIES, "if self._clock.monotonic() >= self._search_at and self._is_calm:", "if False:"),),
        ("kill",),
    ),
    Mutation(
        "the living give no signs of life",
        ((_CONSUMER, "            await self._deliveries.renew()\n", ""),),
        ("kill",),
    ),
)


def caught(mutation: Mutation, folder: Path) -> Counter[str]:
    """Which checks failed in the first run that failed; none, if none did."""
    root = mutated(mutation, folder / "mutant")
    (root / "tests").symlink_to(ROOT / "tests")
    for seed in range(1, _RUNS + 1):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.chaos.consumers", "--seed", str(seed)),
                *("--kills", str(_KILLS), "--patience", str(_PATIENCE_S)),
            ],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(root), "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if faults := re.findall(r"^    ([a-z ]+): ", done.stdout, re.MULTILINE):
            return Counter(faults)
    return Counter()


def main() -> int:
    """Try each mutation."""
    missed = 0
    for mutation in MUTATIONS:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        try:
            checks = caught(mutation, folder)
        finally:
            shutil.rmtree(folder)
        says = ", ".join(f"{check} {n}" for check, n in checks.most_common()) or "NOT CAUGHT"
        missed += not checks
        print(f"{mutation.name}\n    {says}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
