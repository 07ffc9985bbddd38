"""In the place of docker-compose, systemd and kubectl, for whoever types the runbook's words in a test.

Run as `python tests/deploy/supervisors.py PROGRAM WORDS…`. What it is asked must fit the files of `deploy/`;
what is to run in a container, a unit or a pod runs here, with the environment that it would have there.
In ours, FOLDER has the log and the files of environments, OPERATOR_URL is where the operator connects.
Each call is a line of FOLDER/calls.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("FOLDER", "."))
OPERATOR_URL = os.environ.get("OPERATOR_URL", "")
_UNIT = re.compile(r"ingest(\.service|@\d+|\*)?")


class Unknown(Exception):
    """Words that the program would not take, or that name what is not there."""


def become(*command: str, **environ: str) -> None:
    """Run a command in this process's place."""
    os.execvpe(command[0], command, os.environ | environ)  # noqa: S606 - what the runbook types


def tell(*lines: str) -> None:
    """What the program would say."""
    print(*lines, sep="\n")


def docker_compose(words: list[str]) -> None:
    """Services, and what runs in them, are those of docker-compose.yml."""
    services = re.findall(r"^  ([\w-]+):", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    assert {"operator", "redis", "worker"} <= set(services)
    match words:
        case ["run", "--rm", "-T", "operator", *rest]:
            become("ingest", *rest, INGEST_REDIS_URL=OPERATOR_URL)
        case ["exec", "-T", "redis", "sh", "-c", *rest]:
            become("sh", "-c", *rest, REDIS_OPERATOR_PASSWORD="operator")
        case ["logs", "--no-color", "--no-log-prefix", "worker"]:
            become("cat", str(FOLDER / "worker.log"))
        case ["ps", "-q", "worker"]:
            tell("0123456789ab")
        case ["ps" | "restart", "worker"] | ["kill", "-s", "HUP", "worker"]:
            tell("done")
        case ["up", "-d", "--no-build", "--no-recreate", "--scale", number, "worker"]:
            if not re.fullmatch(r"worker=\d+", number):
                raise Unknown(number)
        case _:
            raise Unknown


def kubectl(words: list[str]) -> None:
    """Names and labels are those of the base and its overlay."""
    base = ROOT / "deploy/k8s/base"
    assert "name: ingest-worker\n" in (base / "deployment.yaml").read_text()
    match words:
        case ["apply", "-k", overlay]:
            assert (ROOT / overlay / "kustomization.yaml").exists()
        case ["-n", "news", "exec", "-i", "deployment/ingest-worker", "--", *command]:
            become(
                *command, INGEST_OPS_REDIS_URL=OPERATOR_URL, INGEST_REDIS_URL="redis://nobody:x@127.0.0.1:1"
            )
        case ["-n", "news", "logs", "-l", label, "--tail=-1", "--max-log-requests=50"]:
            assert label.replace("=", ": ") in (base / "deployment.yaml").read_text()
            become("cat", str(FOLDER / "worker.log"))
        case ["-n", "news", "get", "pods", "-l", label, "-o", columns]:
            assert label.replace("=", ": ") in (base / "deployment.yaml").read_text()
            assert re.fullmatch(r"custom-columns=([A-Z_]+:[.\w\[\]]+,?)+", columns)
        case ["-n", "news", "rollout", "restart" | "status", "deployment/ingest-worker"]:
            pass
        case ["-n", "news", "get", "scaledobject/ingest-worker"]:
            pass
        case ["-n", "news", "patch", "scaledobject/ingest-worker", "--type=merge", "-p", patch]:
            assert json.loads(patch)["spec"].keys() == {"minReplicaCount"}
        case _:
            raise Unknown
    tell("done")


def systemd_run(words: list[str]) -> None:
    """The files are those that the runbook has made; what they say is in the command's environment."""
    options = [word for word in words if word.startswith("-")][:6]
    assert options[:4] == ["--quiet", "--collect", "--pipe", "--wait"]
    command = words[words.index("-p") :]
    given: dict[str, str] = {}
    while command[0] == "-p":
        name, _, value = command[1].partition("=")
        if name == "EnvironmentFile":
            lines = (FOLDER / value.removeprefix("/")).read_text().splitlines()
            given |= dict(line.split("=", 1) for line in lines)
        command = command[2:]
    assert command[0].startswith("/opt/ingest/.venv/bin/")
    become(Path(command[0]).name, *command[1:], **given)


def systemctl(words: list[str]) -> None:
    """Units are those of the file deploy/systemd/ingest.service under its two names."""
    match words:
        case ["enable", "--now", *units] | ["restart" | "reload", *units] | ["show", *units, "-p", _] if (
            units
        ):
            assert all(_UNIT.fullmatch(unit) for unit in units)
            tell("done")
        case _:
            raise Unknown


def journalctl(words: list[str]) -> None:
    """The unit's messages, as the worker wrote them."""
    if words != ["-u", "ingest*", "-o", "cat", "--no-pager", "--since=-1day"]:
        raise Unknown
    become("cat", str(FOLDER / "worker.log"))


def docker(words: list[str]) -> None:
    """`inspect`, of what `ps -q` told."""
    assert (words[:2], words[3:]) == (["inspect", "--format"], ["0123456789ab"])
    tell("done")


def redis_cli(words: list[str]) -> None:
    """As that user, who is asked for a password."""
    assert (words[:2], os.environ["REDISCLI_AUTH"]) == (["--user", "operator"], "operator")
    program = "import os, redis, sys; print(redis.Redis.from_url(sys.argv[1]).execute_command(*sys.argv[2:]))"
    become(sys.executable, "-c", program, OPERATOR_URL, *words[2:])


PROGRAMS = {
    "docker": docker,
    "docker-compose": docker_compose,
    "journalctl": journalctl,
    "kubectl": kubectl,
    "redis-cli": redis_cli,
    "systemctl": systemctl,
    "systemd-run": systemd_run,
}


if __name__ == "__main__":
    with (FOLDER / "calls").open("a") as calls:
        print(*sys.argv[1:], file=calls)
    PROGRAMS[sys.argv[1]](sys.argv[2:])
