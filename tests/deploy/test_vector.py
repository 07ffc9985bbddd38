"""`deploy/vector`, by Vector itself where it is installed, and what others rely on in it."""

from __future__ import annotations

import re

from tests.deploy.programs import DEPLOY, output_of, program

VECTOR = DEPLOY / "vector/vector.yaml"


def test_configuration_is_valid() -> None:
    """Vector takes it, its program in VRL included."""
    output_of(program("vector"), "validate", "--no-environment", VECTOR)


def test_labels_are_those_that_the_dashboard_asks_for() -> None:
    """The dashboard's log panel selects by labels that Vector gives."""
    (labels,) = re.findall(r"labels: \{(.*)\}", VECTOR.read_text())
    (selector,) = re.findall(r'"expr": "\{(job=.*?)\}', (DEPLOY / "grafana/ingest.json").read_text())
    assert set(re.findall(r"(\w+)=", selector)) <= set(re.findall(r"(\w+):", labels))
    assert 'job=\\"ingest\\"' in selector
    assert "job: ingest" in labels
