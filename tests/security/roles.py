"""The users of deploy/redis/users.acl, and a real redis-server that knows them and nobody else."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from redis import Redis

from tests.chaos.fleet import ROOT
from tests.servers import RedisServer, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACL_FILE = ROOT / "deploy" / "redis" / "users.acl"
USERS = {line.split()[1]: line for line in ACL_FILE.read_text().splitlines()}
ROLES = tuple(name for name in USERS if name != "default")
#: Nobody's in the file: the test's own, who looks at everything.
_ROOT_USER = "user root on >root ~* &* +@all\n"


def commands_of(role: str) -> set[str]:
    """The commands that the file lets a role call, those with a subcommand as `xinfo|groups`."""
    return set(re.findall(r" \+(\S+)", USERS[role]))


class GuardedRedis(RedisServer):
    """A server whose users are the file's, each with its own name as its password."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        users = folder / "users.acl"
        text = "".join(f"{_with_password(line)}\n" for line in USERS.values())
        users.write_text(text + _ROOT_USER)
        super().__init__(folder, port=free_port(), options=("--aclfile", str(users)))

    def url_of(self, role: str) -> str:
        """Where that role connects, by TCP."""
        return f"redis://{role}:{role}@127.0.0.1:{self.port}/0"

    @contextmanager
    def client(self, role: str) -> Iterator[Redis]:
        """A connection as that role."""
        with Redis.from_url(self.url_of(role), protocol=2) as client:
            yield client


def say(client: Redis, *words: str | bytes | int) -> Any:
    """Send a command word by word. Raises what redis-py makes of an error reply."""
    return client.execute_command(*words)  # type: ignore[no-untyped-call]


@contextmanager
def guarded_redis(folder: Path) -> Iterator[GuardedRedis]:
    """A guarded server that runs until the block ends."""
    server = GuardedRedis(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)


def as_documented(folder: Path) -> tuple[Path, dict[str, str]]:
    """The file after all that deploy/redis/README.md tells to do with it, and the passwords by role."""
    users = folder / "users.acl"
    shutil.copy(ACL_FILE, users)
    passwords: dict[str, str] = {}
    for recipe in re.findall(r"```sh\n(.*?)```", (ACL_FILE.parent / "README.md").read_text(), re.DOTALL):
        shell = ("bash", "-euo", "pipefail", "-c", recipe)
        done = subprocess.run(shell, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
        passwords |= dict(line.split() for line in done.stdout.splitlines())
    return users, passwords


def _with_password(line: str) -> str:
    """The user's line after what deploy/redis/README.md tells to do: the hash of a password in its place."""
    name = line.split()[1]
    return re.sub(r"#0{64}", f"#{hashlib.sha256(name.encode()).hexdigest()}", line)
