"""When a worker counts as alive, decided from figures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from worker.clock import FakeClock
from worker.extract.pool import ExtractionPool
from worker.ops.health import longest_lease_s, not_live
from worker.ops.shared_answer import SharedAnswer
from worker.ops.vitals import Vitals
from worker.settings import Settings
from worker.telemetry.pulse import Pulses
from worker.telemetry.stats import Stats

if TYPE_CHECKING:
    from worker.store.connection import Connection

SETTINGS = Settings()


@dataclass
class Steady:
    """A connection whose Redis has been there for so long."""

    steady_s: float = 1e6
    trouble: str = ""


@dataclass
class Leases:
    """Two URLs in work, of which none has ended for so long."""

    stalled_s: float = 0.0

    def __len__(self) -> int:
        return 2


@dataclass
class Parts:
    """A worker at work."""

    in_work: Leases = field(default_factory=Leases)
    stats: Stats = field(default_factory=lambda: Stats(FakeClock()))
    pool: ExtractionPool = field(
        default_factory=lambda: ExtractionPool(processes=1, timeout_s=1, memory_limit_bytes=2**30)
    )


@dataclass
class Patient:
    """A worker whose figures a test sets."""

    clock: FakeClock
    redis: Steady = field(default_factory=Steady)
    parts: Parts = field(default_factory=Parts)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.pulses = Pulses(self.clock)
        connection = cast("Connection", self.redis)
        self.vitals = Vitals(SETTINGS, "one", connection, self.pulses, self.stopping, self.parts)

    @property
    def faults(self) -> list[str]:
        return not_live(self.vitals)


@pytest.fixture
def patient(clock: FakeClock) -> Patient:
    """Alive and well."""
    return Patient(clock)


def test_a_loop_that_hangs_is_named(patient: Patient) -> None:
    """A loop may pause as long as it does, and some time more; then it is overdue until it turns again."""
    beat = patient.pulses.of("runner", every_s=1)
    patient.pulses.of("reaper", every_s=100)
    patient.clock.advance(33)
    assert patient.faults == []
    patient.clock.advance(1)
    assert patient.faults == ["the runner has not turned for 34 s"]
    beat()
    assert patient.faults == []


def test_redis_away_excuses_every_loop(patient: Patient) -> None:
    """Loops wait for Redis as they should, and have their usual time once it is back."""
    patient.pulses.of("runner", every_s=1)
    patient.clock.advance(1000)
    patient.redis.steady_s = 0
    patient.parts.in_work.stalled_s = 1000
    assert patient.faults == []
    patient.redis.steady_s = 20
    assert patient.faults == []
    patient.redis.steady_s = 40
    assert patient.faults == ["the runner has not turned for 1000 s"]


def test_a_drain_excuses_loops_that_it_ends(patient: Patient) -> None:
    """After the signal only the keeper goes on, and it must."""
    patient.pulses.of("runner", every_s=1)
    patient.pulses.of("keeper", every_s=20, in_drain=True)
    patient.parts.in_work.stalled_s = 1000
    patient.stopping.set()
    patient.clock.advance(80)
    assert patient.faults == []
    patient.clock.advance(20)
    assert patient.faults == ["the keeper has not turned for 100 s"]


def test_work_in_which_nothing_ends_is_no_progress(patient: Patient) -> None:
    """URLs in work end within what a lease can take; without any, nothing is expected."""
    longest_s = longest_lease_s(SETTINGS)
    patient.parts.in_work.stalled_s = longest_s
    assert patient.faults == []
    patient.parts.in_work.stalled_s = longest_s + 1
    assert patient.faults == [f"none of 2 URLs in work has ended for {longest_s + 1:.0f} s"]
    patient.vitals.parts = None
    assert patient.faults == []


async def test_however_many_ask_one_question_is_asked(clock: FakeClock) -> None:
    """Answers are shared while they are young, and kept longer the longer they took."""
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await clock.sleep(took_s)
        return asked

    took_s = 0.0
    answer = SharedAnswer(ask, max_age_s=2, clock=clock)
    assert await asyncio.gather(*(answer.get() for _ in range(50))) == [1] * 50
    clock.advance(1.9)
    assert await answer.get() == 1
    took_s = 5.0
    clock.advance(0.1)
    assert await answer.get() == 2
    clock.advance(9.9)
    assert await answer.get() == 2
    clock.advance(0.1)
    assert await answer.get() == 3
