"""From what a user gives (arguments, lines of a file) to items that are fit for the queue."""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from worker.errors import Malformed
from worker.urls import ITEM_LIMIT_BYTES, parse_item, quoted, url_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DUPLICATE = "a duplicate in this input"

#: What one read asks for; all lines of it are pushed by one command.
_READ_BYTES = 64 * 1024
#: Repeats are found among so many URLs of one input: some 100 MB. Workers refuse those beyond.
_REMEMBERED_URLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that was not pushed. `line` counts from 1 in its file; arguments are counted likewise."""

    line: int
    item: str  # quoted
    why: str


@dataclass(slots=True)
class Intake:
    """Checks items one by one. `wishes` are fields for every item; what an item says itself wins."""

    wishes: dict[str, Any] = field(default_factory=dict)
    line: int = 0  # set it to 0 before another file
    refused: Counter[str] = field(default_factory=Counter)  # by reason
    _seen: set[bytes] = field(default_factory=set)

    def sift(self, items: Iterable[bytes]) -> tuple[list[bytes], list[Refusal]]:
        """What to push and what to refuse. Empty lines and comments (`#`) are neither."""
        pushable: list[bytes] = []
        refusals: list[Refusal] = []
        for raw in items:
            self.line += 1
            item = raw.strip()
            if not item or item.startswith(b"#"):
                continue
            try:
                pushable.append(self._checked(item))
            except Malformed as fault:
                refusals.append(Refusal(self.line, quoted(item), fault.why))
                self.refused[fault.why.partition(": ")[0]] += 1
        return pushable, refusals

    def _checked(self, item: bytes) -> bytes:
        submission = parse_item(item)
        if self.wishes:
            own = orjson.loads(item) if item.startswith(b"{") else {"url": item.decode()}
            said = {name: value for name, value in own.items() if value is not None}
            item = orjson.dumps(self.wishes | said)
            submission = parse_item(item)
        digest = url_digest(submission.url)
        if digest in self._seen and not submission.force:
            raise Malformed(DUPLICATE, quoted(item))
        if len(self._seen) < _REMEMBERED_URLS:
            self._seen.add(digest)
        return item


class Bytes(Protocol):
    """A binary file that hands over what is there instead of waiting for more."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def lines_of(file: Bytes) -> Iterator[list[bytes]]:
    """The lines of the file, as many at a time as are there: `tail -f urls | ingest add -` waits for nothing.

    A line that no item can be as long as is cut, so that a wrong file fills no memory.
    """
    rest, mark = b"", codecs.BOM_UTF8  # Windows' editors put it before the first line
    while chunk := file.read1(_READ_BYTES):
        chunk, mark = chunk.removeprefix(mark), b""
        *lines, last = chunk.split(b"\n")
        if lines:
            lines[0] = rest + lines[0]
            rest = b""
            yield lines
        rest = (rest + last)[: ITEM_LIMIT_BYTES + 1]
    if rest:
        yield [rest]
