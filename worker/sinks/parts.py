"""Parquet files that are written whole, and tell by their names what they may hold.

A file is `DIR/articles/day=2026-01-02/1767225600000-1767225660000-<digest>.parquet`: the first and the last
time (ms, of the entry ids) of its events, and a digest of their keys. What comes again, however batches are
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
from worker.sinks.sink import key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_NAME = re.compile(r"(\d+)-(\d+)-[0-9a-f]{16}\.parquet")
_UNFINISHED = ".unfinished"
#: Files whose keys are kept in memory: those that the last batches were looked up in.
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
        self._keys: OrderedDict[Path, frozenset[str]] = OrderedDict()

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

    def newest_keys(self, count: int) -> list[str]:
        """The keys in the newest files, oldest file first: at least `count`, if there are so many."""
        spans = {file: span for files in self._spans.values() for file, span in files.items()}
        found: list[frozenset[str]] = []
        with usable(self.root):
            for file in sorted(spans, key=lambda file: spans[file].last_ms, reverse=True):
                if sum(map(len, found)) >= count:
                    break
                found.append(self._keys_in(file))
        return [each for keys in reversed(found) for each in keys]

    def known(self, folder: Path, span: Span) -> set[str]:
        """The keys in those files of `folder` whose time meets `span`. Raises SinkUnavailable."""
        with available(self.root):
            return {
                each
                for file, other in list(self._spans[folder].items())
                if other.meets(span)
                for each in self._keys_in(file)
            }

    def write(self, folder: Path, table: pa.Table) -> None:
        """Write a file of these rows and sync it. Raises SinkUnavailable; then none is there."""
        keys = _keys_of(table)
        span = span_of(table.column("entry").to_pylist())
        digest = hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:16]
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
        self._keep(file, keys)

    def _make(self, folder: Path) -> Iterator[Path]:
        for part in (*reversed(folder.relative_to(self.root).parents[:-1]), folder.relative_to(self.root)):
            if not (path := self.root / part).is_dir():
                path.mkdir(exist_ok=True)
                yield path

    def _keys_in(self, file: Path) -> frozenset[str]:
        if file in self._keys:
            self._keys.move_to_end(file)
            return self._keys[file]
        try:
            keys = _keys_of(pq.read_table(file, columns=["event_source", "event_id"]))
        except FileNotFoundError:  # somebody has taken it away since we looked
            del self._spans[file.parent][file]
            return frozenset()
        except pa.ArrowException as error:
            raise SinkUnusable(f"{file} is no Parquet file of ours ({error}): move it away") from error
        self._keep(file, keys)
        return keys

    def _keep(self, file: Path, keys: frozenset[str]) -> None:
        self._keys[file] = keys
        if len(self._keys) > _KEPT_FILES:
            self._keys.popitem(last=False)


def _keys_of(table: pa.Table) -> frozenset[str]:
    columns = (table.column(name).to_pylist() for name in ("event_source", "event_id"))
    return frozenset(map(key, *columns))
