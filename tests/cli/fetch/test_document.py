"""The story of a URL as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cli.fetch.conftest import FERRY, allowed
from tests.site.routes import ANZEIGER

if TYPE_CHECKING:
    from collections.abc import Callable


def shape(value: Any) -> Any:
    """The keys of objects, all the way down."""
    match value:
        case dict():
            return {key: shape(each) for key, each in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case _:
            return None


EXCHANGE = {
    **dict.fromkeys(("url", "status", "failure", "tries", "http_version", "wire_bytes", "body_bytes")),
    **dict.fromkeys(("address", "port", "proxy", "reused")),
    **dict.fromkeys(("dns_ms", "connect_ms", "first_byte_ms", "body_ms", "total_ms")),
    "headers": [[None]],
}
HOP = {
    **dict.fromkeys(("url", "host", "location")),
    "guard": [dict.fromkeys(("address", "refusal"))],
    "robots": dict.fromkeys(("origin", "came_from", "verdict", "allowed", "rule", "crawl_delay_s")),
    "robots_requests": [EXCHANGE],
    "policy": dict.fromkeys(("spacing_s", "slots", "source", "fleet")),
    "request": EXCHANGE,
}


FAILURE = {"reason", "says", "error", "again", "hold_host", "attempts", "retry_after_s", "remedy"}


def test_json_has_the_same_keys_always(at: Callable[[str], str]) -> None:
    """The shape of the object for an article, and of what only a failure has."""
    article = allowed("--json", at(FERRY))
    assert (article.code, article.json["outcome"]) == (0, "article")
    assert shape(article.json) == {
        **dict.fromkeys(("url", "requested_url", "outcome", "failure")),
        "hops": [HOP],
        "charset": {
            **dict.fromkeys(("encoding", "source", "disagree")),
            "declared": dict.fromkeys(("header", "meta")),
            "warnings": [],
        },
        "article": {
            **dict.fromkeys(
                ("article_id", "canonical_url", "title", "published_at", "language", "word_count")
            ),
            **dict.fromkeys(("type", "completeness", "confidence", "extract_ms")),
            "warnings": [],
        },
    }
    failed = allowed("--json", at(f"http://{ANZEIGER}/none"))
    assert (failed.code, failed.json["outcome"], failed.json["article"]) == (1, "http_404", None)
    assert failed.json.keys() == article.json.keys()
    assert failed.json["failure"].keys() == FAILURE
    assert failed.json["hops"][0].keys() == HOP.keys()
