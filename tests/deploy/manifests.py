"""What `kubectl kustomize` makes of `deploy/k8s`, as objects."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.programs import DEPLOY, output_of, program

Manifest = dict[str, Any]
K8S = DEPLOY / "k8s"


def kubectl() -> str:
    """The one of the development packages, or PATH's; without it, the test is skipped or fails."""
    return shutil.which("kubectl", path=Path(sys.executable).parent) or program("kubectl")


def rendered(folder: Path) -> list[Manifest]:
    """The objects of a kustomization."""
    return list(yaml.safe_load_all(output_of(kubectl(), "kustomize", folder)))


def production(folder: Path) -> list[Manifest]:
    """The objects of the overlay, its secrets made of the examples, in a copy at `folder`."""
    shutil.copytree(K8S, folder)
    overlay = folder / "overlays" / "production"
    for example in overlay.glob("*.env.example"):
        shutil.copy(example, example.with_suffix(""))
    return rendered(overlay)


def the(kind: str, objects: list[Manifest], name: str = "ingest-worker") -> Manifest:
    """The one object of that kind whose name begins so: generated names end with a hash."""
    (found,) = [
        each for each in objects if each["kind"] == kind and each["metadata"]["name"].startswith(name)
    ]
    return found
