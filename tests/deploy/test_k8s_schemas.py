"""`deploy/k8s`, by the schemas of Kubernetes, KEDA and the Prometheus operator: none has a field too many."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as prometheus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deploy.manifests import Manifest

#: The oldest that the files are for, and the newest whose schemas there are.
VERSIONS = ("1.30", "1.37")
BUILT_IN = {
    *("ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Secret", "ServiceAccount"),
}
CUSTOM: dict[str, Any] = {
    "PodMonitor": prometheus.PodMonitor,
    "PrometheusRule": prometheus.PrometheusRule,
    "ScaledObject": keda.ScaledObject,
    "TriggerAuthentication": keda.TriggerAuthentication,
}


def faults(manifest: Manifest, version: str) -> str:
    """Why Kubernetes of that version would refuse it, or pass over a part of it; empty if it would not."""
    try:
        if model := CUSTOM.get(manifest["kind"]):
            # The model passes over what it does not know, as the API server does.
            known = model.model_validate(manifest).model_dump(by_alias=True, exclude_unset=True, mode="json")
            return "" if known == manifest else f"{known} of {manifest}"
        kubernetes_validate.validate(manifest, version, strict=True)
    except (kubernetes_validate.ValidationError, ValueError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_its_schema(
    in_production: list[Manifest], base: list[Manifest], version: str
) -> None:
    """Base and overlay, unknown fields included."""
    assert [each["kind"] for each in [*base, *in_production] if faults(each, version)] == []
    assert {each["kind"] for each in base} == BUILT_IN - {"Secret"}
    assert {each["kind"] for each in in_production} == BUILT_IN | CUSTOM.keys()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda manifest: manifest.update(spek={}),
        lambda manifest: manifest["metadata"].update(label={}),
        lambda manifest: manifest.get("spec", manifest).update(replica=1),
        lambda manifest: manifest["metadata"].update(labels=["a"]),
    ],
)
def test_a_spoilt_object_is_noticed(in_production: list[Manifest], spoil: Callable[[Manifest], None]) -> None:
    """A field that does not exist, or of another type, is a fault of every kind."""
    for manifest in copy.deepcopy(in_production):
        spoil(manifest)
        assert faults(manifest, VERSIONS[-1]), manifest["kind"]
