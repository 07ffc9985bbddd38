"""docker-compose.yml and .env.example: sound, confined, and in step with each other and with the worker."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chaos.fleet import ROOT, clean_environ
from tests.deploy.programs import output_of, program
from worker.cli.entry import COMMANDS
from worker.settings import Settings
from worker.settings.hosts_file import read_hosts_file

COMPOSE = re.sub(r"^ *#.*\n", "", (ROOT / "docker-compose.yml").read_text(), flags=re.MULTILINE)
EXAMPLE = (ROOT / ".env.example").read_text()
PROFILES = ("example", "demo", "monitoring", "tools")
#: Those whose image writes where it likes, and which no test of ours runs.
FOREIGN = {"vector", "loki", "grafana"}
#: README, Figures: what all processes of a worker held at most.
TREE_BYTES = 201_000_000
#: What docker-compose and tests know it by: `${NAME}`, `${NAME:-default}`, `${NAME:?fault}`.
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])((?:[^{}]|\{[^}]*\})*))?\}")


def environment(tmp_path: Path) -> dict[str, str]:
    """What deploy/new-env.sh writes, as variables."""
    written = subprocess.run(
        ["sh", ROOT / "deploy/new-env.sh"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    lines = [line.partition("=") for line in written.splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in lines}


def default_of(text: object) -> str:
    """A value as it is while no variable is set."""
    return VARIABLE.sub(lambda found: found[3] or "", str(text))


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """Every service, its anchors resolved, its variables not."""
    return dict(yaml.safe_load(COMPOSE)["services"])


def test_docker_compose_takes_the_file(tmp_path: Path) -> None:
    """It is valid with all profiles, and not without passwords."""
    compose = program("docker-compose")
    nothing = tmp_path / "nothing.env"
    nothing.touch()
    profiles = [word for profile in PROFILES for word in ("--profile", profile)]
    command = (
        compose,
        "-f",
        str(ROOT / "docker-compose.yml"),
        "--env-file",
        str(nothing),
        *profiles,
        "config",
    )
    assert "\n  grafana:\n" in output_of(*command, environ=clean_environ() | environment(tmp_path))
    without = subprocess.run(command, env=clean_environ(), capture_output=True, text=True, check=False)
    assert without.returncode != 0
    assert "make env writes a .env" in without.stderr


def test_every_image_has_a_version(services: dict[str, dict[str, Any]]) -> None:
    """No `latest`, said or not: what runs tomorrow is what ran today."""
    for name, service in services.items():
        _, _, default = next(iter(VARIABLE.findall(service["image"])))
        assert re.search(r":v?\d", default), f"{name}: {default}"


def test_every_service_is_confined(services: dict[str, dict[str, Any]]) -> None:
    """No capability, no new privilege, a bounded log; nothing to write to but volumes; ports of loopback."""
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert service.get("read_only") or name in FOREIGN, name
        assert "container_name" not in service, name
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), f"{name}: {port}"


def test_only_the_demo_may_fetch_from_loopback(services: dict[str, dict[str, Any]]) -> None:
    """`INGEST_ALLOW_NETWORKS` is given to no other service."""
    allowed = {
        name: networks
        for name, service in services.items()
        if (networks := service.get("environment", {}).get("INGEST_ALLOW_NETWORKS"))
    }
    assert allowed == {"demo-worker": "127.0.1.0/24"}


def test_workers_have_time_to_drain(services: dict[str, dict[str, Any]]) -> None:
    """SIGKILL comes later than the end of the drain and of its last words."""
    ((_, _, default),) = VARIABLE.findall(services["worker"]["stop_grace_period"])
    grace_s = int(default.removesuffix("s"))
    assert grace_s >= Settings().drain_s + 10


@pytest.mark.parametrize("name", ["worker", "demo-worker"])
def test_greedy_pages_are_killed_before_the_container(services: dict[str, dict[str, Any]], name: str) -> None:
    """The processes that read pages, one of suspects too, may take all they are given at once."""
    given = {key: default_of(value) for key, value in services[name]["environment"].items()}
    children = int(given["INGEST_EXTRACT_PROCESSES"]) + 1
    most_bytes = children * int(given["INGEST_EXTRACT_MEMORY_LIMIT_BYTES"]) + TREE_BYTES
    assert default_of(services[name]["mem_limit"]) == "1g"
    assert most_bytes <= 2**30


@pytest.mark.parametrize("name", ["worker", "operator"])
def test_the_hosts_file_is_mounted(services: dict[str, dict[str, Any]], name: str) -> None:
    """Its folder, since editors put a new file in the place of the old; and it is valid as it stands."""
    mounted = [volume.split(":") for volume in services[name]["volumes"]]
    inside = {target: ROOT / source for source, target, mode in mounted if mode == "ro"}
    file = Path(default_of(services[name]["environment"]["INGEST_HOSTS_FILE"]))
    assert read_hosts_file(inside[str(file.parent)] / file.name) == {}


def test_what_somebody_typed_is_no_line_of_a_worker(services: dict[str, dict[str, Any]]) -> None:
    """Vector takes the containers of workers, and `run` ones by no label."""
    ours = {name for name, service in services.items() if service.get("labels") == {"ingest.log": "json"}}
    assert ours == {"worker", "demo-worker"}
    vector = yaml.safe_load((ROOT / "deploy/vector/vector.yaml").read_text())
    labels = vector["sources"]["workers"]["include_labels"]
    assert labels == ["ingest.log=json", "com.docker.compose.oneoff=False"]


def test_each_redis_user_is_its_service_s_own(services: dict[str, dict[str, Any]]) -> None:
    """A worker connects as `worker`, and knows no other's password; so the others."""
    users = {name: name for name in ("worker", "producer", "operator", "consumer")} | {
        "demo-feed": "producer"
    }
    for name, user in users.items():
        said = json.dumps(services[name]["environment"])
        assert set(re.findall(r"redis://(\w+):", said)) == {user}


