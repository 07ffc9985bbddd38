"""The model of how much a number of pages a day needs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import capacity
from tests.bench.capacity import Constants, Demand, lines, plan

pages = st.floats(1e3, 1e10)


def test_a_billion_pages_a_day() -> None:
    """By constants with which it can be done in the head."""
    costs = Constants(loop_ms=7, child_ms=7, redis_us=60, inbox_us=6, story_us=0, fetch_s=2)
    found = plan(costs, Demand(pages_a_day=86_400_000, children=2))
    assert found.pages_a_s == 1000
    assert found.worker_cores == pytest.approx(20)
    assert found.workers == 10  # 0.7 of what one event loop does in a second
    assert found.in_work == 200
    assert found.redis_cores == pytest.approx(0.1)
    assert found.inbox_share == pytest.approx(0.01)


def test_a_worker_of_few_children_is_held_up_by_them() -> None:
    """What runs out first counts: the event loop, or the extraction processes."""
    costs = Constants(loop_ms=1, child_ms=10)
    one, many = (plan(costs, Demand(children=children)).workers for children in (1, 20))
    assert one == pytest.approx(10 * many, rel=0.05)


def test_memory_asks_for_primaries_that_cpu_does_not() -> None:
    """What is kept of each article for a month is more than a server holds."""
    costs = Constants(redis_us=1)
    assert plan(costs, Demand(pages_a_day=1e6, waiting=0)).primaries == 1
    assert plan(costs, Demand(pages_a_day=1e9, visit_days=30)).primaries > 200


@given(pages, pages)
def test_more_pages_never_need_less(one: float, other: float) -> None:
    """Nothing in the plan falls as the demand rises, but for what is per worker."""
    fewer, more = (plan(Constants(), Demand(pages_a_day=count)) for count in sorted((one, other)))
    for name in ("worker_cores", "workers", "redis_cores", "redis_bytes", "primaries", "partitions"):
        assert getattr(fewer, name) <= getattr(more, name)


@given(pages)
def test_every_primary_has_partitions_to_spread(count: float) -> None:
    """Eight at least; as many as a power of two, so that a fleet can grow without another number."""
    found = plan(Constants(), Demand(pages_a_day=count))
    assert found.partitions >= 8 * found.primaries
    assert found.partitions.bit_count() == 1


def test_what_one_core_cannot_do_is_said() -> None:
    """The inbox and stories have one slot each, however many nodes there are."""
    found = plan(Constants(), Demand())
    assert "more than the one" in "\n".join(lines(replace(found, story_share=1.01)))
    assert "more than the one" not in "\n".join(lines(replace(found, story_share=1, inbox_share=1)))


def test_command_takes_every_constant(capsys: pytest.CaptureFixture[str]) -> None:
    """Each figure that another machine measured can be given."""
    capacity.main(["--pages-a-day", "86400000", "--loop-ms", "0.7", "--child-ms", "0.7", "--children", "1"])
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["pages", "a", "second", "1,000"]
    assert out[2].split() == ["worker", "processes", "1"]
