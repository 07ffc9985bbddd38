"""The closed set of reasons for which a URL does not become an article, one row each.

Retries, host penalties, logs, dead letters, the ledger and the docs all read this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.model import Sign


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reason means.

    `again`: worth another attempt. `hold_host`: the whole host is left alone meanwhile. `sign`: what it says
    about the host, see `worker.model.Signal`.
    """

    reason: str
    again: bool
    hold_host: bool
    says: str
    sign: Sign = "ok"


_ROWS = (
    Outcome("dns", True, False, "the host name did not resolve", "failed"),
    Outcome("connect", True, False, "no connection, or it broke", "failed"),
    Outcome("tls", False, False, "the certificate or the TLS handshake was refused", "failed"),
    Outcome("proxy", True, False, "the proxy could not be reached, or refused", "none"),
    Outcome("timeout", True, False, "connecting, the headers or the whole took too long", "failed"),
    Outcome("too_slow", True, False, "the body stalled", "failed"),
    Outcome("bad_response", True, False, "the response broke HTTP's grammar or ended early", "failed"),
    Outcome("too_large", False, False, "the body is over the limit, on the wire or decompressed"),
    Outcome("bad_encoding", False, False, "the body does not decompress, or by an unknown coding"),
    Outcome("not_html", False, False, "the content is neither HTML nor plain text, whatever its type says"),
    Outcome("empty", False, False, "the response has no body"),
    Outcome("robots", False, False, "robots.txt disallows the URL", "none"),
    Outcome(
        "robots_unreachable",
        True,
        False,
        "robots.txt could not be had: nothing may be fetched (RFC 9309)",
        "none",
    ),
    Outcome("blocked_address", False, False, "the address is private, local or otherwise off limits", "none"),
    Outcome("denied", False, False, "the settings deny the host, the port or the scheme", "none"),
    Outcome("redirect_loop", False, False, "the redirects come back to a URL already visited"),
    Outcome("too_many_redirects", False, False, "more redirects than the setting allows"),
    Outcome("bad_redirect", False, False, "a redirect without a usable Location"),
    Outcome("noindex", False, False, "the page asks not to be indexed, and the settings say to obey"),
    Outcome("not_article", False, False, "the page was read and holds no article"),
    Outcome("extract_timeout", False, False, "extraction ran over its time, twice"),
    Outcome("poison", False, False, "the page killed its process twice, or its workers over and over"),
    Outcome("vetoed", False, False, "a hook of the program that runs the worker refused it", "none"),
    Outcome("hook_failed", True, False, "a hook of that program raised, or took too long", "none"),
    Outcome("malformed", False, False, "the queue item is not a URL or not a valid object", "none"),
    Outcome("internal", True, False, "a fault of our own: please report it", "none"),
)

#: Statuses worth another attempt: timeouts, throttling, and the server's own troubles.
_AGAIN_STATUSES = frozenset({408, 421, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530})
#: Statuses by which a server asks the whole client to hold back (RFC 9110, 15.6.4; RFC 6585, 4).
_HOLD_STATUSES = frozenset({429, 503, 529})

OUTCOMES = {row.reason: row for row in _ROWS}


def outcome(reason: str) -> Outcome:
    """The row for `reason`; statuses are rows `http_<status>`. Raises KeyError outside the set."""
    if row := OUTCOMES.get(reason):
        return row
    status = reason.removeprefix("http_")
    if status == reason or not status.isdecimal() or not 100 <= int(status) <= 599:
        raise KeyError(reason)
    code = int(status)
    phrase = HTTPStatus(code).phrase if code in HTTPStatus._value2member_map_ else "a status of no standard"
    hold = code in _HOLD_STATUSES
    sign: Sign = "throttled" if hold else "failed" if code >= 500 else "ok"
    return Outcome(reason, code in _AGAIN_STATUSES, hold, f"HTTP {code}, {phrase}", sign)
