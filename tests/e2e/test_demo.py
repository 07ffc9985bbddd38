"""The first thing that anyone runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_demo_ends_as_expected(tmp_path: Path) -> None:
    """Every URL of the sample site ends as its catalogue says, and the ledger balances."""
    ran = run("demo", data_dir=str(tmp_path))
    assert ran.code == 0, ran.out
    assert "43 URLs in" in ran.out
    assert "43 as expected" in ran.out
    assert "40 accepted = 25 articles + 0 unchanged + 15 dead + 0 waiting + 0 leased  balanced" in ran.out
    assert "Where to look next" in ran.out
