"""Redis with the shipped users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.roles import GuardedRedis, guarded_redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedRedis]:
    """A server of the test's own."""
    with guarded_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture(scope="module")
def shared_guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    """A server of the module's: for what changes nothing, or is told apart by its own keys."""
    with guarded_redis(tmp_path_factory.mktemp("acl") / "redis") as server:
        yield server
