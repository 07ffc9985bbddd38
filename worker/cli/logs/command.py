"""`ingest logs`: the command."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from worker.cli.examples import examples
from worker.cli.failures import Failed
from worker.cli.logs.lines import lines_of
from worker.cli.logs.report import report
from worker.cli.logs.show import shown
from worker.cli.logs.summary import Summary
from worker.cli.screen import print_json, results

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_STDIN = "-"


@click.command(
    epilog=examples(
        "ingest logs worker.log",
        "ingest logs worker-1.log worker-2.log --json | jq .dead",
        "docker-compose logs --no-color worker | ingest logs -",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as one JSON object.")
def logs(*, files: tuple[str, ...], as_json: bool) -> None:
    """Summarise log files of workers on one screen.

    Shows the time span, rates over time, outcomes by reason, latencies, retries, pauses, outages of Redis,
    slow hosts, and errors with how often, first and last. FILE is a log in JSON lines, as workers write it
    into pipes and with INGEST_LOG_FORMAT=json; - is stdin. Several files are added up. A file may be of any
    size: it is read once, and memory stays bounded.

    What stands before a line's first brace is passed over, as docker-compose's names of containers. Lines
    that are not ours are counted and passed over; a file without any line of ours is an error.
    """
    summary = Summary()
    for name in files:
        _add(summary, name)
    if as_json:
        print_json(report(summary))
    else:
        results().print(shown(summary))


def _add(summary: Summary, name: str) -> None:
    """Add one file. Raises Failed when it cannot be read, or holds no line of ours."""
    before, skipped_before = summary.lines, summary.skipped
    said = "stdin" if name == _STDIN else name
    try:
        with _opened(name) as file:
            for line in lines_of(file):
                if line is None:
                    summary.skipped += 1
                else:
                    summary.note(*line)
    except OSError as error:
        raise Failed(f"{said} cannot be read: {error.strerror or error}") from error
    if summary.lines == before:
        skipped = summary.skipped - skipped_before
        if not skipped:
            raise Failed(f"{said} is empty")
        raise Failed(
            f"{said} is no log of ours: none of its {skipped:,} lines is one of ingest's events in JSON. "
            "Workers write these with INGEST_LOG_FORMAT=json, and into pipes."
        )


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name == _STDIN:
        return nullcontext(sys.stdin.buffer)
    return Path(name).open("rb")
