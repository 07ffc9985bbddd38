"""Poison among good URLs, at a small scale: `python -m tests.chaos.poison` is the large one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.poison import Plan, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
async def test_poison_is_buried_and_no_good_url_with_it(tmp_path: Path) -> None:
    """Pages that stall, overfill or kill what reads them end as documented; all others are articles."""
    plan = Plan(good=200, each=4, hosts=20, workers=2, max_crashes=2, lease_s=1.0, patience_s=60)
    report = await run(plan, tmp_path)
    assert report.faults == []
    assert report.ledger.figures() | {"articles": 200, "dead": 12} == report.ledger.figures()
    assert report.workers_killed > 0
    assert report.suspects_killed > 0
    assert report.children_killed >= 16  # stall and glut are read twice each
