"""The feeds that the fleet watches: who looks at which one now, and which of its entries were pushed.

claim → look → push (some at a time) → finish. All of it is fenced by the lease's token: a feeder that lost
its lease pushes nothing. One that dies in between leaves what it has pushed remembered, and the rest new.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from worker.model import Validators

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys

_DAY_MS = 86_400_000
#: Entries kept of a feed, whatever their age: twice what a sitemap may hold.
MOST_SEEN = 100_000
#: Sitemaps watched under one index, at any depth: no site takes the room of all others.
MOST_OF_ROOT = 10_000


class Added(IntEnum):
    """What became of an attempt to watch a feed."""

    FULL = -2
    ENDED = -1
    KNOWN = 0
    NEW = 1


@dataclass(frozen=True, slots=True)
class WatchedFeed:
    """What is known of a feed. Times are Unix milliseconds of Redis' clock; 0 is never."""

    id: str
    url: str
    due_ms: int | None = None  # None: it has ended
    kind: str = ""
    title: str = ""
    state: str = "active"  # or `ended`
    moved_to: str = ""  # where it answers now, by a permanent redirect
    parent: str = ""  # the id of the sitemap index that it is of
    root: str = ""  # the id of the outermost such index, which counts it while it has not ended
    skip_present: bool = False  # what it holds at the first look is only remembered
    validators: Validators = field(default_factory=Validators)
    interval_s: float = 0.0
    asked_s: float = 0.0  # how long the feed itself asks to be left alone
    failures: int = 0  # in a row
    crashes: int = 0  # feeders that vanished in a row while looking
    error: str = ""
    entries: int = 0  # at the last look that worked
    pushed: int = 0  # URLs, ever
    added_ms: int = 0
    looked_ms: int = 0
    worked_ms: int = 0  # the last look that worked
    leased: bool = False

    @property
    def address(self) -> str:
        """Where to ask for it."""
        return self.moved_to or self.url


@dataclass(frozen=True, slots=True)
class FeedLease:
    """The right to look at a feed."""

    feed: WatchedFeed
    token: str


class LeaseLost(Exception):
    """Another feeder has the feed now, or it is watched no longer; `step` is what found that."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


def feed_id(url: str) -> str:
    """The id of the feed at the canonical `url`: 16 hex digits."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


