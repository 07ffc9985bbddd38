"""deploy/Dockerfile: what its text must hold, and, where Docker has the image, what the image does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from datetime import datetime
from typing import Any

import pytest

from tests.chaos.fleet import ROOT
from worker import __version__

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
IMAGE = f"ingest:{__version__}"
MADE_OF = ("deploy/Dockerfile", "requirements.lock", "requirements-image.lock")
BASES = [DOCKERFILE, (ROOT / "deploy/mtail/Dockerfile").read_text()]


@pytest.fixture(scope="module")
def image() -> dict[str, Any]:
    """What Docker says of the image, where it was built."""
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("no docker on PATH (Debian's package docker.io)")
    done = subprocess.run([docker, "image", "inspect", IMAGE], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"docker has no image {IMAGE}: docker-compose build worker")
    found = dict(json.loads(done.stdout)[0])
    newest_s = max((ROOT / name).stat().st_mtime for name in MADE_OF)
    if datetime.fromisoformat(found["Created"][:19] + "+00:00").timestamp() < newest_s:
        pytest.skip(f"the image {IMAGE} is older than what it is made of: docker-compose build worker")
    return found


def in_container(*words: str, entrypoint: str = "ingest") -> str:
    """What a command says in a container that may write nowhere and reach nothing."""
    options = ("--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", "--entrypoint", entrypoint)
    done = subprocess.run(
        ["docker", "run", *options, IMAGE, *words], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


def test_bases_are_arguments_with_a_version() -> None:
    """Whoever builds may choose the base; the default is never `latest`."""
    for text in BASES:
        assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE_IMAGE}"}
        (default,) = re.findall(r"^ARG BASE_IMAGE=\S+:(\S+)$", text, re.MULTILINE)
        assert default != "latest"
    assert "ARG BASE_IMAGE=python:3.11-slim-bookworm\n" in DOCKERFILE


def test_packages_are_locked_wheels() -> None:
    """Everything installed is a wheel whose hash is known; nothing else runs code while it is installed."""
    assert "--require-hashes --only-binary :all:" in DOCKERFILE
    for lock in ("requirements.lock", "requirements-image.lock"):
        pins = re.findall(r"^([\w.-]+)==[^\n]*\\\n +--hash=sha256:", (ROOT / lock).read_text(), re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[\w.-]+==", (ROOT / lock).read_text(), re.MULTILINE)) > 20


def test_build_tools_are_those_of_pyproject() -> None:
    """The lock for the image's tools has the backend that the wheel is built by."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (backend,) = project["build-system"]["requires"]
    assert backend in project["dependency-groups"]["image"]
    assert re.search(rf"^{re.escape(backend)} ", (ROOT / "requirements-image.lock").read_text(), re.MULTILINE)


def test_runs_as_nobody_in_particular() -> None:
    """A user by number that is not root, under an init, with a health check; the version is the package's."""
    (user,) = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    assert int(user) >= 1000
    assert 'ENTRYPOINT ["/usr/bin/tini", "--", "ingest"]' in DOCKERFILE
    assert 'CMD ["ingest", "check", "--live"]' in DOCKERFILE
    assert f'org.opencontainers.image.version="{__version__}"' in DOCKERFILE


def test_what_is_copied_is_let_through() -> None:
    """.dockerignore lets in what the image is made of, and no more."""
    let_in = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = {
        word
        for words in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for word in words.split()
    }
    assert let_in == copied


def test_image_is_labelled_and_confined(image: dict[str, Any]) -> None:
    """Its labels, its user, and no package index in its environment or its history."""
    config = image["Config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.version"] == __version__
    assert config["Healthcheck"]["Test"] == ["CMD", "ingest", "check", "--live"]
    history = subprocess.run(
        ["docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "PIP_INDEX_URL" not in history + json.dumps(config["Env"])


def test_image_works_on_a_read_only_file_system(image: dict[str, Any]) -> None:
    """The command runs there, reads a page in a process of its own, and has no pip."""
    assert in_container("--version") == f"ingest {__version__}\n"
    assert "ok   extraction" in in_container("check")
    assert "No module named 'pip'" in in_container("-c", "import pip", entrypoint="python")


def test_bill_of_materials_names_what_is_installed(image: dict[str, Any]) -> None:
    """The label leads to a CycloneDX file that has every distribution, and this one as its subject."""
    label = image["Config"]["Labels"]["org.cyclonedx.sbom"]
    script = (
        "import importlib.metadata as m, json; "
        f"sbom = json.load(open({label!r})); "
        "print(json.dumps([sbom['bomFormat'], sbom['metadata']['component']['name'], "
        "sorted(c['name'].lower() for c in sbom['components']), "
        "sorted(d.name.lower() for d in m.distributions())]))"
    )
    form, subject, listed, installed = json.loads(in_container("-c", script, entrypoint="python"))
    assert (form, subject) == ("CycloneDX", "ingest-worker")
    assert set(installed) == {*listed, subject}
