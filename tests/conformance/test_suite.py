"""The short form of the conformance suite: the scripts over every server that is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance import __main__ as command
from tests.conformance.binaries import missing
from tests.conformance.suite import MATRIX, SHORT, Result, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", [name for name in MATRIX if name != "embedded"])
def test_every_server_keeps_the_contract(name: str, tmp_path: Path) -> None:
    """Claims, ends and admissions mean the same on that server as on the embedded one."""
    if why := missing(name.partition("/")[0]):
        pytest.skip(why)
    result = run(name, tmp_path / "report.xml", SHORT)
    assert result.good, result


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result("redis-8", "Redis 8.2.1", passed=9), 0),
        (Result("redis-8", "Redis 8.2.1", passed=9, failed=1), 1),
        (Result("redis-8", "Redis 8.2.1", skipped=9), 1),
        (Result("redis-8", "", why="redis-8 is not here"), 1),
    ],
)
def test_nothing_run_is_no_success(monkeypatch: pytest.MonkeyPatch, result: Result, code: int) -> None:
    """`make conformance` vouches for a server only if its tests were run over it, and passed."""
    monkeypatch.setattr("sys.argv", ["conformance", "--no-fetch", result.name])
    monkeypatch.setattr(command, "run", lambda *_: result)
    assert command.main() == code
