"""Events that a receiver has not got yet, and those that it refused, on the disk.

Not in the consumer group's pending list, which would serve as one: workers trim the stream only below what
every group has acknowledged, so a receiver that is down would fill Redis and stop the whole fleet. And not in
Redis: an outbox is one process's, so the disk will do, and no other memory is used.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.errors import SinkUnavailable, SinkUnusable
from worker.sinks.files import Lock, usable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

_TABLE = """
create table if not exists letters (
    seq integer primary key,
    event_key text not null unique,
    stream text not null,
    entry text not null,
    body blob not null,
    attempts integer not null default 0,
    due_s real not null,
    said text
);
create index if not exists letters_by_due on letters (due_s, seq);
create table if not exists refused (
    seq integer primary key,
    event_key text not null unique,
    stream text not null,
    entry text not null,
    body blob not null,
    attempts integer not null,
    refused_s real not null,
    said text not null
);
"""
_BUSY_S = 10.0


@dataclass(frozen=True, slots=True)
class Letter:
    """An event on its way, known by `worker.sinks.sink.key_of`.

    `body` is what is sent; `stream` and `entry` say where it came from.
    """

    event_key: str
    stream: str
    entry: str
    body: bytes
    attempts: int = 0

    @property
    def event_id(self) -> str:
        """The event's own id."""
        return self.event_key.rpartition(" ")[2]


class Outbox:
    """A file of SQLite that one process uses. All calls block; they are not to be made at the same time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock(path.with_name(f"{path.name}.lock"))
        self._database: sqlite3.Connection | None = None
        self.count = 0
        self.refused = 0

    def open(self) -> None:
        """Take the file, and make it where there is none. Raises SinkUnusable."""
        with usable(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.take()
        try:
            self._database = sqlite3.connect(
                self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._database.execute("pragma journal_mode = wal")
            self._database.executescript(_TABLE)
            self._count()
        except sqlite3.Error as error:
            raise SinkUnusable(
                f"{self.path} cannot be an outbox: {error}; choose another --outbox"
            ) from error

    def close(self) -> None:
        """Let go of it."""
        if self._database is not None:
            self._database.close()
            self._database = None
        self._lock.release()

    def add(self, letters: Sequence[Letter], now_s: float) -> int:
        """Keep these for good, those that are not there; returns how many. Raises SinkUnavailable.

        They are due at `now_s` (Unix time): others that were postponed until before then go first.
        """
        with self._written(synchronous="full") as database:
            rows = [(each.event_key, each.stream, each.entry, each.body, now_s) for each in letters]
            before = database.total_changes
            database.executemany(
                "insert or ignore into letters (event_key, stream, entry, body, due_s) "
                "values (?, ?, ?, ?, ?)",
                rows,
            )
            added = database.total_changes - before
        self.count += added
        return added

    def due(self, now_s: float, limit: int, besides: Collection[str]) -> list[Letter]:
        """The letters that are due at `now_s` (Unix time), those first that have been so for longest."""
        found = self._reading.execute(
            "select event_key, stream, entry, body, attempts from letters where due_s <= ? "
            "order by due_s, seq limit ?",
            (now_s, limit + len(besides)),
        )
        return [letter for letter in (Letter(*row) for row in found) if letter.event_key not in besides][
            :limit
        ]

    def next_due_s(self, besides: Collection[str]) -> float | None:
        """When the first of the letters is due; None if there is none."""
        found = self._reading.execute(
            "select event_key, due_s from letters order by due_s, seq limit ?", (1 + len(besides),)
        )
        return next((due_s for event_key, due_s in found if event_key not in besides), None)

    def remove(self, event_key: str) -> None:
        """Forget a letter that was delivered; a power failure may bring it back. Raises SinkUnavailable."""
        with self._written(synchronous="normal") as database:
            database.execute("delete from letters where event_key = ?", (event_key,))
        self.count -= 1

    def postpone(self, event_key: str, due_s: float, said: str) -> None:
        """One more attempt has failed: try it again at `due_s` (Unix time). Raises SinkUnavailable."""
        with self._written(synchronous="normal") as database:
            database.execute(
                "update letters set attempts = attempts + 1, due_s = ?, said = ? where event_key = ?",
                (due_s, said, event_key),
            )

    def refuse(self, event_key: str, now_s: float, said: str, *, keep: int) -> int:
        """Set a letter aside for good; of those set aside, only the last `keep` stay.

        Returns how many of them were dropped. Raises SinkUnavailable.
        """
        with self._written(synchronous="full") as database:
            database.execute(
                "insert or replace into refused (event_key, stream, entry, body, attempts, refused_s, said) "
                "select event_key, stream, entry, body, attempts + 1, ?, ? from letters where event_key = ?",
                (now_s, said, event_key),
            )
            database.execute("delete from letters where event_key = ?", (event_key,))
            dropped = database.execute(
                "delete from refused where seq in "
                "(select seq from refused order by seq desc limit -1 offset ?)",
                (keep,),
            ).rowcount
        self._count()
        return dropped

    def retry_refused(self, now_s: float) -> None:
        """Have all that were set aside sent again, as if never tried. Raises SinkUnavailable."""
        with self._written(synchronous="full") as database:
            database.execute(
                "insert or ignore into letters (event_key, stream, entry, body, due_s) "
                "select event_key, stream, entry, body, ? from refused order by seq",
                (now_s,),
            )
            database.execute("delete from refused")
        self._count()

    def _count(self) -> None:
        ((self.count, self.refused),) = self._reading.execute(
            "select (select count(*) from letters), (select count(*) from refused)"
        )

    @property
    def _reading(self) -> sqlite3.Connection:
        assert self._database is not None  # noqa: S101 - `open` comes first
        return self._database

    @contextmanager
    def _written(self, *, synchronous: str) -> Iterator[sqlite3.Connection]:
        database = self._reading
        try:
            database.execute(f"pragma synchronous = {synchronous}")
            with database:
                database.execute("begin")
                yield database
        except sqlite3.Error as error:
            raise SinkUnavailable(f"cannot write to {self.path}: {error}") from error
