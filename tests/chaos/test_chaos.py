"""Each fault alone, and some together: nothing is lost, nothing comes twice, and the account is right."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chaos.driver import run
from tests.chaos.faults import FAULTS
from tests.chaos.plan import draw

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

_URLS, _HOSTS = 60, 12
#: What workers have to tell of it, where that is certain.
_TOLD = {"disk_full": b"MISCONF", "maxmemory": b"out of memory", "redis_restart": b"redis_restored"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a short name: a socket's path is bounded."""
    made = Path(tempfile.mkdtemp(prefix="chaos-"))
    yield made
    shutil.rmtree(made)


def _log(folder: Path) -> bytes:
    return b"".join(log.read_bytes() for log in folder.glob("worker-*.log"))


@pytest.mark.parametrize("fault", FAULTS)
async def test_one_fault_alone_loses_and_repeats_nothing(folder: Path, fault: str) -> None:
    """Each URL that was sent ends once, whatever one thing goes wrong, and it did go wrong."""
    report = await run(draw(17, only=[fault], urls=_URLS, hosts=_HOSTS), folder)
    assert report.faults == []
    assert report.struck[fault] or report.skipped
    assert _TOLD.get(fault, b"") in _log(folder)


@pytest.mark.parametrize("seed", [2, 5])
async def test_faults_together_lose_and_repeat_nothing(folder: Path, seed: int) -> None:
    """Each URL that was sent ends once, though several things go wrong at once."""
    report = await run(draw(seed, urls=_URLS, hosts=_HOSTS), folder)
    assert report.faults == []


def test_a_plan_is_a_function_of_its_seed() -> None:
    """A failing seed can be replayed, and what is not synced is never killed with its server."""
    plans = [draw(seed) for seed in range(300)]
    assert plans == [draw(seed) for seed in range(300)]
    assert {name for plan in plans for name in plan.faults} == set(FAULTS)
    assert not any(plan.appendfsync != "always" and "redis_restart" in plan.faults for plan in plans)
