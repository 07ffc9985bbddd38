"""May this URL be fetched? The fleet's shared robots.txt files, and this process' parsed copies of them."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from worker.errors import FetchFailed
from worker.fetch.robots import REDIRECTS_FOLLOWED, RobotsFile, RobotsRules, fetch_robots, origin_of
from worker.model import Signal
from worker.retry import signal_of
from worker.robots_copy import RobotsCopy

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.fetch.session import Fetcher

#: However soon a server wants its robots.txt asked for again: many say max-age=0 of all that they have, and
#: would be asked for it before each page.
_FRESH_AT_LEAST_S = 600.0
#: RFC 9309, 2.3.1.4: "a reasonably long period of time (for example, 30 days)".
_LONG_OUTAGE_S = 30 * 86_400.0
#: How often to look whether whoever asks an origin has its answer.
_LOOK_AGAIN_S = 0.2
#: How long to do so. Whoever waits holds a place that other hosts' URLs could have.
_WAIT_S = 2.0
#: For how long a cache may keep us from ending; the right to ask ends by itself.
_GIVE_UP_S = 2.0
#: How long a parsed copy is used without a look at the shared file, which lives for the RFC's day at most.
_PARSED_S = 300.0
_PARSED_AT_MOST = 5_000
#: Rules take many times the memory of their text, and one hostile file may have 500 KB of it.
_PARSED_TEXT_CHARS = 4_000_000
_NO_REQUEST = Signal()


class Cache(Protocol):
    """Where the fleet keeps robots.txt files, and agrees on who asks for them."""

    async def look(self, origin: str) -> RobotsCopy | None:
        """What is kept; None when nothing is."""

    async def begin(self, origin: str, owner: str, *, for_s: float, rests: int = 0) -> float | None:
        """The rest of its host (s) if `owner` is to ask the origin, for `for_s` and so many rests; or None.

        Then one of `keep`, `missed` and `give_up` ends it.
        """

    async def keep(
        self, origin: str, owner: str, file: bytes, *, fresh_s: float | None = None, least_s: float = 0
    ) -> None:
        """Keep the file: fresh for RFC 9309's day (2.4), or for `fresh_s` if less; not below `least_s`."""

    async def missed(self, origin: str, owner: str, *, least_s: float = 0) -> RobotsCopy:
        """Note that the file could not be had, and return what is kept instead, for `least_s` at least."""

    async def give_up(self, origin: str, owner: str) -> None:
        """Let others ask, if `owner` is to; nothing was learnt."""


class Unshared:
    """The cache of a process without a fleet: the gate's own parsed copies are enough."""

    async def look(self, origin: str) -> RobotsCopy | None:
        """Nothing is kept."""

    async def begin(self, origin: str, owner: str, *, for_s: float, rests: int = 0) -> float | None:  # noqa: ARG002
        """Nobody else asks, and of the host's rest nothing is known."""
        return 0.0

    async def keep(
        self, origin: str, owner: str, file: bytes, *, fresh_s: float | None = None, least_s: float = 0
    ) -> None:
        """Keep nothing."""

    async def missed(self, origin: str, owner: str, *, least_s: float = 0) -> RobotsCopy:  # noqa: ARG002
        """Nothing is kept instead."""
        return RobotsCopy(None, fresh_s=max(60.0, least_s), down_s=0.0)

    async def give_up(self, origin: str, owner: str) -> None:
        """Nobody waits."""


@dataclass(frozen=True, slots=True)
class Learning:
    """What came of asking for a robots.txt: rules, or a failure, or neither while another one asks for it.

    `signal` says how the request went, and `none` where none was made here.
    """

    rules: RobotsRules | None = None
    failure: FetchFailed | None = None
    signal: Signal = _NO_REQUEST


@dataclass(frozen=True, slots=True)
class _Parsed:
    rules: RobotsRules
    until_s: float  # monotonic
    text_chars: int


