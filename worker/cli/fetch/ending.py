"""What becomes of a URL, what a worker would do next, and what a person can do."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from worker.outcomes import outcome
from worker.verdict import Failed

if TYPE_CHECKING:
    from worker.cli.fetch.story import Story, Turn
    from worker.settings import Settings

#: Reason → what may help. In braces: `host`, `url` and `user_agent`. Of `blocked_address`, see below.
REMEDIES = {
    "dns": "check the spelling; this asks the system's resolver: getent hosts {host}",
    "connect": "see whether this gets through from this machine: curl -v {url}",
    "tls": "INGEST_CA_FILE adds an authority of your own; this tells of the certificate: curl -v {url}",
    "proxy": "see INGEST_PROXY and INGEST_PROXIES",
    "timeout": "INGEST_CONNECT_TIMEOUT_S, INGEST_HEADERS_TIMEOUT_S and INGEST_TOTAL_TIMEOUT_S bound it",
    "too_slow": "INGEST_STALL_TIMEOUT_S and INGEST_LEAST_BYTES_PER_S say how slow a server may be",
    "bad_response": "the server breaks HTTP; this shows where: curl -v --raw {url}",
    "bad_encoding": "the server breaks HTTP; this shows its bytes: curl -v --raw {url}",
    "too_large": "INGEST_BODY_LIMIT_BYTES says how large a body may be",
    "robots": "the site's owner decides. For a site of your own there is INGEST_OBEY_ROBOTS=false",
    "robots_unreachable": "nothing may be fetched until it answers; 404 would do, for no restriction",
    "denied": "see INGEST_DENY_HOSTS, INGEST_ALLOW_PORTS and INGEST_ALLOW_SCHEMES",
    "too_many_redirects": "INGEST_MAX_REDIRECTS says how many are followed",
    "noindex": "the site's owner decides. INGEST_NOINDEX=warn has it read all the same",
    "not_article": "save the page by --body FILE; this reads it again: ingest extract FILE --url {url}",
    "extract_timeout": "INGEST_EXTRACT_TIMEOUT_S says how long reading a page may take",
    "poison": "INGEST_EXTRACT_MEMORY_LIMIT_BYTES says how much memory reading a page may take",
    "http_403": "the site refuses this machine, or {user_agent} (INGEST_USER_AGENT); its owner decides",
    "http_429": "wait; INGEST_HOST_SPACING_S, or an override for {host}, has it asked less often",
}
_ALLOWING = "if that network is meant, this lets every URL reach it: INGEST_ALLOW_NETWORKS={network}"


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a URL that became no article: its row of `worker.outcomes`, and what follows."""

    reason: str
    says: str
    error: str
    again: bool
    hold_host: bool
    attempts: int  # in all, the first one included
    retry_after_s: float | None
    remedy: str | None


def ending_of(story: Story, settings: Settings) -> Ending | None:
    """How the story ended; None if it ended well."""
    if not isinstance(story.end, Failed):
        return None
    reason = story.end.next.reason
    row = outcome(reason)
    return Ending(
        reason=reason,
        says=row.says,
        error="" if story.end.error == reason else story.end.error,
        again=row.again,
        hold_host=row.hold_host,
        attempts=settings.max_attempts if row.again else 1,
        retry_after_s=story.end.retry_after_s,
        remedy=_remedy(reason, story, settings),
    )


def _remedy(reason: str, story: Story, settings: Settings) -> str | None:
    turn = story.turns[-1]
    if reason == "blocked_address":
        return None if (network := _refused_network(turn)) is None else _ALLOWING.format(network=network)
    host = urlsplit(turn.url).hostname or turn.host
    text = REMEDIES.get(reason)
    return text and text.format(host=quote(host), url=quote(turn.url), user_agent=settings.user_agent)


def _refused_network(turn: Turn) -> str | None:
    """The narrowest networks with what was refused, as a setting; None where nobody should allow it."""
    refused = [judged for judged in turn.judged if judged.refusal]
    if not refused or any("cloud" in (judged.refusal or "") for judged in refused):
        return None
    return ",".join(filter(None, (_network(judged.address) for judged in refused))) or "127.0.0.0/8"


def _network(text: str) -> str | None:
    try:
        return str(ip_network(ip_address(text.partition("%")[0])))
    except ValueError:  # a name of this machine, refused without a lookup
        return None
