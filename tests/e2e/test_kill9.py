"""The promise: every URL ends once, though workers are killed by SIGKILL at random moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.driver import Plan, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_600_urls_end_once_though_workers_are_killed(tmp_path: Path) -> None:
    """600 URLs, 30 hosts, 3 workers, each killed: 600 articles, none twice, every host asked politely."""
    report = await run(Plan(urls=600, hosts=30, workers=3, kills=6, seed=7), tmp_path)
    assert report.faults == []
    assert report.kills >= 3
    assert report.ledger.figures() == {
        "accepted": 600,
        "articles": 600,
        "unchanged": 0,
        "dead": 0,
        "waiting": 0,
        "leased": 0,
        "refused": 0,
    }