class RobotsGate:
    """RFC 9309 for a whole fleet: one fetch of robots.txt per origin, whoever makes it."""

    def __init__(
        self,
        cache: Cache,
        fetcher: Fetcher,
        *,
        user_agent: str,
        pause_s: float,
        clock: Clock,
        turn_s: float = 60.0,
    ) -> None:
        """With `pause_s` before a hop to the same host. Who asks has `turn_s`, and then others may.

        That is to be a lease: who still asks after one has kept it, and the host's slot with it, and who
        died is waited for no longer.
        """
        self._cache = cache
        self._fetcher = fetcher
        self._user_agent = user_agent
        self._pause_s = pause_s
        self._clock = clock
        self._turn_s = turn_s
        self._parsed: OrderedDict[str, _Parsed] = OrderedDict()
        self._text_chars = 0

    async def rules(self, url: str) -> RobotsRules | None:
        """The rules for the URL's origin, or None when the fleet does not know them (any more): then `learn`.

        Raises FetchFailed("robots_unreachable") while they cannot be had, until when in `retry_after_s`.
        """
        origin = origin_of(url)
        if (known := self._parsed.get(origin)) and known.until_s > self._clock.monotonic():
            return known.rules
        kept = await self._cache.look(origin)
        return self._of_copy(origin, kept) if kept and kept.fresh_s > 0 else None

    async def learn(self, url: str) -> Learning:
        """Spend a request on the origin's robots.txt, unless another one does so: then wait for its answer.

        A file that cannot be had leaves an older copy in force; without one it is "robots_unreachable". What
        keeps the host itself from being had is told as that (blocked_address, dns, connect, tls).
        """
        origin, owner = origin_of(url), secrets.token_hex(6)
        try:
            rest_s = await self._turn(url, owner)
            return (
                Learning(await self.rules(url)) if rest_s is None else await self._ask(origin, owner, rest_s)
            )
        except FetchFailed as failure:  # of another one's request, if of any
            return Learning(failure=failure)
        except BaseException:
            with suppress(TimeoutError):
                await asyncio.shield(asyncio.wait_for(self._cache.give_up(origin, owner), _GIVE_UP_S))
            raise

    async def _turn(self, url: str, owner: str) -> float | None:
        """The rest of the host, once it is on us to ask; None once another one has, or takes too long."""
        until_s = self._clock.monotonic() + _WAIT_S
        while True:
            rest_s = await self._cache.begin(
                origin_of(url), owner, for_s=self._turn_s, rests=REDIRECTS_FOLLOWED
            )
            if rest_s is not None or await self.rules(url) or self._clock.monotonic() >= until_s:
                return rest_s
            await self._clock.sleep(_LOOK_AGAIN_S)

    async def _ask(self, origin: str, owner: str, rest_s: float) -> Learning:
        rest_s = max(rest_s, self._pause_s)
        try:
            file = await fetch_robots(self._fetcher, origin, pause_s=rest_s, known=self._known)
        except FetchFailed as failure:
            await self._cache.give_up(origin, owner)
            return Learning(failure=failure, signal=signal_of(failure, 0.0))
        if file.asked is not None:
            await self._share(file.asked, owner, file)
        if file.verdict == "unreachable":
            kept = await self._cache.missed(origin, owner, least_s=file.signal.hold_s)
            try:
                return Learning(self._of_copy(origin, kept), signal=file.signal)
            except FetchFailed as failure:
                held = replace(file.signal, hold_s=max(file.signal.hold_s, kept.fresh_s))
                return Learning(failure=failure, signal=held)
        fresh_s = _fresh_s(file)
        rules = RobotsRules.from_file(file, self._user_agent)
        # The turn that follows must find the file fresh: it would be spent on the file again.
        least_s = 2 * max(rest_s, rules.crawl_delay_s or 0.0) + 60.0
        await self._cache.keep(origin, owner, file.encode(), fresh_s=fresh_s, least_s=least_s)
        parsed_s = _PARSED_S if fresh_s is None else min(fresh_s, _PARSED_S)
        return Learning(self._keep(origin, rules, file, max(parsed_s, least_s)), signal=file.signal)

    async def _known(self, origin: str) -> RobotsFile | None:
        """What the fleet knows of another origin's file. Many origins may redirect to one host, at once."""
        kept = await self._cache.look(origin)
        if kept is None or kept.fresh_s <= 0:
            return None
        file = RobotsFile("unreachable") if kept.file is None else RobotsFile.decode(kept.file)
        return replace(file, max_age_s=kept.fresh_s)

    async def _share(self, origin: str, owner: str, file: RobotsFile) -> None:
        """Keep for another origin what was asked of it on behalf of one that redirects to it."""
        if file.verdict == "unreachable":
            await self._cache.missed(origin, owner)
        else:
            await self._cache.keep(origin, owner, file.encode(), fresh_s=_fresh_s(file))

    def _of_copy(self, origin: str, kept: RobotsCopy) -> RobotsRules:
        """What is in force by a copy: in an outage the last file, however old (RFC 9309, 2.4).

        Without one nothing may be fetched, until the outage has lasted for so long that it counts as a site
        that has no such file (2.3.1.4).
        """
        if kept.file is not None:
            file = RobotsFile.decode(kept.file)
        elif kept.down_s is None or kept.down_s >= _LONG_OUTAGE_S:
            file = RobotsFile("allow_all")
        else:
            says = f"{origin}/robots.txt could not be had: no answer, or a server error"
            raise FetchFailed("robots_unreachable", says, retry_after_s=kept.fresh_s)
        rules = RobotsRules.from_file(file, self._user_agent)
        return self._keep(origin, rules, file, min(kept.fresh_s, _PARSED_S))

    def _keep(self, origin: str, rules: RobotsRules, file: RobotsFile, for_s: float) -> RobotsRules:
        if stale := self._parsed.pop(origin, None):
            self._text_chars -= stale.text_chars
        self._parsed[origin] = _Parsed(rules, self._clock.monotonic() + for_s, len(file.text))
        self._text_chars += len(file.text)
        while len(self._parsed) > 1 and self._is_over_its_bounds():
            _, oldest = self._parsed.popitem(last=False)
            self._text_chars -= oldest.text_chars
        return rules

    def _is_over_its_bounds(self) -> bool:
        return len(self._parsed) > _PARSED_AT_MOST or self._text_chars > _PARSED_TEXT_CHARS


def _fresh_s(file: RobotsFile) -> float | None:
    return None if file.max_age_s is None else max(file.max_age_s, _FRESH_AT_LEAST_S)
