"""Events as rows of PostgreSQL, a transaction for each batch."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg

from worker.errors import SinkUnavailable, SinkUnusable
from worker.sinks.rows import article_rows, event_row, storable, touch_rows
from worker.sinks.sink import Written, key, key_of
from worker.sinks.tables import fill_meta, insert_events, probes, schema_sql, touch_article, upsert_article

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from worker.events.event import Event

_CONNECT_S = 10.0
#: For a statement: far longer than a batch takes, and an end to waiting for a server that fell silent.
_ANSWER_S = 60.0
#: Two processes that make the tables at once would fail on each other.
_CREATION_LOCK = 0x696E67657374  # "ingest"
#: Classes of SQLSTATE (PostgreSQL, appendix A). Of the event: data, integrity, and limits of the program.
_OF_EVENT = ("22", "23", "54")
#: Refused for good: who asks, which database, and what may be asked.
_REFUSED = ("0A", "28", "3D", "3F", "42")
#: Passing: connections, deadlocks, resources, locks, operators, and a standby that is not yet promoted.
_PASSING = ("08", "25006", "40", "53", "55", "57", "58")


class PostgresSink:
    """Writes into `schema`; makes it where there is none, if it may `create`."""

    owed = 0

    def __init__(self, dsn: str, *, schema: str = "ingest", create: bool = True) -> None:
        self.where = shown(dsn)
        self._dsn = dsn
        self._schema = schema
        self._create = create
        self._connection: Any = None

    async def open(self) -> None:
        """Connect, and see to the tables."""
        try:
            await self._connected()
        except SinkUnavailable as error:
            # Later, a name service that is away may come back; now, it is most often a slip of the pen.
            if isinstance(error.__cause__, socket.gaierror) and error.__cause__.errno == socket.EAI_NONAME:
                raise SinkUnusable(f"{error}: is the host's name right?") from error
            raise

    async def write(self, events: Sequence[Event]) -> Written:
        """Write the events in one transaction; those that PostgreSQL takes for no rows are rejected."""
        connection = await self._connected()
        try:
            new = await self._transaction(connection, events)
        except _Unfit as unfit:
            if len(events) == 1:
                return Written(0, rejected={events[0].id: str(unfit)})
            singly = [await self.write([event]) for event in events]
            rejected = {event_id: why for each in singly for event_id, why in each.rejected.items()}
            return Written(sum(each.new for each in singly), sum(each.repeats for each in singly), rejected)
        return Written(new, len(events) - new)

    async def attend(self) -> None:
        """There is nothing to do beside writing."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the connection."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=_CONNECT_S)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            async with self._translated():
                self._connection = await self._connect()
                await self._prepare(self._connection)
        return self._connection

    async def _connect(self) -> Any:
        try:
            return await asyncpg.connect(
                self._dsn,
                timeout=_CONNECT_S,
                command_timeout=_ANSWER_S,
                server_settings={"application_name": "ingest sink"},
            )
        except ValueError as error:  # ClientConfigurationError is one, too
            raise SinkUnusable(
                f"{self.where}: {error}; the address should be like postgresql://user@host:5432/database"
            ) from error

    async def _prepare(self, connection: Any) -> None:
        encoding = await connection.fetchval("show server_encoding")
        if encoding != "UTF8":
            raise SinkUnusable(f"{self.where} is encoded as {encoding}: make a database with ENCODING 'UTF8'")
        tables = [f"{self._schema}.{table}" for table in ("events", "articles")]
        # Asked first: whoever may only write must not fail at making what is there.
        there = [await connection.fetchval("select to_regclass($1)", table) for table in tables]
        try:
            if None in there and self._create:
                await self._make_tables(connection)
            for probe in probes(self._schema):
                await connection.execute(probe)
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
            raise SinkUnusable(
                f"the tables in {self.where} are not those that are needed ({error}): let --create make "
                "them, or make them by what --print-schema prints"
            ) from error

    async def _make_tables(self, connection: Any) -> None:
        names = await connection.fetch("select cfgname from pg_ts_config")
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _CREATION_LOCK)
            await connection.execute(schema_sql(self._schema, {row["cfgname"] for row in names}))

    async def _transaction(self, connection: Any, events: Sequence[Event]) -> int:
        """Write them all, or none. Returns how many were new. Raises _Unfit when one of them is no row."""
        async with self._translated():
            given = {key_of(event): storable(event) for event in events}
            columns = list(zip(*map(event_row, given.values()), strict=True))
            async with connection.transaction():
                rows = await connection.fetch(insert_events(self._schema), *columns)
                new = {key(row["source"], row["event_id"]) for row in rows}
                fresh = [event for known_by, event in given.items() if known_by in new]
                articles = article_rows(fresh)
                await connection.executemany(upsert_article(self._schema), articles)
                metas = [(row[0], row[-1]) for row in articles if row[-1] is not None]
                await connection.executemany(fill_meta(self._schema), metas)
                await connection.executemany(touch_article(self._schema), touch_rows(fresh))
            return len(new)

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            told = self._told(error)
            if not isinstance(told, _Unfit):
                self._drop()
            if told is error:
                raise
            raise told from error

    def _told(self, error: Exception) -> Exception:
        """What this error means: one that may pass, one that does not, one of the event; or itself."""
        said = f"{self.where}: {str(error) or type(error).__name__}"
        match error:
            case asyncpg.PostgresError() if (error.sqlstate or "").startswith(_OF_EVENT):
                return _Unfit(str(error))
            case asyncpg.PostgresError() if (error.sqlstate or "").startswith(_PASSING):
                return SinkUnavailable(said)
            case asyncpg.PostgresError() if (error.sqlstate or "").startswith(_REFUSED):
                return SinkUnusable(said)
            case OSError() | TimeoutError() | asyncpg.InternalClientError():
                return SinkUnavailable(said)
            case asyncpg.InterfaceError() if self._connection is None or self._connection.is_closed():
                return SinkUnavailable(said)
            case asyncpg.InterfaceError() | KeyError() | TypeError() | ValueError() | OverflowError():
                return _Unfit(f"{type(error).__name__}: {error}")
            case _:
                return error

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


class _Unfit(Exception):
    """An event of the batch can be no row."""


def shown(dsn: str) -> str:
    """The address for people: without user, password and options."""
    try:
        parts = urlsplit(dsn)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "PostgreSQL"
    host = f" at {parts.hostname}{port}" if parts.hostname else ""
    return f"PostgreSQL{host}, database {parts.path.lstrip('/') or '(default)'}"
