"""The promise: every URL ends once, though workers are killed by SIGKILL at random moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.driver import run
from tests.chaos.plan import Plan, Strike

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_600_urls_end_once_though_workers_are_killed(tmp_path: Path) -> None:
    """600 URLs, 30 hosts, 3 workers, six of them killed: each URL ends once, every host is asked politely."""
    kills = tuple(Strike("kill", at_s) for at_s in (1.5, 3.1, 4.4, 6.2, 7.3, 9.0))
    plan = Plan(urls=600, hosts=30, workers=3, strikes=kills, feed_s=8, seed=7, patience_s=200)
    report = await run(plan, tmp_path)
    assert report.faults == []
    assert report.struck["kill"] == 6
    assert report.ledger.accepted == 600
