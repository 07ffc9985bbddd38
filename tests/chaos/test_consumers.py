"""Consumers that are killed over and over handle every event."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chaos.consumer_mutations import MUTATIONS
from tests.chaos.consumers import run
from tests.chaos.mutations import Mutation, mutated

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a short name: a socket's path is bounded."""
    made = Path(tempfile.mkdtemp(prefix="chaos-"))
    yield made
    shutil.rmtree(made)


@pytest.mark.slow
async def test_killed_consumers_skip_nothing(folder: Path) -> None:
    """Each event is handled at least once, twice only after a kill or a stop, and the lag ends at 0."""
    this = await run(17, 15, folder)
    assert this.faults == []
    assert this.strikes["kill"] == 15
    assert this.taken_over > 0


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutations_fit_the_code(mutation: Mutation, folder: Path) -> None:
    """Each text that a mutation replaces is there, once."""
    assert mutated(mutation, folder / "mutant").is_dir()
