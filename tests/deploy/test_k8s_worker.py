"""The Deployment of `deploy/k8s` and what surrounds it agree with each other, and with the worker's code."""

from __future__ import annotations

import base64
import inspect
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.deploy.manifests import K8S, the
from tests.deploy.programs import output_of, program
from worker import __version__
from worker.ops import metrics
from worker.runtime.supervisor import _LAST_WORDS_S
from worker.settings import PREFIX, Settings, load_settings
from worker.settings.hosts_file import read_hosts_file
from worker.store.keys import Keys

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.manifests import Manifest

_UNITS = {"Mi": 2**20, "Gi": 2**30}
#: README, Figures: what all processes of a worker held at most. Two event loops where suspects run as well.
_TREE_BYTES = 201_000_000


def container(objects: list[Manifest]) -> dict[str, Any]:
    """The Deployment's one container."""
    (found,) = the("Deployment", objects)["spec"]["template"]["spec"]["containers"]
    return dict(found)


def environment(objects: list[Manifest]) -> dict[str, str]:
    """What the container finds in its environment: its ConfigMap and its Secret, by the names it gives."""
    settings, secret = container(objects)["envFrom"]
    plain: dict[str, str] = the("ConfigMap", objects, settings["configMapRef"]["name"])["data"]
    coded = the("Secret", objects, secret["secretRef"]["name"])["data"]
    return plain | {key: base64.b64decode(text).decode() for key, text in coded.items()}


def bytes_of(quantity: str) -> int:
    """Bytes of a quantity as Kubernetes writes it."""
    return int(quantity[:-2]) * _UNITS[quantity[-2:]]


