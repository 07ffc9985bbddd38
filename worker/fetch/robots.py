"""robots.txt: fetched and read by RFC 9309, the rules matched by Protego."""

from __future__ import annotations

import re
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self, get_args

import orjson
from ada_url import URL
from protego import Protego

from worker.errors import FetchFailed
from worker.model import Redirect, Signal
from worker.retry import signal_of

if TYPE_CHECKING:
    from worker.fetch.session import Fetcher

Verdict = Literal["rules", "allow_all", "unreachable"]

#: RFC 9309, 2.5: at least 500 KiB must be parsed. What is beyond is ignored, and not even read.
PARSED_BYTES = 500 * 1024
#: RFC 9309, 2.3.1.2: at least five consecutive redirects should be followed.
REDIRECTS_FOLLOWED = 5
#: A slower crawl than this is not meant, or is meant as a ban, for which there is Disallow. Such values are
#: cut to it, so that a typing error does not silence a host for a day.
CRAWL_DELAY_MAX_S = 300.0

_TOO_MANY_REQUESTS = 429
#: What says that no URL of the host can be had now, and why, better than an unreachable robots.txt would.
_OF_THE_HOST = frozenset({"blocked_address", "denied", "dns", "connect", "proxy", "tls"})
#: Every form in which Protego takes a line for a user-agent line, and then some.
_AGENT_LINE = re.compile(r"\s*user[-\s]*agent\s*[:\s](.*)", re.IGNORECASE)
_AGENT_IN_COMMENT = re.compile(r"compatible;\s*([^\s;)]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """What a host's robots.txt amounts to: its rules, no restriction, or no crawling for now.

    `max_age_s` is how long the server says that it stays true, `signal` how its host took the request, and
    `asked` the other origin whose robots.txt was asked for and is this; they go into no cache with the rest.
    """

    verdict: Verdict
    text: str = ""
    max_age_s: float | None = field(default=None, compare=False)
    signal: Signal = field(default=Signal("ok"), compare=False)
    asked: str | None = field(default=None, compare=False)

    def encode(self) -> bytes:
        """As bytes for a cache, compressed, since it keeps them for a month; `decode` reads them back."""
        return zlib.compress(orjson.dumps({"verdict": self.verdict, "text": self.text}))

    @classmethod
    def decode(cls, encoded: bytes) -> Self:
        """What `encode` wrote. Raises ValueError for anything else."""
        try:
            fields = orjson.loads(zlib.decompress(encoded))
        except zlib.error as error:
            raise ValueError("not an encoded RobotsFile") from error
        match fields:
            case {"verdict": verdict, "text": str(text)} if verdict in get_args(Verdict):
                return cls(verdict, text)
            case _:
                raise ValueError("not an encoded RobotsFile")


Known = Callable[[str], Awaitable[RobotsFile | None]]


async def _nothing_known(_: str) -> RobotsFile | None:
    return None


async def fetch_robots(
    fetcher: Fetcher, origin: str, *, pause_s: float = 0, known: Known = _nothing_known
) -> RobotsFile:
    """The robots.txt of `origin` (`scheme://host[:port]`), following redirects to any host.

    One that leads to another origin's robots.txt ends at what is `known` of that, without a request.

    2xx is rules. 4xx is no restriction (RFC 9309, 2.3.1.3), 401 and 403 included, as are an answer that
    redirects nowhere and a sixth redirect; but 429 is a server in trouble, not one without a file, and counts
    as unreachable, as Google's crawlers have it. So do 5xx and timeouts (2.3.1.4), and whatever keeps another
    host that it redirects to from answering. Pauses `pause_s` before a hop to a host asked before. Raises
    FetchFailed where the host itself cannot be had (an address that is off limits, no DNS, no connection, no
    TLS): nothing is fetched then either, and the reason is plain.
    """
    url, other = f"{origin}/robots.txt", None
    asked = {URL(url).hostname}
    for _ in range(REDIRECTS_FOLLOWED + 1):
        began = fetcher.clock.monotonic()
        try:
            response = await fetcher.request_text(url, keep_bytes=PARSED_BYTES)
        except FetchFailed as failure:
            # The pauses and the hops before it are not its own time.
            failure.took_s = fetcher.clock.monotonic() - began
            # A host that has redirected did answer, whatever becomes of the one that it leads to.
            ours = URL(url).hostname == URL(origin).hostname
            if failure.reason in _OF_THE_HOST and ours:
                raise
            signal = signal_of(failure, failure.took_s) if ours else Signal("ok")
            answered = failure.reason not in _OF_THE_HOST
            return RobotsFile(_verdict_on(failure), signal=signal, asked=other if answered else None)
        if not isinstance(response, Redirect):
            # RFC 9309, 2.3: UTF-8. A broken byte spoils its own line and no other.
            text = response.body.decode("utf-8-sig", "replace")
            return RobotsFile("rules", text, response.max_age_s, asked=other)
        url = response.location
        other = _other_origin(url, origin)
        if other and (file := await known(other)):
            return file
        if URL(url).hostname in asked:
            await fetcher.clock.sleep(pause_s)
        asked.add(URL(url).hostname)
    return RobotsFile("allow_all")


def _other_origin(url: str, origin: str) -> str | None:
    """Whose robots.txt the URL is, if it is one and not that of `origin`."""
    parsed = URL(url)
    is_robots = (parsed.pathname, parsed.search) == ("/robots.txt", "")
    return parsed.origin if is_robots and parsed.origin != origin else None


def _verdict_on(failure: FetchFailed) -> Verdict:
    if failure.reason == "bad_redirect":
        return "allow_all"
    unavailable = failure.status is not None and 300 <= failure.status < 500
    return "allow_all" if unavailable and failure.status != _TOO_MANY_REQUESTS else "unreachable"


def origin_of(url: str) -> str:
    """`scheme://host[:port]` of an http(s) URL. Raises ValueError for any other text."""
    parsed = URL(url)
    if parsed.protocol not in {"http:", "https:"}:
        raise ValueError("not an http(s) URL")
    return parsed.origin


class RobotsRules:
    """What a RobotsFile means for one crawler."""

    def __init__(self, verdict: Verdict, rules: Protego, token: str) -> None:
        self._verdict = verdict
        self._rules = rules
        self._token = token

    @classmethod
    def from_file(cls, file: RobotsFile, user_agent: str) -> Self:
        """Parse `file` for the crawler that sends `user_agent` as its User-Agent header."""
        token = product_token(user_agent)
        return cls(file.verdict, Protego.parse(_without_others(file.text, token)), token)

    def allows(self, url: str) -> bool:
        """Whether `url`, of this file's origin, may be requested; nothing may while it is unreachable."""
        if self._verdict == "rules":
            return bool(self._rules.can_fetch(url, self._token))
        return self._verdict == "allow_all"

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """The URLs of the file's Sitemap lines (sitemaps.org, "Specifying the Sitemap location")."""
        return tuple(self._rules.sitemaps)

    @property
    def crawl_delay_s(self) -> float | None:
        """The slower of Crawl-delay and Request-rate, at most 300 s; None without either.

        Both are outside RFC 9309. A Request-rate bound to hours of the day is honoured all day.
        """
        delay_s = self._rules.crawl_delay(self._token)
        rate = self._rules.request_rate(self._token)
        asked_s = [s for s in (delay_s, rate and rate.seconds / rate.requests) if s is not None]
        return min(max(asked_s), CRAWL_DELAY_MAX_S) if asked_s else None


def product_token(user_agent: str) -> str:
    """Our name in a User-Agent header (RFC 9309, 2.2.1), lower case: of `Bot/1.0 (+https://…)`, `bot`.

    Protego would look for a group's name anywhere in the header, and a group named after a word of the
    contact address would bind us.
    """
    found = _AGENT_IN_COMMENT.search(user_agent)
    product = found[1] if found else user_agent.partition(" ")[0]
    return re.split(r"[/(]", product, maxsplit=1)[0].lower()


def _without_others(text: str, token: str) -> str:
    """`text` with one name for all crawlers but `token`.

    Protego writes each rule down once for each crawler that its group names: 2,000 names over 2,000 rules, a
    file of 65 KB, held the loop for five seconds and took 200 MB, and a file may be eight times as long. It
    also takes `news` to mean `newsbot`, where the RFC compares whole names.
    """
    return "\n".join(_anonymous(line, token) for line in text.splitlines())


def _anonymous(line: str, token: str) -> str:
    found = _AGENT_LINE.match(line.partition("#")[0])
    if not found:
        return line
    name = found[1].strip().lower()
    if name not in {"", "*"}:
        ours = name.replace("*", "").partition("/")[0].strip() == token
        name = token if ours else "(other)"
    return f"User-agent: {name}"
