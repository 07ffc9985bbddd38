"""URLs as the web reads them, and the items of the queue that carry them. Pure: no I/O, no settings.

URLs are parsed by the WHATWG URL standard (ada), as browsers do. The canonical form is what duplicates are
found by, what articles are filed under and what is requested; so only what cannot change a page is left out.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from datetime import datetime
from typing import Any, get_args

import ada_url
import orjson

from worker.errors import Malformed
from worker.grouping import Grouping, group_of
from worker.model import Priority, Submission

URL_LIMIT_BYTES = 8192
ITEM_LIMIT_BYTES = 128 * 1024
META_LIMIT_BYTES = 64 * 1024
ID_LIMIT_CHARS = 1024
LAST_UNIX_S = 253_402_300_799  # the end of year 9999

#: Query parameters that only tell whom to credit for a visit: names in lower case, by who adds them.
_TRACKERS = {
    "Google Ads and Analytics": "gclid gclsrc dclid gbraid wbraid srsltid _ga _gl",
    "Meta": "fbclid fb_action_ids fb_action_types fb_source igshid igsh",
    "Microsoft Ads": "msclkid",
    "X, TikTok, LinkedIn, Pinterest, Reddit": "twclid __twitter_impression ttclid li_fat_id epik rdt_cid",
    "Yandex": "yclid ysclid _openstat",
    "HubSpot": "_hsenc _hsmi __hssc __hstc __hsfp hsctatracking",
    "Mailchimp, Marketo, Omeda, MailerLite, Vero": "mc_cid mc_eid mkt_tok oly_anon_id oly_enc_id "
    "ml_subscriber ml_subscriber_hash vero_conv vero_id",
    "AT Internet, Adobe, comScore": "xtor at_medium at_campaign at_custom1 at_custom2 at_custom3 at_custom4 "
    "s_cid ns_campaign ns_mchannel ns_source ns_linkname ns_fee",
    "Yahoo": "guccounter guce_referrer guce_referrer_sig",
}
TRACKING_PARAMETERS = frozenset(name for names in _TRACKERS.values() for name in names.split())
#: The same for whole families of names: Urchin/Google, Matomo (old and new), HubSpot Ads.
TRACKING_PREFIXES = ("utm_", "pk_", "mtm_", "matomo_", "hsa_")

_KEYS = frozenset({"url", "id", "priority", "meta", "not_before", "force", "recrawl_after_s"})
_QUOTED_CHARS = 200
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")  # RFC 3339, 5.6


def canonicalise(raw: str) -> str:
    """The canonical form of an absolute http or https URL; canonicalising it again changes nothing.

    The WHATWG serialisation, without fragment, tracking parameters, an empty query and a final dot of the
    host. What is left of the query keeps its order and its bytes. User and password are kept: they belong to
    the request (logs mask them). Raises Malformed, and nothing else.
    """
    url = _parsed(raw)
    address, _, query = url.href.partition("#")[0].partition("?")
    kept = "&".join(part for part in query.split("&") if not _tracks(part))
    canonical = f"{address}?{kept}" if kept else address
    if len(canonical) > URL_LIMIT_BYTES:
        raise Malformed(f"the URL is over {URL_LIMIT_BYTES} bytes once encoded", quoted(raw))
    return canonical


def host_key(url: str, by: Grouping = "host") -> str:
    """What politeness is counted by: the host in lower case, with its port unless that is the scheme's own.

    IPv6 addresses are in brackets. By `domain` it is that of the registrable domain, see `worker.grouping`.
    Raises Malformed for what `canonicalise` refuses.
    """
    return group_of(str(_parsed(url).host), by)


def url_digest(url: str) -> bytes:
    """Eight bytes to tell canonical URLs apart; 100 million hold two alike with a probability of 0.03 %."""
    return hashlib.blake2b(url.encode(), digest_size=8).digest()


def article_id(url: str) -> str:
    """The id of whatever article the canonical `url` holds, 32 hex digits; the same for every revision."""
    return hashlib.sha256(url.encode()).hexdigest()[:32]


def partition_of(host: str, partitions: int) -> int:
    """The partition of a host key, from 0. Never to be changed: the fleet must agree on it over versions."""
    return zlib.crc32(host.encode()) % partitions


def quoted(item: str | bytes) -> str:
    """An item as it may stand in a log or a dead letter: printable, and cut to 200 characters."""
    start = item[: 4 * _QUOTED_CHARS]  # enough for 200 characters of any length in UTF-8
    text = start.decode("utf-8", "backslashreplace") if isinstance(start, bytes) else start
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    whole = len(start) == len(item) and len(shown) <= _QUOTED_CHARS
    return shown if whole else shown[: _QUOTED_CHARS - 1] + "…"


def parse_item(raw: bytes, by: Grouping = "host") -> Submission:
    """What a producer asked for by one queue item: a URL, or a JSON object when its first byte is `{`.

    The object holds `url`, and may hold `id` (text or an integer, handed through as text), `priority`
    (`normal` or `high`), `meta` (any JSON of at most 64 KB), `not_before` (RFC 3339, or Unix seconds),
    `recrawl_after_s` (take it even if it was seen, once its last visit is so many seconds ago) and `force`
    (take it even if it was seen just now). `null` is as good as absent. Raises Malformed, and nothing else.
    """
    try:
        return _submission(raw, by)
    except Malformed as error:
        raise Malformed(error.why, quoted(raw)) from error


def tracking_table() -> str:
    """A markdown table of the query parameters that the canonical form leaves out."""
    rows = [f"| {who} | {_code(names.split())} |" for who, names in _TRACKERS.items()]
    rows.append(
        f"| Google, Matomo, HubSpot, by prefix | {_code(f'{prefix}*' for prefix in TRACKING_PREFIXES)} |"
    )
    return "\n".join(("| added by | parameters |", "|---|---|", *rows)) + "\n"


def _parsed(raw: str) -> ada_url.URL:
    if len(raw) > URL_LIMIT_BYTES or len(raw.encode("utf-8", "surrogatepass")) > URL_LIMIT_BYTES:
        raise Malformed(f"the URL is over {URL_LIMIT_BYTES} bytes", quoted(raw))
    try:
        url = ada_url.URL(raw)
        # The root's empty label is optional (RFC 1034, 3.1), and would make one host two for politeness.
        if (name := url.hostname.removesuffix(".")) != url.hostname:
            url.hostname = name
    except ValueError as error:  # UnicodeEncodeError too: lone surrogates
        raise Malformed("not an absolute URL such as https://example.com/news", quoted(raw)) from error
    if url.protocol not in {"http:", "https:"}:
        raise Malformed(f"only http and https are fetched, not {url.protocol.rstrip(':')}", quoted(raw))
    _check_host(url.hostname, raw)
    return url


def _check_host(name: str, raw: str) -> None:
    if not name.startswith("[") and not all(0 < len(label) <= 63 for label in name.split(".")):
        raise Malformed(
            "the host has a label that is empty or over 63 characters (RFC 1035, 2.3.4)", quoted(raw)
        )
    if len(name) > 253:
        raise Malformed("the host is over 253 characters (RFC 1035, 2.3.4)", quoted(raw))


def _tracks(part: str) -> bool:
    name = part.partition("=")[0].lower()
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)


def _submission(raw: bytes, by: Grouping) -> Submission:
    if len(raw) > ITEM_LIMIT_BYTES:
        raise Malformed(f"the item has {len(raw)} bytes, over {ITEM_LIMIT_BYTES}", "")
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError as error:
        raise Malformed("the item is not UTF-8", "") from error
    if not text:
        raise Malformed("the item is empty", "")
    fields: dict[str, Any] = _object(text) if text.startswith("{") else {"url": text}
    url = _typed(fields, "url", str)
    if url is None:
        raise Malformed("the object has no url", "")
    canonical = canonicalise(_single_line(url.strip()))
    return Submission(
        url=canonical,
        host=host_key(canonical, by),
        requested_url=url,
        id=_producer_id(fields),
        priority=_priority(fields),
        not_before_ms=_not_before_ms(fields.get("not_before")),
        force=_typed(fields, "force", bool) or False,
        recrawl_after_s=_recrawl_after_s(fields.get("recrawl_after_s")),
        meta=_meta(fields.get("meta")),
    )


def _single_line(text: str) -> str:
    # The URL standard drops line breaks, which would make one URL of a list pushed as a single item.
    if "\n" in text or "\r" in text:
        raise Malformed("the item has several lines; push each URL as an item of its own", "")
    return text


def _object(text: str) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"broken JSON: {error}", "") from error
    if unknown := sorted(fields.keys() - _KEYS):
        raise Malformed(f"unknown {quoted(', '.join(unknown))}; known are {', '.join(sorted(_KEYS))}", "")
    return fields


def _typed(fields: dict[str, Any], key: str, kind: type) -> Any:
    value = fields.get(key)
    if value is not None and not isinstance(value, kind):
        raise Malformed(f"{key} is not a {'string' if kind is str else 'boolean'}", "")
    return value


def _producer_id(fields: dict[str, Any]) -> str | None:
    value = fields.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    identity: str | None = _typed(fields, "id", str)
    if identity is not None and len(identity) > ID_LIMIT_CHARS:
        raise Malformed(f"id is over {ID_LIMIT_CHARS} characters", "")
    return identity


def _priority(fields: dict[str, Any]) -> Priority:
    value = fields.get("priority")
    if value is None:
        return "normal"
    if value not in get_args(Priority):
        raise Malformed(f"priority is neither {' nor '.join(get_args(Priority))}", "")
    return value  # type: ignore[no-any-return] # one of the literals


def _not_before_ms(value: Any) -> int:
    seconds = 0 if value is None else value
    if isinstance(value, str) and _RFC3339.fullmatch(value):
        try:
            seconds = datetime.fromisoformat(value.upper()).timestamp()
        except ValueError as error:
            raise Malformed(f"not_before is no instant: {error}", "") from error
    if isinstance(seconds, bool | str) or not isinstance(seconds, int | float):
        raise Malformed("not_before is neither RFC 3339 with an offset nor Unix seconds", "")
    if seconds > LAST_UNIX_S:
        raise Malformed("not_before is past the year 9999; it is in seconds, not milliseconds", "")
    return round(max(0, seconds) * 1000)  # first the bound: -1e308 times 1000 is infinite


def _recrawl_after_s(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Malformed("recrawl_after_s is not a number of seconds, 0 or more", "")
    return float(min(value, LAST_UNIX_S))  # a longer time is never over, either


def _meta(value: Any) -> Any:
    try:
        # Inside an event it lies some levels deeper, and orjson writes no more than 254 of them.
        size = len(orjson.dumps([[[[[[[[value]]]]]]]])) - 16
    except orjson.JSONEncodeError as error:
        raise Malformed(f"meta cannot be written as JSON again: {error}", "") from error
    if size > META_LIMIT_BYTES:
        raise Malformed(f"meta has {size} bytes, over {META_LIMIT_BYTES}", "")
    return value


def _code(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)
