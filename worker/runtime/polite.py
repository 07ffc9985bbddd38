"""Requests that are no task's, as polite and guarded as a task's: robots.txt, a host's turn for each hop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from worker.errors import FetchFailed, IngestError, Malformed
from worker.model import NotModified, Page, Redirect, Signal
from worker.retry import signal_of
from worker.store.turns import Turn
from worker.telemetry.log import get_logger
from worker.urls import host_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from worker.clock import Clock
    from worker.fetch.gate import RobotsGate
    from worker.fetch.robots import RobotsRules
    from worker.fetch.session import Fetcher
    from worker.grouping import Grouping
    from worker.model import Validators
    from worker.settings import HostOverride, Settings

#: A host that is free only later than that is not waited for: other feeds could have the place.
_LONGEST_WAIT_S = 10.0
#: How long another one may take to ask for a robots.txt.
_ASKED_BY_ANOTHER_S = 2.0
_LOOK_AGAIN_S = 0.5
_MOVED_FOR_GOOD = frozenset({301, 308})  # RFC 9110, 15.4.2 and 15.4.9


class HostBusy(IngestError):
    """The host may not be asked before `retry_after_s` have passed."""

    def __init__(self, host: str, retry_after_s: float) -> None:
        super().__init__(f"{host} may not be asked for another {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class GivesTurns(Protocol):
    """Who says when a host may be asked."""

    async def begin(self, host: str, *, for_s: float, longest_wait_s: float) -> Turn | float:
        """A turn of `for_s` that begins within `longest_wait_s`; else in how many seconds to ask again."""

    async def extend(self, turn: Turn, *, for_s: float) -> None:
        """Keep it for `for_s` more."""

    async def end(self, turn: Turn, signal: Signal, url: str) -> None:
        """Give it back, with how the request for `url` went."""

    async def slow_down(self, host: str, delay_s: float | None) -> None:
        """Keep a host's Crawl-delay, or drop it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is at the end of the redirects. `moved_to` is where, if all of them were permanent."""

    response: Page | NotModified
    moved_to: str | None = None


class Polite:
    """Fetches documents of any type, each hop in its host's turn."""

    def __init__(
        self, fetcher: Fetcher, gate: RobotsGate, turns: GivesTurns, settings: Settings, clock: Clock
    ) -> None:
        self._fetcher = fetcher
        self._gate = gate
        self._turns = turns
        self._clock = clock
        self._obey = settings.obey_robots
        self._max_redirects = settings.max_redirects
        self._grouping: Grouping = settings.host_grouping
        self._lease_s = settings.lease_s

    async def get(self, url: str, validators: Validators | None = None) -> Answer:
        """The document at `url`, behind its redirects; conditional on `validators`.

        Raises FetchFailed with a row of `worker.outcomes`, and HostBusy for a host that is not free soon.
        """
        target, visited, for_good = url, {url}, True
        while True:
            await self._permit(target)
            answer = await self._request(target, validators)
            if not isinstance(answer, Redirect):
                return Answer(answer, target if for_good and target != url else None)
            for_good = for_good and answer.status in _MOVED_FOR_GOOD
            target = answer.location
            if target in visited:
                raise FetchFailed("redirect_loop", f"{answer.url} leads back to {target}")
            if len(visited) > self._max_redirects:
                raise FetchFailed(
                    "too_many_redirects", f"more than {self._max_redirects}, the last to {target}"
                )
            visited.add(target)

    async def robots(self, url: str) -> RobotsRules:
        """The robots.txt of the URL's origin. Raises FetchFailed and HostBusy."""
        rules = await self._gate.rules(url)
        if rules is not None:
            return rules
        async with self._turn(url) as turn:
            learning = await self._gate.learn(url)
            turn.signal = learning.signal
        if learning.failure:
            raise learning.failure
        if learning.rules is None:
            raise HostBusy(turn.host, _ASKED_BY_ANOTHER_S)
        if turn.signal.sign != "none":
            crawl_delay_s = learning.rules.crawl_delay_s
            if crawl_delay_s is not None or host_key(url) == turn.host:
                await self._turns.slow_down(turn.host, crawl_delay_s)
            get_logger().info("robots_fetched", host=turn.host, url=url, crawl_delay_s=crawl_delay_s)
        return learning.rules

    async def _permit(self, url: str) -> None:
        if self._obey and not (await self.robots(url)).allows(url):
            raise FetchFailed("robots", f"robots.txt disallows {url}")

    async def _request(self, url: str, validators: Validators | None) -> Page | Redirect | NotModified:
        async with self._turn(url) as turn:
            began = self._clock.monotonic()
            try:
                answer = await self._fetcher.request_document(url, validators=validators)
            except FetchFailed as failure:
                turn.signal = signal_of(failure, self._clock.monotonic() - began)
                raise
            took_s = self._clock.monotonic() - began
            turn.signal = Signal("ok", took_s if isinstance(answer, Page) else 0.0)
            return answer

    @asynccontextmanager
    async def _turn(self, url: str) -> AsyncIterator[_Taken]:
        """A turn of the URL's host that has begun; whoever has it says how the request went."""
        try:
            host = host_key(url, self._grouping)
        except Malformed as refusal:
            raise FetchFailed("bad_redirect", f"Location {refusal.item}: {refusal.why}") from refusal
        give_up = self._clock.monotonic() + _LONGEST_WAIT_S
        while not isinstance(
            turn := await self._turns.begin(host, for_s=self._lease_s, longest_wait_s=_LONGEST_WAIT_S), Turn
        ):
            if self._clock.monotonic() + turn > give_up:
                raise HostBusy(host, turn)
            await self._clock.sleep(min(turn, _LOOK_AGAIN_S))
        taken = _Taken(host)
        keeping = asyncio.create_task(self._keep(turn))
        try:
            await self._clock.sleep(turn.wait_s)
            yield taken
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self._turns.end(turn, taken.signal, url)

    async def _keep(self, turn: Turn) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            await self._turns.extend(turn, for_s=self._lease_s)


@dataclass(slots=True)
class _Taken:
    host: str
    signal: Signal = field(default_factory=Signal)


class OwnTurns:
    """Turns of a process by itself, which the fleet does not count: one request of a host, then a rest."""

    def __init__(self, settings: Settings, rules: Mapping[str, HostOverride], clock: Clock) -> None:
        self._spacing_s = settings.host_spacing_s
        self._rules = rules
        self._clock = clock
        self._free_at: dict[str, float] = {}
        self._delays_s: dict[str, float] = {}

    async def begin(self, host: str, *, for_s: float, longest_wait_s: float) -> Turn | float:  # noqa: ARG002
        """The host's next turn, whenever it begins: nobody else wants the place."""
        return Turn(host, 0, max(0.0, self._free_at.get(host, 0.0) - self._clock.monotonic()))

    async def extend(self, turn: Turn, *, for_s: float) -> None:
        """It lasts until it is ended."""

    async def end(self, turn: Turn, signal: Signal, url: str) -> None:  # noqa: ARG002
        """The host rests from here on, by the operator's word or the slower of spacing and Crawl-delay."""
        own = self._rules.get(turn.host)
        rest_s = max(self._spacing_s, self._delays_s.get(turn.host, 0.0))
        if own is not None and own.spacing_s is not None:
            rest_s = own.spacing_s
        self._free_at[turn.host] = self._clock.monotonic() + max(rest_s, signal.hold_s)

    async def slow_down(self, host: str, delay_s: float | None) -> None:
        """Keep the Crawl-delay for this process."""
        self._delays_s[host] = delay_s or 0.0
