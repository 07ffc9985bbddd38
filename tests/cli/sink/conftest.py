"""The PostgreSQL of the sinks' own tests."""

from tests.sinks.conftest import database, dsn, postgres_server

__all__ = ["database", "dsn", "postgres_server"]