def test_every_variable_is_explained() -> None:
    """Each `${NAME}` has a line in .env.example with the same default; no line is of an unused name."""
    defaults = {name: default for name, mark, default in VARIABLE.findall(COMPOSE) if mark == "-"}
    used = {name for name, _, _ in VARIABLE.findall(COMPOSE)}
    lines = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    handed_through = set(re.findall(r"^ +(INGEST_\w+):$", COMPOSE, re.MULTILINE))
    assert used - lines.keys() == set()
    assert lines.keys() - used == handed_through - used
    assert {name: lines[name] for name in defaults} == defaults


def test_passwords_have_no_default() -> None:
    """An absent one keeps docker-compose from starting; the example's are empty."""
    passwords = set(re.findall(r"^(\w+_PASSWORD)=$", EXAMPLE, re.MULTILINE))
    demanded = {name for name, mark, _ in VARIABLE.findall(COMPOSE) if mark == "?"}
    assert passwords == demanded == {name for name, _, _ in VARIABLE.findall(COMPOSE) if "PASSWORD" in name}


def test_new_env_draws_passwords(tmp_path: Path) -> None:
    """Each is its own, long, and of letters and digits; no two runs draw the same."""
    first, second = environment(tmp_path), environment(tmp_path)
    drawn = [*first.values(), *second.values()]
    assert len(set(drawn)) == len(drawn) == 2 * len(re.findall(r"^\w+_PASSWORD=$", EXAMPLE, re.MULTILINE))
    assert all(re.fullmatch(r"[0-9a-f]{48}", password) for password in drawn)


def test_redis_keeps_and_never_drops(services: dict[str, dict[str, Any]]) -> None:
    """An append-only file in a volume, no eviction, no password of somebody else's."""
    configuration = (ROOT / "deploy/redis/redis.conf").read_text().splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction"} <= set(configuration)
    assert any(str(volume).startswith("redis:/data") for volume in services["redis"]["volumes"])


def test_mounted_files_are_there() -> None:
    """Docker makes an empty folder of a file that is missing."""
    for path in re.findall(r"(\./[\w./-]+):/", COMPOSE):
        assert (ROOT / path).exists(), path


def test_commands_of_the_documents_name_services(services: dict[str, dict[str, Any]]) -> None:
    """What README and RUNBOOK tell to type is for services, profiles and `ingest` commands that there are."""
    there = {profile for service in services.values() for profile in service.get("profiles", [])}
    found = 0
    for document in ("README.md", "deploy/RUNBOOK.md"):
        text = (ROOT / document).read_text()
        for words in re.findall(r"docker-compose ([^|`\n]+)", text):
            assert set(re.findall(r"--profile (\w+)", words)) <= there, words
            called = re.search(r"\b(?:run --rm(?: -T)?|logs --no-color) ([\w-]+)(?: (\w+))?", words)
            if called:
                assert called[1] in services, words
                assert called[2] in {None, *COMMANDS}, words
            found += 1
    assert found > 10
