"""One project of docker-compose, under a name of its own."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from tests.chaos.fleet import ROOT, clean_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Building is the longest: wheels from an index, packages of Debian.
_PATIENCE_S = 900
_LOOK_EVERY_S = 0.3
_T = TypeVar("_T")
_NEITHER = "neither docker-compose nor `docker compose` is there (Debian: docker.io, docker-compose)"


class NoDocker(Exception):
    """What is missing on this machine."""


class StepFailed(Exception):
    """A command that should have worked, or something that should have come to be."""


def compose_command() -> list[str]:
    """docker-compose, or `docker compose`. Raises NoDocker."""
    docker = shutil.which("docker")
    if docker is None:
        raise NoDocker("there is no docker on PATH (Debian: docker.io)")
    if subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        raise NoDocker(
            "docker is there, and no dockerd that answers it: start it, or see its socket's rights"
        )
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [docker, "compose"]
    raise NoDocker(_NEITHER)


class Project:
    """docker-compose.yml with another file over it, and the environment that .env would be."""

    def __init__(self, command: Sequence[str], name: str, override: str, environ: Mapping[str, str]) -> None:
        """`command` is what `compose_command` found."""
        # What .env says, if there is one, is not for a test.
        options = ("-p", name, "--env-file", ".env.example", "-f", "docker-compose.yml", "-f", override)
        self._compose = [*command, *options]
        self._environ = clean_environ() | dict(environ)
        self.name = name

    def compose(self, *words: str, stdin: str = "") -> str:
        """Stdout of a command of docker-compose. Raises StepFailed, with what it said, unless it works."""
        return self._run([*self._compose, *words], stdin)

    def shell(self, script: str) -> str:
        """Stdout of a shell in which `docker-compose` is for this project. Raises StepFailed."""
        ours = f'docker-compose() {{ command {shlex.join(self._compose)} "$@"; }}\n'
        return self._run(["bash", "-euo", "pipefail", "-c", ours + script], stdin="")

    def docker(self, *words: str, stdin: str = "") -> str:
        """Stdout of a command of docker. Raises StepFailed."""
        return self._run(["docker", *words], stdin)

    def _run(self, command: Sequence[str], stdin: str) -> str:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self._environ,
            timeout=_PATIENCE_S,
            check=False,
        )
        if done.returncode:
            said = "\n".join(f"  {line}" for line in (done.stdout + done.stderr).splitlines()[-30:])
            raise StepFailed(f"{' '.join(command)} ended with {done.returncode}\n{said}")
        return done.stdout

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers that run."""
        filters = [
            f"label=com.docker.compose.{key}" for key in (f"project={self.name}", f"service={service}")
        ]
        found = self.docker("ps", "--no-trunc", "-q", *(word for each in filters for word in ("-f", each)))
        return found.split()

    def looked_at(self, container: str) -> dict[str, Any]:
        """All that docker knows of it."""
        (found,) = orjson.loads(self.docker("inspect", container))
        return dict(found)

    def address(self, container: str, port: int) -> str | None:
        """Where that port of it is published: host:port of this machine."""
        published = self.looked_at(container)["NetworkSettings"]["Ports"].get(f"{port}/tcp")
        return f"127.0.0.1:{published[0]['HostPort']}" if published else None


def until(what: str, look: Callable[[], _T | None], patience_s: float = 90) -> _T:
    """Look until there is something. Raises StepFailed when there is nothing in time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(_LOOK_EVERY_S)
    raise StepFailed(f"{what}: not within {patience_s:.0f} s")
