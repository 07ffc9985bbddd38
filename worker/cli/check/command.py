"""The command: what to look at, and how to show what was found."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit
from rich.text import Text

from worker.cli.check.live import liveness
from worker.cli.examples import examples
from worker.cli.screen import print_json, results
from worker.settings import load_settings

if TYPE_CHECKING:
    from worker.cli.check.finding import Finding, Level

_STYLES: dict[Level, str] = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@click.command(
    epilog=examples(
        "ingest check",
        "ingest check --json | jq '.[] | select(.level != \"ok\")'",
        "ingest check --live                    as a health check beside a worker",
    )
)
@click.option("--live", is_flag=True, help="Ask the worker that runs here whether it gets on; nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print [{check, level, says, remedy}].")
def check(*, live: bool, as_json: bool) -> None:
    """Check that everything a worker needs is in place.

    Looks at the settings (INGEST_…), at Redis and how it keeps data, and at the processes that read pages.
    Each line is ok, warn or fail, with the remedy; the exit code is 1 if anything failed. Nothing is changed.

    With --live, it asks /livez of the ops port at INGEST_OPS_ADDRESS instead, and the exit code is 1 unless
    that says that the worker gets on.
    """
    findings = [liveness(load_settings())] if live else _all_findings()
    if as_json:
        print_json(findings)
    else:
        console = results()
        for finding in findings:
            console.print(_line(finding), soft_wrap=True)
    if any(finding.level == "fail" for finding in findings):
        raise Exit(1)


def _all_findings() -> list[Finding]:
    # Imported late: Redis, HTTP and parsers take most of a second, and a health check asks twice a minute.
    findings: list[Finding] = importlib.import_module("worker.cli.check.findings").findings(load_settings())
    return findings


def _line(finding: Finding) -> Text:
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return Text.assemble(
        (f"{finding.level:<5}", _STYLES[finding.level]), f"{finding.check}: {finding.says}", (remedy, "dim")
    )
