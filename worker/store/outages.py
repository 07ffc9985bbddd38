"""Outages of Redis: from the first call that fails until none that failed waits for its answer any more.

Not until any call is answered: a Redis whose disk is full, whose replicas are away or that has no memory left
refuses writes and goes on answering PING and INFO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from worker.clock import Clock


class Watch(Protocol):
    """Who wants to know that Redis went away and came back."""

    def unavailable(self, why: str) -> None:
        """The first failed call of an outage."""

    def restored(self, after_s: float) -> None:
        """The answer to the last call that waited."""


class Unwatched:
    """Nobody does."""

    def unavailable(self, why: str) -> None:
        """Say nothing."""

    def restored(self, after_s: float) -> None:
        """Say nothing."""


class Outages:
    """Of one connection."""

    def __init__(self, watch: Watch, clock: Clock) -> None:
        #: What the last call that failed was told; empty while there is no outage.
        self.why = ""
        self._watch = watch
        self._clock = clock
        self._waiting = 0
        self._down_since = 0.0
        self._up_since = clock.monotonic()

    @property
    def steady_s(self) -> float:
        """Seconds since the last outage ended; 0 during one."""
        return 0.0 if self.why else self._clock.monotonic() - self._up_since

    def failed(self, call: Call, why: str) -> None:
        """A call has failed, and is repeated."""
        if not call.waits:
            call.waits = True
            self._waiting += 1
        before, self.why = self.why, why
        if not before:
            self._down_since = self._clock.monotonic()
            self._watch.unavailable(why)

    def ended(self, call: Call, *, answered: bool) -> None:
        """A call is over. One that was given up says nothing of Redis: the next answer does."""
        self._waiting -= call.waits
        if answered and self.why and not self._waiting:
            self.why = ""
            self._up_since = self._clock.monotonic()
            self._watch.restored(self._up_since - self._down_since)


class Call:
    """One call, however often it is repeated."""

    __slots__ = ("_outages", "waits")

    def __init__(self, outages: Outages) -> None:
        self._outages = outages
        self.waits = False

    def note(self, state: RetryCallState) -> None:
        """For tenacity, before it repeats the call."""
        if state.outcome is not None:
            self._outages.failed(self, str(state.outcome.exception()))
