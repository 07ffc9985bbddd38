"""axe-core, which finds what keeps people from using a page: the file `TEST_AXE`, or npm fetches it once."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.ops.browser import Tab

_VERSION = "4.14.1"
_MEMBER = "package/axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_source() -> str:
    """The script. Skips the test, and says why, where it cannot be had."""
    if named := os.environ.get("TEST_AXE"):
        return Path(named).read_text()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "ingest-tests"
    package = folder / f"axe-core-{_VERSION}.tgz"
    if not package.exists():
        _fetch(folder)
    with tarfile.open(package) as archive:
        file = archive.extractfile(_MEMBER)
        assert file is not None
        return file.read().decode()


async def violations(tab: Tab) -> list[str]:
    """What axe finds in the page as it is now: rule, and where."""
    if not await tab.value("typeof axe !== 'undefined'"):
        await tab.value(await asyncio.to_thread(axe_source) + "; true")
    options = json.dumps({"runOnly": _RULES, "resultTypes": ["violations"]})
    found: dict[str, Any] = await tab.value(
        f"axe.run(document, {options}).then((all) => ({{...all, passes: all.passes.length}}))"
    )
    assert found["passes"] > 10  # it looked
    return [
        f"{rule['id']} ({rule['help']}): {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def _fetch(folder: Path) -> None:
    """By npm, which checks what it gets; written under another name first, since tests run side by side."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no axe: TEST_AXE is not set, and there is no npm to fetch it")
    own = folder / str(os.getpid())
    own.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"axe-core@{_VERSION}", "--silent", "--fetch-retries=0", "--fetch-timeout=20000"]
    try:
        done = subprocess.run(command, cwd=own, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            pytest.skip(f"no axe: npm could not fetch it: {done.stderr.strip()[-200:]}")
        (own / f"axe-core-{_VERSION}.tgz").replace(folder / f"axe-core-{_VERSION}.tgz")
    except subprocess.TimeoutExpired:
        pytest.skip("no axe: npm did not fetch it within a minute")
    finally:
        shutil.rmtree(own)
