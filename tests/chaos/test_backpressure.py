"""A consumer group that reads nothing: `python -m tests.chaos.backpressure` at a small scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.backpressure import Plan, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.mark.parametrize(
    ("limits", "why"),
    [({"max_backlog": 500}, "backlog"), ({"memory_bytes": 64_000_000}, "memory")],
    ids=["backlog", "memory"],
)
async def test_claiming_pauses_and_resumes_and_nothing_is_lost(
    tmp_path: Path, limits: dict[str, int], why: str
) -> None:
    """At the limit claiming pauses, nothing is trimmed, the queue grows; acknowledged, all URLs end once."""
    plan = Plan(urls=1_600, pushed_while_paused=200, go_on=None, patience_s=100, **limits)
    report = await run(plan, tmp_path)
    assert report.seen.faults == []
    assert set(report.paused) == {why}
    assert report.ledger.figures() | {"articles": 1_800, "waiting": 0} == report.ledger.figures()
