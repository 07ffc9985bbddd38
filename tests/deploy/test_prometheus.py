"""`deploy/prometheus`, by promtool itself: rules are sound, each alert fires when it should and only then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.deploy.programs import DEPLOY, output_of, program
from tests.deploy.runbook import ALERTS

if TYPE_CHECKING:
    from pathlib import Path

RULES = DEPLOY / "prometheus"
TESTS = (RULES / "alerts.test.yml").read_text()


def exported() -> set[str]:
    """The metrics that the mtail program declares."""
    text = (DEPLOY / "mtail/ingest.mtail").read_text()
    return set(re.findall(r"^(?:counter|gauge|histogram) (\w+)", text, re.MULTILINE))


def named_in(file: Path) -> set[str]:
    """The metrics that a file names; a histogram's parts are named after the whole."""
    names = re.findall(r"\bingest_log_\w+", file.read_text())
    return {re.sub(r"_seconds_(bucket|count|sum)$", "_seconds", name) for name in names}


def test_rules_are_sound() -> None:
    """Expressions parse, and the configuration is one."""
    output_of(program("promtool"), "check", "rules", RULES / "rules.yml", RULES / "alerts.yml")
    output_of(program("promtool"), "check", "config", RULES / "prometheus.yml")


def test_alerts_fire_when_they_should() -> None:
    """Each case of alerts.test.yml ends as it says, to the words of the summary."""
    output_of(program("promtool"), "test", "rules", RULES / "alerts.test.yml")


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_tested_and_explained(alert: str) -> None:
    """It is seen firing and seen silent, and names its section of the runbook (test_night types that)."""
    cases = re.findall(rf"alertname: {alert}\b(.*\n?.*)", TESTS)
    assert any("exp_alerts" in case for case in cases)
    assert any("exp_alerts" not in case for case in cases)
    assert f"runbook: deploy/RUNBOOK.md#{alert.lower()}" in (RULES / "alerts.yml").read_text()


def test_the_runbook_explains_no_other_alert() -> None:
    """No section is left of an alert that is gone."""
    headings = re.findall(r"^## (\w+)$", (DEPLOY / "RUNBOOK.md").read_text(), re.MULTILINE)
    assert [name for name in headings if name.startswith("Ingest")] == ALERTS


@pytest.mark.parametrize("name", ["rules.yml", "alerts.yml", "alerts.test.yml"])
def test_rules_use_what_mtail_exports(name: str) -> None:
    """A rule over a metric that nobody exports would be silent for good."""
    assert named_in(RULES / name) <= exported()
    recorded = set(re.findall(r"record: (\S+)", (RULES / "rules.yml").read_text()))
    assert set(re.findall(r"\bingest:[\w:]+", (RULES / name).read_text())) <= recorded
