"""The open web at its worst: one real worker process against every row of the hostile tables."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.chaos.hostile.onslaught import RESPONSES, ROWS, Damage, onslaught
from tests.chaos.hostile.urls import URLS
from worker.outcomes import outcome

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

    from tests.chaos.hostile.urls import HostileUrl
    from tests.chaos.hostile.wire import Hostile

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_MEMORY_BYTES = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def damage(tmp_path_factory: pytest.TempPathFactory) -> Damage:
    """What all rows together did to one worker; run once. Short folder name: a socket's path is bounded."""
    return asyncio.run(onslaught(tmp_path_factory.mktemp("h")))


def _parameter(row: Hostile | HostileUrl) -> ParameterSet:
    marks = [pytest.mark.xfail(reason=row.fault, strict=True)] if row.fault else []
    return pytest.param(row.name, id=row.name, marks=marks)


@pytest.mark.parametrize("name", [_parameter(row) for row in ROWS.values()])
def test_each_row_ends_once_and_as_expected(damage: Damage, name: str) -> None:
    """Whatever a host does, or a URL says, exactly one terminal event comes of it, with the right reason."""
    ends = damage.ends.get(name, [])
    assert len(ends) == 1, f"{ends}"
    assert ends[0] in ROWS[name].ends.split("|"), damage.errors.get(name)


def test_no_private_address_is_reached(damage: Damage) -> None:
    """The canaries, which listen where every trick leads to, see no connection."""
    assert damage.reached == []


def test_the_worker_lives_and_works_on(damage: Damage) -> None:
    """One process goes through all of it, publishes a good page afterwards, and ends well when asked."""
    assert damage.survived
    assert damage.published_after
    assert damage.ledger.balanced
    assert damage.ledger.settled
    assert "reaped" not in damage.ledger.traffic


def test_the_log_and_stderr_hold_no_surprise(damage: Damage) -> None:
    """Every line fits the catalogue, stderr is empty, and the hosts themselves had no fault."""
    assert damage.faults == []


def test_no_row_is_a_fault_of_ours(damage: Damage) -> None:
    """No row makes the worker stumble over itself: an internal error is our fault, whoever provoked it."""
    assert {name: damage.errors[name] for name, ends in damage.ends.items() if "internal" in ends} == {}


def test_memory_stays_near_the_idle_size(damage: Damage) -> None:
    """The most that the worker process ever held is within 64 MB of what it holds when idle."""
    assert damage.peak_bytes - damage.idle_bytes <= _MEMORY_BYTES


def test_the_tables_hold_what_was_promised() -> None:
    """At least 60 responses and 40 URLs, each of a name of its own, with reasons that exist."""
    assert len(RESPONSES) >= 60
    assert len(URLS) >= 40
    assert len(ROWS) == len(RESPONSES) + len(URLS)
    for row in ROWS.values():
        for end in row.ends.split("|"):
            assert end == "article" or outcome(end).reason == end
