"""What is counted by a name that strangers choose, in bounded memory: hosts, workers, errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


class _Counted(Protocol):
    @property
    def weight(self) -> float:
        """How much it matters; the lightest are forgotten first."""


Entry = TypeVar("Entry", bound=_Counted)


@dataclass(slots=True)
class Tally(Generic[Entry]):
    """Entries by name. Beyond `limit` the lighter half is forgotten, and `complete` is false from then on."""

    make: Callable[[str], Entry]
    limit: int
    complete: bool = True
    _entries: dict[str, Entry] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, name: str) -> Entry:
        """The entry of that name, new if need be."""
        entry = self._entries.get(name)
        if entry is None:
            if len(self._entries) >= self.limit:
                self.complete = False
                kept = sorted(self._entries.items(), key=lambda item: item[1].weight)[self.limit // 2 :]
                self._entries = dict(kept)
            entry = self._entries[name] = self.make(name)
        return entry

    def heaviest(self, count: int | None = None) -> list[Entry]:
        """The entries that matter most, the heaviest first."""
        return sorted(self._entries.values(), key=lambda entry: -entry.weight)[:count]


@dataclass(slots=True)
class Host:
    """One host: requests of known duration (milliseconds), requests that brought nothing, penalties."""

    host: str
    timed: int = 0
    failed: int = 0
    total_ms: float = 0.0
    max_ms: float = 0.0
    penalised: int = 0
    opened: int = 0

    @property
    def weight(self) -> float:
        """The time that it took in all, and one millisecond for whatever else there was to tell."""
        return self.total_ms + self.failed + self.penalised + self.opened

    @property
    def mean_ms(self) -> float:
        """The mean duration of a request."""
        return self.total_ms / self.timed if self.timed else 0.0


@dataclass(slots=True)
class Span:
    """Something that was said several times: how often, first and last, in Unix seconds."""

    name: str
    count: int = 0
    first_s: float = float("inf")
    last_s: float = float("-inf")

    @property
    def weight(self) -> float:
        """How often."""
        return self.count

    def note(self, at_s: float) -> None:
        """Once more; lines of several files need not come in order."""
        self.count += 1
        self.first_s = min(self.first_s, at_s)
        self.last_s = max(self.last_s, at_s)


@dataclass(slots=True)
class Trouble:
    """What begins with one line and ends with another, for each worker: a pause, an outage of Redis."""

    times: int = 0
    total_s: float = 0.0
    first_s: float = float("inf")
    last_s: float = float("-inf")
    _open: dict[str, float] = field(default_factory=dict)

    def begin(self, worker: str, at_s: float) -> None:
        """It began for that worker."""
        self.times += 1
        self.first_s = min(self.first_s, at_s)
        self.last_s = max(self.last_s, at_s)
        self._open[worker] = at_s

    def end(self, worker: str, lasted_s: float) -> None:
        """It ended for that worker."""
        self.total_s += lasted_s
        self._open.pop(worker, None)

    def forget(self, worker: str) -> None:
        """The worker ended: nothing lasts for it."""
        self._open.pop(worker, None)

    @property
    def lasting(self) -> int:
        """For how many workers it had not ended at the log's end."""
        return len(self._open)
