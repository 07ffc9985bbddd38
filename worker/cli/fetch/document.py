"""The story of a URL as the one JSON object that `--json` promises."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from worker.cli.fetch.ending import ending_of
from worker.model import Page
from worker.verdict import Publish

if TYPE_CHECKING:
    from worker.cli.fetch.story import Story, Turn
    from worker.fetch.observation import Exchange
    from worker.settings import Settings


def document(story: Story, settings: Settings, *, all_headers: bool) -> dict[str, Any]:
    """Every key is always there, null where there is nothing to say; times in milliseconds."""
    charset, ending = story.charset, ending_of(story, settings)
    return {
        "url": story.url,
        "requested_url": story.requested_url,
        "outcome": ending.reason if ending else "article",
        "hops": [_hop(turn, all_headers=all_headers) for turn in story.turns],
        "charset": charset
        and {
            "encoding": charset.encoding,
            "source": charset.source,
            "declared": charset.declared,
            "disagree": charset.disagree,
            "warnings": list(charset.warnings),
        },
        "article": _article(story),
        "failure": ending and asdict(ending),
    }


def _hop(turn: Turn, *, all_headers: bool) -> dict[str, Any]:
    return {
        "url": turn.url,
        "host": turn.host,
        "location": turn.location,
        "guard": [asdict(judged) for judged in turn.judged],
        "robots": turn.robots and asdict(turn.robots),
        "robots_requests": [_exchange(each, all_headers=all_headers) for each in turn.robots_requests],
        "policy": asdict(turn.pace) | {"fleet": turn.fleet and asdict(turn.fleet)},
        "request": turn.request and _exchange(turn.request, all_headers=all_headers),
    }


def _exchange(exchange: Exchange, *, all_headers: bool) -> dict[str, Any]:
    page = exchange.answer if isinstance(exchange.answer, Page) else None
    return {
        "url": exchange.url,
        "status": exchange.status,
        "failure": exchange.failure
        and {"reason": exchange.failure.reason, "detail": exchange.failure.detail},
        "address": exchange.peer and exchange.peer[0],
        "port": exchange.peer and exchange.peer[1],
        "proxy": exchange.proxy,
        "reused": exchange.reused,
        "tries": exchange.tries,
        "http_version": exchange.http_version,
        "dns_ms": _ms(exchange.dns_s),
        "connect_ms": _ms(exchange.connect_s),
        "first_byte_ms": _ms(exchange.first_byte_s),
        "body_ms": _ms(exchange.body_s),
        "total_ms": _ms(exchange.total_s),
        "wire_bytes": page and page.wire_bytes,
        "body_bytes": page and len(page.body),
        "headers": [list(each) for each in told_headers(exchange, everything=all_headers)],
    }


#: What says how a response is to be read, kept and come back to.
_TELLING = (
    *("content-type", "content-encoding", "content-length", "transfer-encoding", "content-language"),
    *("etag", "last-modified", "cache-control", "expires", "age", "vary"),
    *("x-robots-tag", "retry-after", "refresh", "link", "server", "via"),
)


def told_headers(exchange: Exchange, *, everything: bool) -> list[tuple[str, str]]:
    """The headers to show, names in lower case: all as they came, or those that matter, in a fixed order."""
    came = [(name.lower(), value) for name, value in exchange.headers]
    if everything:
        return came
    order = {name: place for place, name in enumerate(_TELLING)}
    return sorted((each for each in came if each[0] in order), key=lambda each: order[each[0]])


def _article(story: Story) -> dict[str, Any] | None:
    if not isinstance(story.end, Publish):
        return None
    article = story.end.article
    return {
        "article_id": article.article_id,
        "title": article.title,
        "published_at": article.published_at,
        "language": article.language,
        "word_count": article.word_count,
        "type": article.type,
        "completeness": article.completeness,
        "confidence": article.extraction.confidence,
        "canonical_url": article.canonical_url,
        "warnings": list(article.extraction.warnings),
        "extract_ms": story.end.extract_ms,
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
