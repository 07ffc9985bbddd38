"""What happened to a URL, hop by hop: the pipeline's verdicts, and the exchanges observed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from worker.extract.charset import declared_encodings, decode
from worker.fetch.gate import Unshared
from worker.fetch.observation import Judged, observed
from worker.fetch.robots import RobotsFile, RobotsRules, origin_of
from worker.fetch.robots_rule import deciding_rule
from worker.library.alone import Pace, opened, pace_of
from worker.model import Page
from worker.settings import host_rules
from worker.verdict import Hop, Learnt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from worker.fetch.observation import Exchange
    from worker.library.alone import Step
    from worker.robots_copy import RobotsCopy
    from worker.settings import Settings
    from worker.store.host_states import HostState
    from worker.store.robots_cache import RobotsCache
    from worker.verdict import Verdict

From = Literal["asked", "before", "fleet"]


@dataclass(frozen=True, slots=True)
class Robots:
    """A robots.txt's word on a URL. It was asked for now, or for an earlier hop, or is the fleet's copy."""

    origin: str
    came_from: From
    verdict: str  # as of a RobotsFile
    allowed: bool
    rule: str | None
    crawl_delay_s: float | None


@dataclass(slots=True)
class Turn:
    """One URL of the chain, and all that was asked for its sake."""

    url: str
    host: str
    pace: Pace
    fleet: HostState | None = None  # what the fleet made of the host before; None: not looked up
    robots: Robots | None = None  # None: not obeyed, or could not be had
    robots_requests: list[Exchange] = field(default_factory=list)
    request: Exchange | None = None  # None: it was not made
    location: str | None = None  # where it led

    @property
    def lookup(self) -> Exchange | None:
        """The exchange that had to find the host; None where each found a connection open."""
        exchanges = [*self.robots_requests, *([self.request] if self.request else [])]
        return next((each for each in exchanges if not each.reused), None)

    @property
    def judged(self) -> tuple[Judged, ...]:
        """The host's addresses, or the host itself where it was refused without a lookup."""
        lookup = self.lookup
        if lookup is None or lookup.resolved:
            return lookup.resolved if lookup else ()
        if lookup.failure and lookup.failure.reason in {"blocked_address", "denied"}:
            return (Judged((urlsplit(self.url).hostname or self.host), lookup.failure.detail),)
        return (Judged(lookup.peer[0], None),) if lookup.peer else ()


@dataclass(frozen=True, slots=True)
class Charset:
    """What a page is written in, what each source calls it, and where they disagree."""

    encoding: str
    declared: dict[str, str]  # bom, header, meta
    warnings: tuple[str, ...]

    @property
    def source(self) -> str:
        """The strongest source that was believed; `bytes` where the page itself had to tell."""
        return next((source for source, label in self.declared.items() if label == self.encoding), "bytes")

    @property
    def disagree(self) -> bool:
        """Whether a source names another encoding than the one that was used."""
        return any(label != self.encoding for label in self.declared.values())


@dataclass(frozen=True, slots=True)
class Story:
    """A URL from its first request to what becomes of it."""

    url: str  # canonical
    requested_url: str
    turns: tuple[Turn, ...]
    end: Verdict

    @property
    def page(self) -> Page | None:
        """The page that came at the end, if one did."""
        request = self.turns[-1].request
        return request.answer if request and isinstance(request.answer, Page) else None

    @property
    def charset(self) -> Charset | None:
        """What that page is written in."""
        if (page := self.page) is None:
            return None
        decoded = decode(page.body, page.content_type)
        declared = declared_encodings(page.body, page.content_type)
        return Charset(decoded.encoding, declared, decoded.warnings)


class _NotedFiles(Unshared):
    """The robots.txt files of the story. A fleet's copies are looked at, and nothing is written to it."""

    def __init__(self, fleet: RobotsCache | None) -> None:
        self._fleet = fleet
        self.files: dict[str, tuple[RobotsFile, From]] = {}

    async def look(self, origin: str) -> RobotsCopy | None:
        """The fleet's copy, if there is a fleet."""
        copy = await self._fleet.look(origin) if self._fleet else None
        if copy and copy.file is not None and copy.fresh_s > 0:
            self.files[origin] = RobotsFile.decode(copy.file), "fleet"
        return copy

    async def keep(
        self,
        origin: str,
        owner: str,  # noqa: ARG002
        file: bytes,
        *,
        fresh_s: float | None = None,  # noqa: ARG002
        least_s: float = 0,  # noqa: ARG002
    ) -> None:
        """Note the file."""
        self.files[origin] = RobotsFile.decode(file), "asked"

    def word_on(self, url: str, user_agent: str, *, asked: bool) -> Robots | None:
        """The word of the origin's file on `url`; None where there is no file."""
        origin = origin_of(url)
        if origin not in self.files:
            return None
        file, came_from = self.files[origin]
        rules = RobotsRules.from_file(file, user_agent)
        return Robots(
            origin=origin,
            came_from="before" if came_from == "asked" and not asked else came_from,
            verdict=file.verdict,
            allowed=rules.allows(url),
            rule=deciding_rule(file, user_agent, url),
            crawl_delay_s=rules.crawl_delay_s,
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """Where to look up what the fleet knows."""

    robots: RobotsCache
    host: Callable[[str], Awaitable[HostState]]


async def story_of(source: str, settings: Settings, fleet: Fleet | None = None) -> Story:
    """Fetch the URL as a worker would, and tell how it went. Raises Malformed for what is no URL."""
    files, rules = _NotedFiles(fleet.robots if fleet else None), host_rules(settings)
    turns: list[Turn] = []
    told = 0
    step: Step | None = None
    with observed() as exchanges:
        async with opened(settings, files) as pipeline:
            async for step in pipeline.steps(source):
                if not turns or turns[-1].location is not None:
                    pace = pace_of(settings, rules, step.task.host, None)
                    turns.append(Turn(step.task.target, step.task.host, pace))
                turn = turns[-1]
                if fleet and turn.fleet is None:
                    turn.fleet = await fleet.host(turn.host)
                _note(turn, step.verdict, exchanges[told:])
                told = len(exchanges)
                turn.robots = files.word_on(turn.url, settings.user_agent, asked=bool(turn.robots_requests))
                if turn.robots:
                    turn.pace = pace_of(settings, rules, turn.host, turn.robots.crawl_delay_s)
    assert step is not None  # noqa: S101 - there is no URL without a turn
    return Story(step.task.url, step.task.requested_url, tuple(turns), step.verdict)


def _note(turn: Turn, verdict: Verdict, exchanges: Sequence[Exchange]) -> None:
    for exchange in exchanges:
        if exchange.url == turn.url and not isinstance(verdict, Learnt):
            turn.request = exchange
        else:
            turn.robots_requests.append(exchange)
    if isinstance(verdict, Hop):
        turn.location = verdict.location
