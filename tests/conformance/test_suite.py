"""The short form of the conformance suite: the scripts over every server that is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.binaries import missing
from tests.conformance.suite import MATRIX, SHORT, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", [name for name in MATRIX if name != "embedded"])
def test_every_server_keeps_the_contract(name: str, tmp_path: Path) -> None:
    """Claims, ends and admissions mean the same on that server as on the embedded one."""
    if why := missing(name.partition("/")[0]):
        pytest.skip(why)
    result = run(name, tmp_path / "report.xml", SHORT)
    assert result.good, result
