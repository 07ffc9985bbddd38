"""A raw server to fetch from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fetch.conftest import RawServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    """Answers as told."""
    server = RawServer()
    await server.start()
    yield server
    await server.stop()
