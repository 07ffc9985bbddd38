"""May this URL be fetched? The fleet's shared robots.txt files, and this process' parsed copies of them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from worker.fetch.robots import RobotsFile, RobotsRules, fetch_robots, origin_of

if TYPE_CHECKING:
    from worker.clock import Clock
    from worker.fetch.session import Fetcher

#: How long a parsed copy is used without a look at the shared file, which lives for the RFC's day at most.
_PARSED_S = 300.0
_PARSED_AT_MOST = 5_000
#: Rules take many times the memory of their text, and one hostile file may have 500 KB of it.
_PARSED_TEXT_CHARS = 4_000_000


class Cache(Protocol):
    """Where the fleet keeps robots.txt files."""

    async def get(self, origin: str) -> bytes | None:
        """What `put` kept, or None when nothing is kept any more."""

    async def put(self, origin: str, file: bytes) -> None:
        """Keep the file for as long as RFC 9309, section 2.4 allows."""


@dataclass(frozen=True, slots=True)
class _Parsed:
    rules: RobotsRules
    until_s: float  # monotonic
    text_chars: int


class RobotsGate:
    """RFC 9309 for a whole fleet: one fetch of robots.txt per origin, whoever makes it."""

    def __init__(
        self, cache: Cache, fetcher: Fetcher, *, user_agent: str, pause_s: float, clock: Clock
    ) -> None:
        self._cache = cache
        self._fetcher = fetcher
        self._user_agent = user_agent
        self._pause_s = pause_s
        self._clock = clock
        self._parsed: OrderedDict[str, _Parsed] = OrderedDict()
        self._text_chars = 0

    async def rules(self, url: str) -> RobotsRules | None:
        """The rules for the URL's origin, or None when the fleet does not know them yet: then `learn`."""
        origin = origin_of(url)
        if (known := self._parsed.get(origin)) and known.until_s > self._clock.monotonic():
            return known.rules
        kept = await self._cache.get(origin)
        return None if kept is None else self._parse(origin, RobotsFile.decode(kept))

    async def learn(self, url: str) -> RobotsRules | None:
        """Spend a request on the origin's robots.txt; None when it is unreachable, which is not kept.

        Raises FetchFailed where the host itself cannot be had (blocked_address, dns, connect, tls).
        """
        origin = origin_of(url)
        file = await fetch_robots(self._fetcher, origin, pause_s=self._pause_s)
        if file.verdict == "unreachable":
            return None
        await self._cache.put(origin, file.encode())
        return self._parse(origin, file)

    def _parse(self, origin: str, file: RobotsFile) -> RobotsRules:
        rules = RobotsRules.from_file(file, self._user_agent)
        if stale := self._parsed.pop(origin, None):
            self._text_chars -= stale.text_chars
        self._parsed[origin] = _Parsed(rules, self._clock.monotonic() + _PARSED_S, len(file.text))
        self._text_chars += len(file.text)
        while len(self._parsed) > 1 and self._is_over_its_bounds():
            _, oldest = self._parsed.popitem(last=False)
            self._text_chars -= oldest.text_chars
        return rules

    def _is_over_its_bounds(self) -> bool:
        return len(self._parsed) > _PARSED_AT_MOST or self._text_chars > _PARSED_TEXT_CHARS
