"""`deploy/grafana/ingest.json`: a dashboard over what the mtail program exports, and nothing else."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tests.deploy.programs import DEPLOY, output_of, program
from tests.deploy.test_prometheus import RULES, exported, named_in

if TYPE_CHECKING:
    from pathlib import Path

FILE = DEPLOY / "grafana/ingest.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
EXPRESSIONS = [
    target["expr"]
    for panel in PANELS
    for target in panel["targets"]
    if target["datasource"]["type"] == "prometheus"
]


def test_every_metric_is_exported_or_recorded() -> None:
    """A panel over a metric that nobody exports would be empty for good."""
    assert named_in(FILE) <= exported()
    recorded = set(re.findall(r"record: (\S+)", (RULES / "rules.yml").read_text()))
    assert {name for expr in EXPRESSIONS for name in re.findall(r"\bingest:[\w:]+", expr)} <= recorded


def test_every_expression_parses(tmp_path: Path) -> None:
    """Each query of a panel is one to promtool, too."""
    rules = [
        {"record": f"panel:{number}", "expr": expr.replace("$__rate_interval", "5m")}
        for number, expr in enumerate(EXPRESSIONS)
    ]
    # YAML holds all of JSON.
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(EXPRESSIONS)} rules found" in output_of(program("promtool"), "check", "rules", file)


def test_labels_are_those_of_the_metrics() -> None:
    """A legend's label is one that the mtail program gives the metric."""
    text = (DEPLOY / "mtail/ingest.mtail").read_text()
    labels = dict(re.findall(r"^(?:counter|gauge) (\w+) by (.+)$", text, re.MULTILINE))
    for panel in PANELS:
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target.get("legendFormat", "")):
                (metric,) = re.findall(r"ingest_log_\w+", target["expr"])
                assert label in labels[metric].split(", "), panel["title"]


def test_panels_neither_overlap_nor_share_a_number() -> None:
    """The page is 24 columns wide, and every panel has a place of its own."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in combinations([panel["gridPos"] for panel in PANELS], 2):
        assert one["x"] + one["w"] <= 24
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
