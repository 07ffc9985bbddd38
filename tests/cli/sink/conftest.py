"""The PostgreSQL of the sinks' own tests, and Redis with the shipped users."""

from tests.security.conftest import guarded
from tests.sinks.conftest import database, dsn, postgres_server

__all__ = ["database", "dsn", "guarded", "postgres_server"]
