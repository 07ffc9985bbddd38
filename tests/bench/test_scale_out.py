"""`make bench-scale`: its tables, and a short run over one server and over three nodes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench import scale_out
from tests.bench.scale_out import Node, Pace, nodes_table, table
from tests.bench.workers import programs

if TYPE_CHECKING:
    from pathlib import Path


def test_table_says_what_is_missing_from_linear() -> None:
    """Beside so many times what the first fleet did for each of its workers."""
    head, *rows = table([Pace(2, 1, 100, 2.5, 200, 9), Pace(8, 1, 300, 2.5, 210, 9)])
    assert [row.split()[:4] for row in rows] == [["2", "1", "100.0", "1.00"], ["8", "1", "300.0", "0.75"]]
    assert {len(head)} == {len(row) for row in rows}


def test_table_of_nodes_names_the_one_with_the_inbox() -> None:
    """A line for each, in the cluster's order."""
    _, first, second = nodes_table([Node(2, 10, 1000, 0.5, inbox=False), Node(1, 5, 900, 0.4, inbox=True)])
    assert first.split() == ["1", "2", "10", "1,000", "0.50"]
    assert second.split() == ["2", "1", "5", "900", "0.40", "and", "the", "inbox"]


async def test_worker_that_cannot_start_is_told(tmp_path: Path) -> None:
    """What it said on stderr is what the measurement ends with."""
    with pytest.raises(RuntimeError, match="INGEST_CONCURRENCY"):
        async with programs(1, {"INGEST_CONCURRENCY": "none"}, tmp_path / "said") as workers:
            await workers[0].wait()


@pytest.mark.slow
def test_short_run_counts_pages_and_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fleets of one and two, and three nodes that each hold some of the partitions."""
    monkeypatch.setattr(scale_out, "_HOSTS", 10)
    out = tmp_path / "found.json"
    words = [
        "--workers",
        "1",
        "2",
        "--concurrency",
        "2",
        "--delay-ms",
        "20",
        "--seconds",
        "0.5",
        "--partitions",
        "6",
    ]
    scale_out.main([*words, "--json", str(out)])
    found = json.loads(out.read_text())
    assert [pace["workers"] for pace in found["workers"]] == [1, 2]
    for pace in (*found["workers"], found["cluster"]):
        assert min(pace["pages_a_s"], pace["worker_ms"], pace["redis_us"], pace["commands"]) > 0
    assert sum(node["partitions"] for node in found["nodes"]) == 6
    assert sum(node["inbox"] for node in found["nodes"]) == 1
    assert all(node["commands"] > 0 for node in found["nodes"])
