"""Parquet files that are written whole, and tell by their names what they may hold.

A file is `DIR/articles/day=2026-01-02/1767225600000-1767225660000-<digest>.parquet`: the first and the last
time (ms, of the entry ids) of its events, and a digest of their ids. What comes again, however batches are
cut this time, falls into the span of a file that has it; what is new falls into none, and costs no look.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from worker.errors import SinkUnusable
from worker.sinks.files import Lock, available, sync_folder, usable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_NAME = re.compile(r"(\d+)-(\d+)-[0-9a-f]{16}\.parquet")
_UNFINISHED = ".unfinished"
#: Files whose ids are kept in memory: those that the last batches were looked up in.
_KEPT_FILES = 16


class Span(NamedTuple):
    """From the first to the last time of some entries, both in ms."""

    first_ms: int
    last_ms: int

    def meets(self, other: Span) -> bool:
        """Whether they share a moment."""
        return self.first_ms <= other.last_ms and other.first_ms <= self.last_ms


def span_of(entries: Sequence[str]) -> Span:
    """That of entry ids, each with or without a partition before it."""
    moments = [int(entry.rpartition("/")[2].partition("-")[0]) for entry in entries]
    return Span(min(moments), max(moments))


class Parts:
    """The files under `root`, which one process writes. All calls block."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = Lock(root / ".lock")
        self._spans: dict[Path, dict[Path, Span]] = defaultdict(dict)  # by folder
        self._ids: OrderedDict[Path, frozenset[str]] = OrderedDict()

    def open(self) -> None:
        """Take the place, and drop what a crash left unfinished. Raises SinkUnusable."""
        with usable(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock.take()
            for file in self.root.glob(f"*/day=*/.*{_UNFINISHED}"):
                file.unlink()
            for file in self.root.glob("*/day=*/*.parquet"):
                if found := _NAME.fullmatch(file.name):
                    self._spans[file.parent][file] = Span(int(found[1]), int(found[2]))

    def close(self) -> None:
        """Let go of it."""
        self._lock.release()

    def newest_ids(self, count: int) -> list[str]:
        """The ids in the newest files, oldest file first: at least `count`, if there are so many."""
        spans = {file: span for files in self._spans.values() for file, span in files.items()}
        found: list[frozenset[str]] = []
        with usable(self.root):
            for file in sorted(spans, key=lambda file: spans[file].last_ms, reverse=True):
                if sum(map(len, found)) >= count:
                    break
                found.append(self._ids_in(file))
        return [event_id for ids in reversed(found) for event_id in ids]

    def known(self, folder: Path, span: Span) -> set[str]:
        """The ids in those files of `folder` whose time meets `span`. Raises SinkUnavailable."""
        with available(self.root):
            return {
                event_id
                for file, other in list(self._spans[folder].items())
                if other.meets(span)
                for event_id in self._ids_in(file)
            }

    def write(self, folder: Path, table: pa.Table) -> None:
        """Write a file of these rows and sync it. Raises SinkUnavailable; then none is there."""
        ids = frozenset(table.column("event_id").to_pylist())
        span = span_of(table.column("entry").to_pylist())
        digest = hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]
        file = folder / f"{span.first_ms}-{span.last_ms}-{digest}.parquet"
        unfinished = folder / f".{file.name}{_UNFINISHED}"
        with available(folder):
            for made in self._make(folder):
                sync_folder(made.parent)
            pq.write_table(table, unfinished, compression="zstd")
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            unfinished.rename(file)
            sync_folder(folder)
        self._spans[folder][file] = span
        self._keep(file, ids)

    def _make(self, folder: Path) -> Iterator[Path]:
        for part in (*reversed(folder.relative_to(self.root).parents[:-1]), folder.relative_to(self.root)):
            if not (path := self.root / part).is_dir():
                path.mkdir(exist_ok=True)
                yield path

    def _ids_in(self, file: Path) -> frozenset[str]:
        if file in self._ids:
            self._ids.move_to_end(file)
            return self._ids[file]
        try:
            ids = frozenset(pq.read_table(file, columns=["event_id"]).column("event_id").to_pylist())
        except FileNotFoundError:  # somebody has taken it away since we looked
            del self._spans[file.parent][file]
            return frozenset()
        except pa.ArrowException as error:
            raise SinkUnusable(f"{file} is no Parquet file of ours ({error}): move it away") from error
        self._keep(file, ids)
        return ids

    def _keep(self, file: Path, ids: frozenset[str]) -> None:
        self._ids[file] = ids
        if len(self._ids) > _KEPT_FILES:
            self._ids.popitem(last=False)
