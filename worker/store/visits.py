"""Visits as they are kept in Redis: `at_ms revision json`, the time put there by `finish.lua`.

There may be one for each article of the last weeks, so it says nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from worker.model import Record, Validators, Visit
from worker.urls import article_id, url_digest

if TYPE_CHECKING:
    from worker.model import Lease, Task
    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys

#: Longer validators are not kept: honest ones have some dozens of characters.
_VALIDATOR_CHARS = 512


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an article, and of which instant (Unix ms); 0 where no visit is."""

    record: Record
    as_of_ms: int


class Visits:
    """The last visit of each article, and the revision of its last published event."""

    def __init__(self, connection: Connection, keys: Keys, *, days: int) -> None:
        self._connection = connection
        self._keys = keys
        self._ttl_s = days * 86_400

    async def recall(self, lease: Lease) -> Record:
        """What is known of the task's article before it is visited."""
        return (await self.known(lease.task.url, lease.partition)).record

    async def known(self, url: str, partition: int) -> Known:
        """What is known of the article at a canonical URL, and of when."""
        args: list[Word] = [url_digest(url), article_id(url)]
        revision, kept = await self._connection.run("recall", [self._keys.tag(partition)], args)
        if not kept:
            return Known(Record(revision), 0)
        visit = _decode(kept)
        return Known(Record(revision, visit), visit.fetched_ms or int(kept.split(b" ", 1)[0]))

    def words(self, task: Task, visit: Visit | None) -> list[Word]:
        """What `finish` is told to keep; without a visit, only the task's revision."""
        if visit is not None:
            return self.words_of(task.url, visit)
        return [url_digest(task.url), task.revision, article_id(task.url), "", self._ttl_s]

    def words_of(self, url: str, visit: Visit) -> list[Word]:
        """What a script is told to keep of a visit."""
        return [url_digest(url), visit.revision, article_id(url), _encode(visit), self._ttl_s]


def _encode(visit: Visit) -> bytes:
    said = {
        "url": visit.url,
        "etag": _kept(visit.validators.etag),
        "modified": _kept(visit.validators.last_modified),
        "prints": visit.prints,
        "record": visit.record,
        "fetched_ms": visit.fetched_ms,
        "cluster": visit.cluster,
    }
    return orjson.dumps({name: value for name, value in said.items() if value})


def _decode(kept: bytes) -> Visit:
    _at_ms, revision, said = kept.split(b" ", 2)
    fields = orjson.loads(said)
    return Visit(
        revision=int(revision),
        url=fields["url"],
        validators=Validators(fields.get("etag"), fields.get("modified")),
        prints=fields["prints"],
        record=fields.get("record"),
        fetched_ms=fields.get("fetched_ms", 0),
        cluster=fields.get("cluster"),
    )


def _kept(validator: str | None) -> str | None:
    # What a server sends is sent back to it: only what is printable ASCII passes through every library.
    fits = (
        validator and len(validator) <= _VALIDATOR_CHARS and validator.isascii() and validator.isprintable()
    )
    return validator if fits else None
