"""May this URL be fetched? The fleet's shared robots.txt files, and this process' parsed copies of them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from worker.errors import FetchFailed
from worker.fetch.robots import REDIRECTS_FOLLOWED, RobotsFile, RobotsRules, fetch_robots, origin_of
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
#: How long a parsed copy is used without a look at the shared file, which lives for the RFC's day at most.
_PARSED_S = 300.0
_PARSED_AT_MOST = 5_000
#: Rules take many times the memory of their text, and one hostile file may have 500 KB of it.
_PARSED_TEXT_CHARS = 4_000_000


class Cache(Protocol):
    """Where the fleet keeps robots.txt files, and agrees on who asks for them."""

    async def look(self, origin: str) -> RobotsCopy | None:
        """What is kept; None when nothing is."""

    async def begin(self, origin: str, *, for_s: float) -> bool:
        """Whether the caller is to ask the origin; then one of `keep`, `missed` and `give_up` ends it."""

    async def keep(self, origin: str, file: bytes, *, fresh_s: float | None = None) -> None:
        """Keep the file: fresh for RFC 9309's day (2.4), or for `fresh_s` if that is less."""

    async def missed(self, origin: str) -> RobotsCopy:
        """Note that the file could not be had, and return what is kept instead."""

    async def give_up(self, origin: str) -> None:
        """Let others ask; nothing was learnt."""


class Unshared:
    """The cache of a process without a fleet: the gate's own parsed copies are enough."""

    async def look(self, origin: str) -> RobotsCopy | None:
        """Nothing is kept."""

    async def begin(self, origin: str, *, for_s: float) -> bool:  # noqa: ARG002
        """Nobody else asks."""
        return True

    async def keep(self, origin: str, file: bytes, *, fresh_s: float | None = None) -> None:
        """Keep nothing."""

    async def missed(self, origin: str) -> RobotsCopy:  # noqa: ARG002
        """Nothing is kept instead."""
        return RobotsCopy(None, fresh_s=60.0, down_s=0.0)

    async def give_up(self, origin: str) -> None:
        """Nobody waits."""


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
        request_s: float = 30.0,
    ) -> None:
        """Of at most `request_s` for one request, and with `pause_s` before a hop to the same host."""
        self._cache = cache
        self._fetcher = fetcher
        self._user_agent = user_agent
        self._pause_s = pause_s
        self._clock = clock
        self._asking_s = (REDIRECTS_FOLLOWED + 1) * (request_s + pause_s)
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

    async def learn(self, url: str) -> RobotsRules:
        """Spend a request on the origin's robots.txt, unless another one does so: then wait for its answer.

        A file that cannot be had leaves an older copy in force. Raises FetchFailed: "robots_unreachable"
        without one, or what keeps the host itself from being had (blocked_address, dns, connect, tls).
        """
        origin = origin_of(url)
        while not await self._cache.begin(origin, for_s=self._asking_s):
            if known := await self.rules(url):
                return known
            await self._clock.sleep(_LOOK_AGAIN_S)
        try:
            file = await fetch_robots(self._fetcher, origin, pause_s=self._pause_s)
        except FetchFailed:
            await self._cache.give_up(origin)
            raise
        if file.verdict == "unreachable":
            return self._of_copy(origin, await self._cache.missed(origin))
        fresh_s = None if file.max_age_s is None else max(file.max_age_s, _FRESH_AT_LEAST_S)
        await self._cache.keep(origin, file.encode(), fresh_s=fresh_s)
        return self._parse(origin, file, _PARSED_S if fresh_s is None else min(fresh_s, _PARSED_S))

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
        return self._parse(origin, file, min(kept.fresh_s, _PARSED_S))

    def _parse(self, origin: str, file: RobotsFile, for_s: float) -> RobotsRules:
        rules = RobotsRules.from_file(file, self._user_agent)
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
