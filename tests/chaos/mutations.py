"""Does the suite see what it is for? Each mutation takes a rule out of a copy of the worker: runs must fail.

The first four are what the promise rests on; each of the others is there for one check of the verdict.

Run as `python -m tests.chaos.mutations`: it prints which check caught each, and after how many runs; 1 if any
was not caught. A text to be replaced that is not there any more is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from tests.chaos.driver import run
from tests.chaos.fleet import ROOT
from tests.chaos.plan import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHECK = "if answer ~= 1 then\n  return answer\nend\n"
_LUA = "worker/store/lua/"
#: What is lost stays lost: no need to wait for it as long as `make chaos` does.
_PATIENCE_S = 25.0


@dataclass(frozen=True, slots=True)
class Mutation:
    """A rule less: in each file, one text becomes another. `faults` are those that should bring it out."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    faults: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "the token is not checked by finish, requeue and bury",
        (
            (f"{_LUA}finish.lua", indent(_CHECK, "  "), ""),
            (f"{_LUA}finish.lua", "  state(host)", "  "),
            *((f"{_LUA}{name}.lua", _CHECK, "") for name in ("requeue", "bury")),
        ),
        ("stop", "lost_reply"),
    ),
    Mutation(
        "the lease is ended first, and the event written in a step of its own",
        (
            (
                f"{_LUA}finish.lua",
                "  redis.call('XADD', P .. 'articles', '*', unpack(ARGV, first + 8, last))\n",
                "",
            ),
            (
                "worker/store/frontier.py",
                "        return await self._settling.finish(lease, signal, [end, *kept, *flat(event)])\n",
                (
                    "        settled = await self._settling.finish(lease, signal, "
                    "[end, *kept, *flat(event)])\n"
                    "        if settled is Settled.DONE:\n"
                    "            stream = self._keys.articles(lease.partition)\n"
                    '            await self._connection.command("XADD", stream, "*", *flat(event))\n'
                    "        return settled\n"
                ),
            ),
        ),
        ("kill", "lost_reply"),
    ),
    Mutation(
        "a lease that ran out sends its URL back among the others, not to run alone",
        (
            (
                f"{_LUA}reap.lua",
                "  redis.call('RPUSH', P .. 'suspects', host .. ' ' .. line)\n",
                "  line_up(host, line)\n",
            ),
        ),
        ("deadly_page",),
    ),
    Mutation(
        "nobody adopts what a dead worker had taken from the inbox",
        (
            (
                "worker/runtime/admitter.py",
                "if count := await self._inbox.adopt(silent, _BATCH):",
                "if count := 0:",
            ),
        ),
        ("kill",),
    ),
    Mutation(
        "a page is asked for although the lease has ended by the worker's own clock",
        (
            (
                "worker/runtime/work.py",
                "return self._clock.monotonic() < self._in_work.expires_monotonic(lease)",
                "return True",
            ),
        ),
        ("stop",),
    ),
    Mutation(
        "it is not remembered which items were admitted",
        ((f"{_LUA}admit.lua", "local reply = redis.call('ZSCORE', P .. 'admitted', number)", "local reply"),),
        ("kill", "lost_reply"),
    ),
    Mutation(
        "the host of a lease that ran out stays busy",
        ((f"{_LUA}reap.lua", "  vacate(host, token, now, '0 none 0')\n", ""),),
        ("kill",),
    ),
    Mutation(
        "articles are dropped before the consumer has them",
        (
            (
                f"{_LUA}trim.lua",
                "local needed = pending[1] > 0 and pending[2] or group['last-delivered-id']",
                "local needed = redis.call('XINFO', 'STREAM', stream)[8]",
            ),
        ),
        ("consumer_stalls",),
    ),
    Mutation(
        "the log does not tell of an article whose reply was lost",
        (
            (
                "worker/runtime/publication.py",
                'settled in {Settled.DONE, Settled.REPEATED}:\n            self._count("published", verdict)',
                'settled is Settled.DONE:\n            self._count("published", verdict)',
            ),
        ),
        ("kill", "lost_reply"),
    ),
)


def mutated(mutation: Mutation, folder: Path) -> Path:
    """A copy of the worker without the rule. Raises LookupError where its text is not there once."""
    shutil.copytree(ROOT / "worker", folder / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in mutation.edits:
        text = (folder / name).read_text()
        if text.count(old) != 1:
            raise LookupError(f"{name} has this text {text.count(old)} times: {old!r}")
        (folder / name).write_text(text.replace(old, new))
    return folder


def caught(mutation: Mutation, most: int) -> tuple[int, Counter[str]]:
    """How many runs it took, and which checks failed in the last one: none, if it was never caught."""
    for seed in range(1, most + 1):
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        try:
            plan = replace(draw(seed, only=mutation.faults), patience_s=_PATIENCE_S)
            root = mutated(mutation, folder / "mutant")
            report = asyncio.run(run(plan, folder, root=root))
        finally:
            shutil.rmtree(folder)
        if report.faults:
            return seed, Counter(fault.partition(":")[0] for fault in report.faults)
    return most, Counter()


def main(arguments: Sequence[str] | None = None) -> int:
    """Try each mutation."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutations", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="runs of a mutation, at most (10)")
    given = parser.parse_args(arguments)
    missed = 0
    for mutation in MUTATIONS:
        runs, checks = caught(mutation, given.runs)
        says = ", ".join(f"{check} {n}" for check, n in checks.most_common()) or "NOT CAUGHT"
        missed += not checks
        print(f"{mutation.name}\n    by {'+'.join(mutation.faults)}, run {runs}: {says}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