class Feeds:
    """The fleet's feeds."""

    def __init__(
        self, connection: Connection, keys: Keys, *, lease_s: float = 60.0, seen_days: int = 90
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._lease_ms = int(lease_s * 1000)
        self._forget_ms = seen_days * _DAY_MS

    async def add(
        self,
        url: str,
        *,
        fields: Mapping[str, Word] | None = None,
        delay_s: float = 0.0,
        revive: bool = True,
        root: str = "",
        most: int = MOST_OF_ROOT,
    ) -> Added:
        """Watch the feed at the canonical `url`, from `delay_s` on. One that is watched stays as it is.

        One that has ended is watched again only to `revive` it. One that was found under the feed of the id
        `root` is not, where that has `most` already, or is watched no longer.
        """
        said: dict[str, Word] = {"url": url, "state": "active", **(fields or {})}
        words = [word for pair in said.items() for word in pair]
        args: list[Word] = [feed_id(url), int(delay_s * 1000), int(revive), root, most, *words]
        return Added(await self._connection.run("feed_add", [self._keys.feeds], args))

    async def remove(self, identity: str) -> bool:
        """Watch it no longer, and forget all about it; False where it was not watched."""
        return bool(await self._connection.run("feed_remove", [self._keys.feeds], [identity]))

    async def find(self, identity: str) -> WatchedFeed | None:
        """The feed with that id."""
        reply = await self._connection.command("HGETALL", self._keys.feed(identity))
        if not reply:
            return None
        due = await self._connection.command("ZSCORE", self._keys.feeds, identity)
        return _feed(identity, {_text(name): _text(value) for name, value in reply.items()}, due)

    async def all(self) -> AsyncIterator[WatchedFeed]:
        """Every feed, the next due first; those that have ended come last."""
        for identity in await self._connection.command("ZRANGE", self._keys.feeds, 0, -1):
            if feed := await self.find(_text(identity)):
                yield feed

    async def count(self) -> int:
        """How many there are."""
        return int(await self._connection.command("ZCARD", self._keys.feeds))

    async def claim(self) -> FeedLease | float | None:
        """The feed that is most overdue; else in how many seconds one is due, or None where none ever is."""
        token = secrets.token_hex(8)
        wait_ms, *rest = await self._connection.run("feed_claim", [self._keys.feeds], [token, self._lease_ms])
        if not rest:
            return wait_ms / 1000 if wait_ms >= 0 else None
        identity, *words = map(_text, rest)
        said = dict(zip(words[::2], words[1::2], strict=True))
        return FeedLease(_feed(identity, said, 0), token)

    async def extend(self, lease: FeedLease) -> bool:
        """Keep the lease for another `lease_s`; False where it was lost."""
        return bool(
            await self._connection.run("feed_extend", [self._keys.feeds], [lease.token, self._lease_ms])
        )

    async def look(self, lease: FeedLease, digests: Sequence[bytes]) -> list[int] | None:
        """The indices of those entries that are new; None where the lease was lost."""
        held, *new = await self._connection.run("feed_look", [self._keys.feeds], [lease.token, *digests])
        return new if held else None

    async def push(self, lease: FeedLease, entries: Sequence[tuple[bytes, bytes]]) -> int | None:
        """Put the new ones of these entries, (digest, item), into the queue, and remember them.

        Entries whose item is empty are only remembered. Returns how many were pushed under this lease so
        far; None where it was lost.
        """
        words = [word for entry in entries for word in entry]
        reply = await self._connection.run(
            "feed_push", [self._keys.feeds, self._keys.queue], [lease.token, *words]
        )
        return None if reply < 0 else int(reply)

    async def finish(
        self, lease: FeedLease, *, due_s: float | None, fields: Mapping[str, Word], read: bool = False
    ) -> bool:
        """End the lease, keep `fields` (empty ones are dropped), and look again in `due_s`; None: never.

        Entries that left the feed long ago are forgotten if its document was `read`: a 304 and a failure say
        nothing of what stands in it. False where the lease was lost, and then nothing was written.
        """
        due_ms = -1 if due_s is None else int(due_s * 1000)
        words = [word for pair in fields.items() for word in pair]
        args: list[Word] = [lease.feed.id, lease.token, due_ms, self._forget_ms, MOST_SEEN, int(read), *words]
        return bool(await self._connection.run("feed_finish", [self._keys.feeds], args))


def _feed(identity: str, said: Mapping[str, str], due: object) -> WatchedFeed:
    score = float(due) if isinstance(due, bytes | str | int | float) else float("inf")
    return WatchedFeed(
        id=identity,
        url=said.get("url", ""),
        due_ms=None if score == float("inf") else int(score),
        kind=said.get("kind", ""),
        title=said.get("title", ""),
        state=said.get("state", "active"),
        moved_to=said.get("moved_to", ""),
        parent=said.get("parent", ""),
        root=said.get("root", ""),
        skip_present=said.get("skip_present") == "1",
        validators=Validators(said.get("etag"), said.get("last_modified")),
        interval_s=float(said.get("interval_s", 0)),
        asked_s=float(said.get("asked_s", 0)),
        failures=int(said.get("failures", 0)),
        crashes=int(said.get("crashes", 0)),
        error=said.get("error", ""),
        entries=int(said.get("entries", 0)),
        pushed=int(said.get("pushed", 0)),
        added_ms=int(said.get("added_ms", 0)),
        looked_ms=int(said.get("looked_ms", 0)),
        worked_ms=int(said.get("worked_ms", 0)),
        leased="token" in said,
    )


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
