"""What deploy/RUNBOOK.md has people type."""

from __future__ import annotations

import re

from tests.deploy.programs import DEPLOY

ALERTS = re.findall(r"- alert: (\w+)", (DEPLOY / "prometheus/alerts.yml").read_text())


def typed(runbook: str, alert: str) -> list[str]:
    """The lines of its section's one block."""
    section = runbook.partition(f"\n## {alert}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^```sh night\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return str(block).splitlines()


def filled(line: str, *, url: str, group: str) -> str:
    """The line with what people fill in."""
    return re.sub(r"\bGROUP\b", group, re.sub(r"\bURL\b", url, line))
