"""The PrometheusRule of `deploy/k8s`, by promtool: alerts over /metrics, as `production` has them."""

from __future__ import annotations

import inspect
import re
import shutil
from typing import TYPE_CHECKING, Any

import yaml

from tests.deploy.manifests import K8S, the
from tests.deploy.programs import output_of, program
from tests.deploy.runbook import ALERTS as OF_THE_LOG
from worker.ops import metrics

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.manifests import Manifest

CASES = K8S / "components/alerts/alerts.test.yml"
#: Of prometheus_client itself, and of Prometheus' own making.
_FOREIGN = {"process_start_time_seconds"}


def rules(objects: list[Manifest]) -> list[dict[str, Any]]:
    """The alerts of the one group."""
    (group,) = the("PrometheusRule", objects)["spec"]["groups"]
    return list(group["rules"])


def test_alerts_fire_when_they_should(in_production: list[Manifest], tmp_path: Path) -> None:
    """Each case ends as it says, to the words of the summary; and every expression parses."""
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(the("PrometheusRule", in_production)["spec"]))
    shutil.copy(CASES, tmp_path)
    output_of(program("promtool"), "check", "rules", tmp_path / "rules.yml")
    output_of(program("promtool"), "test", "rules", tmp_path / CASES.name)


def test_every_alert_is_tested_and_explained(in_production: list[Manifest]) -> None:
    """It is seen firing and seen silent, and has the name of one that the runbook has a section of."""
    cases = CASES.read_text()
    for rule in rules(in_production):
        name = rule["alert"]
        seen = re.findall(rf"alertname: {name}\b(.*\n?.*)", cases)
        assert any("exp_alerts" in case for case in seen), name
        assert any("exp_alerts" not in case for case in seen), name
        assert name in OF_THE_LOG
        assert rule["annotations"]["runbook"] == f"deploy/RUNBOOK.md#{name.lower()}"


def test_what_has_no_alert_is_told(in_production: list[Manifest]) -> None:
    """The file names the alerts that the log alone can raise."""
    here = {rule["alert"] for rule in rules(in_production)}
    told = (K8S / "components/alerts/prometheus-rule.yaml").read_text().partition("apiVersion")[0]
    assert set(re.findall(r"Ingest\w+", told)) == set(OF_THE_LOG) - here


def test_alerts_use_what_workers_export(in_production: list[Manifest]) -> None:
    """An alert over a metric that nobody exports would be silent for good."""
    declared = set(re.findall(r'"(ingest_\w+)"', inspect.getsource(metrics)))
    exported = declared | {f"{name}_total" for name in declared} | {f"{name}_info" for name in declared}
    used = {name for rule in rules(in_production) for name in re.findall(r"\w+_\w+(?=[{\[)])", rule["expr"])}
    assert len(used) > 8
    assert used - exported == _FOREIGN