@pytest.fixture
def settings(in_production: list[Manifest], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a worker makes of its environment in the overlay's pod; a wrong setting fails here."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for name, text in environment(in_production).items():
        monkeypatch.setenv(name, text)
    return load_settings()


def test_probes_ask_the_ops_port(in_production: list[Manifest], settings: Settings) -> None:
    """They, Prometheus and the policy name the port that the worker listens at, from outside the pod."""
    worker = container(in_production)
    assert settings.ops_address == ("0.0.0.0", worker["ports"][0]["containerPort"])
    probes = {name: worker[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {probe["port"] for probe in probes.values()} == {worker["ports"][0]["name"]}
    assert [probe["path"] for probe in probes.values()] == ["/livez", "/livez", "/readyz"]
    (endpoint,) = the("PodMonitor", in_production)["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("ops", "/metrics")


def test_the_overlay_says_who_asks(settings: Settings) -> None:
    """Its values reach the worker: the address for site owners, and Redis over TLS."""
    assert "+https://" in settings.user_agent
    assert settings.redis_url.startswith("rediss://worker:")
    assert settings.ops_redis_url is not None


def test_a_pod_has_time_to_drain(in_production: list[Manifest], settings: Settings) -> None:
    """SIGKILL comes after the drain, after what is left was given back, and after the last words."""
    grace_s = the("Deployment", in_production)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace_s >= settings.drain_s + 2 * _LAST_WORDS_S + 5


def test_greedy_pages_are_killed_before_the_pod(in_production: list[Manifest], settings: Settings) -> None:
    """The processes that read pages, one of suspects too, may take all they are given at once."""
    resources = container(in_production)["resources"]
    children = settings.extract_processes + 1
    most_bytes = children * settings.extract_memory_limit_bytes + _TREE_BYTES
    assert most_bytes <= bytes_of(resources["limits"]["memory"])
    assert bytes_of(resources["requests"]["memory"]) >= _TREE_BYTES
    assert "cpu" not in resources["limits"]


def test_the_pod_has_no_rights(in_production: list[Manifest]) -> None:
    """Pod Security Standards, `restricted`, and no token of the API, nor names of Services."""
    pod, worker = the("Deployment", in_production)["spec"]["template"]["spec"], container(in_production)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert worker["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert [list(volume) for volume in pod["volumes"]] == [["emptyDir", "name"], ["configMap", "name"]]
    assert pod["automountServiceAccountToken"] is False
    assert the("ServiceAccount", in_production)["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False


@pytest.mark.parametrize("kind", ["Deployment", "NetworkPolicy", "PodDisruptionBudget", "PodMonitor"])
def test_selectors_find_the_pods(in_production: list[Manifest], kind: str) -> None:
    """A selector that finds none is valid, and does nothing."""
    labels = the("Deployment", in_production)["spec"]["template"]["metadata"]["labels"]
    spec = the(kind, in_production)["spec"]
    assert (spec.get("selector") or spec["podSelector"]) == {"matchLabels": labels}


def test_the_hosts_file_is_mounted(in_production: list[Manifest], settings: Settings, tmp_path: Path) -> None:
    """The ConfigMap's generated name, its folder, and a file that is valid as it stands."""
    (volume,) = [
        each
        for each in the("Deployment", in_production)["spec"]["template"]["spec"]["volumes"]
        if each["name"] == "hosts"
    ]
    (mount,) = [each for each in container(in_production)["volumeMounts"] if each["name"] == "hosts"]
    assert settings.hosts_file is not None
    assert str(settings.hosts_file.parent) == mount["mountPath"]
    files = the("ConfigMap", in_production, volume["configMap"]["name"])["data"]
    (tmp_path / "hosts.toml").write_text(files[settings.hosts_file.name])
    assert read_hosts_file(tmp_path / "hosts.toml") == {}


def test_the_image_is_of_this_version(base: list[Manifest], in_production: list[Manifest]) -> None:
    """Never `latest`: a rollback must find what ran before."""
    assert container(base)["image"] == f"ingest:{__version__}"
    assert container(in_production)["image"].endswith(f"/ingest:{__version__}")


def test_the_base_is_for_any_namespace(base: list[Manifest]) -> None:
    """It names none, has no secret, and runs without KEDA."""
    assert [each for each in base if "namespace" in each["metadata"]] == []
    assert the("Deployment", base)["spec"]["replicas"] == 2


def test_keda_scales_by_what_there_is(in_production: list[Manifest], settings: Settings) -> None:
    """The queue's name, and metrics that the ops port has; the Deployment leaves the number to it."""
    scaled = the("ScaledObject", in_production)["spec"]
    queue, wait = (trigger["metadata"] for trigger in scaled["triggers"])
    assert queue["listName"] == Keys(settings.namespace, settings.partitions).queue
    exported = set(re.findall(r'"(ingest_\w+)"', inspect.getsource(metrics)))
    assert set(re.findall(r"ingest_\w+", wait["query"])) <= exported
    assert scaled["minReplicaCount"] >= 1
    assert "replicas" not in the("Deployment", in_production)["spec"]
    assert scaled["scaleTargetRef"]["name"] == the("Deployment", in_production)["metadata"]["name"]


def test_keda_finds_its_secret(in_production: list[Manifest]) -> None:
    """The generated name, and every key that is asked for."""
    authentication = the("TriggerAuthentication", in_production, "ingest-scaler")
    secret = the("Secret", in_production, "ingest-scaler")
    asked = authentication["spec"]["secretTargetRef"]
    assert {each["name"] for each in asked} == {secret["metadata"]["name"]}
    assert {each["key"] for each in asked} == secret["data"].keys() == {each["parameter"] for each in asked}
    (reference,) = [
        trigger["authenticationRef"]["name"]
        for trigger in the("ScaledObject", in_production)["spec"]["triggers"]
        if "authenticationRef" in trigger
    ]
    assert reference == authentication["metadata"]["name"]


@pytest.mark.parametrize(("paused", "wanted_s"), [(0, 90), (1, 0)])
def test_keda_hears_the_longest_wait(
    in_production: list[Manifest], tmp_path: Path, paused: int, wanted_s: int
) -> None:
    """By promtool, in component and overlay: once, however many tell it, and 0 while no worker may claim."""
    component = yaml.safe_load((K8S / "components/keda/scaled-object.yaml").read_text())
    series = {
        'ingest_fleet_overdue_seconds{namespace="news", pod="a"}': 90,
        'ingest_fleet_overdue_seconds{namespace="news", pod="b"}': 88,
        'ingest_claiming_paused{namespace="news", pod="a", why="backlog"}': paused,
        'ingest_claiming_paused{namespace="news", pod="b", why="memory"}': 0,
    }
    asked = [
        {
            "expr": scaled["spec"]["triggers"][1]["metadata"]["query"],
            "exp_samples": [{"labels": "{}", "value": wanted_s}],
        }
        for scaled in (component, the("ScaledObject", in_production))
    ]
    values = [{"series": name, "values": str(value)} for name, value in series.items()]
    file = tmp_path / "keda.test.yml"
    file.write_text(yaml.safe_dump({"tests": [{"input_series": values, "promql_expr_test": asked}]}))
    output_of(program("promtool"), "test", "rules", file)


def test_no_secret_is_in_the_repository() -> None:
    """The examples hold no password, and what is made of them is ignored by git."""
    files = [file for file in K8S.rglob("*") if file.is_file()]
    assert [file.name for file in files if file.suffix == ".env"] == ["settings.env"]
    for example in (file for file in files if file.suffix == ".example"):
        secrets = re.findall(r":([^:@/]+)@|^password=(.*)", example.read_text(), re.MULTILINE)
        assert {word for found in secrets for word in found if word} == {"PASSWORD"}
