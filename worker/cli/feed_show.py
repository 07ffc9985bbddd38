"""How feeds look on a terminal and in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from worker.cli.screen import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.runtime.discovery import Found
    from worker.store.feeds import WatchedFeed

_KINDS = {"news-sitemap": "news sitemap", "sitemap-index": "sitemap index"}
_TITLE_CHARS = 50


def as_json(feed: WatchedFeed) -> dict[str, Any]:
    """A watched feed as one JSON object; its keys are always the same."""
    return {
        "id": feed.id,
        "url": feed.url,
        "moved_to": feed.moved_to or None,
        "state": feed.state,
        "kind": feed.kind or None,
        "title": feed.title or None,
        "parent": feed.parent or None,
        "entries": feed.entries,
        "pushed": feed.pushed,
        "interval_s": feed.interval_s or None,
        "next_at": _at(feed.due_ms),
        "being_looked_at": feed.leased,
        "last_look_at": _at(feed.looked_ms),
        "last_success_at": _at(feed.worked_ms),
        "added_at": _at(feed.added_ms),
        "failures": feed.failures,
        "error": feed.error or None,
        "etag": feed.validators.etag,
        "last_modified": feed.validators.last_modified,
    }


def table_of(feeds: Sequence[WatchedFeed], now_ms: int) -> Table:
    """A line for each watched feed."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "kind", "pushed", "every", "next", "state", "url"):
        table.add_column(name, justify="right" if name in {"pushed", "every"} else "left", no_wrap=True)
    for feed in feeds:
        troubled = bool(feed.failures or feed.state == "ended")
        table.add_row(
            feed.id,
            _KINDS.get(feed.kind, feed.kind or "–"),
            f"{feed.pushed:,}",
            _span(feed.interval_s) if feed.interval_s else "–",
            _due(feed, now_ms),
            Text(_state(feed), "red" if troubled else ""),
            Text(printable(feed.url)),
        )
    return table


def details_of(feed: WatchedFeed, now_ms: int) -> Table:
    """All that is known of a watched feed, a line each."""
    table = Table.grid(padding=(0, 2))
    for name, value in as_json(feed).items():
        if value not in (None, "", False):
            table.add_row(Text(name.replace("_", " "), "dim"), Text(printable(str(value)), overflow="fold"))
    table.add_row(Text("next", "dim"), _due(feed, now_ms))
    return table


def found_as_json(found: Found) -> dict[str, Any]:
    """What discovery found, as one JSON object."""
    feed = found.feed
    assert feed is not None  # noqa: S101
    newest = feed.newest
    return {
        "kind": feed.kind,
        "url": found.url,
        "title": feed.title,
        "entries": len(feed.entries) or len(feed.sitemaps),
        "newest": newest.isoformat() if newest else None,
        "news": feed.is_news,
        "named_by": found.by,
        "same_as": found.same_as,
        "broken": feed.broken,
    }


def table_of_found(found: Sequence[Found], now: datetime) -> Table:
    """A line for each feed that was found."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("kind", "news", "entries", "newest", "url", "title"):
        table.add_column(name, justify="right" if name == "entries" else "left", no_wrap=name != "url")
        table.columns[-1].overflow = "fold" if name == "url" else "ellipsis"
    for each in found:
        feed = each.feed
        assert feed is not None  # noqa: S101
        title = printable(feed.title or "")
        table.add_row(
            _KINDS.get(feed.kind, feed.kind),
            "yes" if feed.is_news else "no",
            f"{len(feed.entries) or len(feed.sitemaps):,}",
            f"{_span((now - feed.newest).total_seconds())} ago" if feed.newest else "–",
            Text(printable(each.url)),
            Text("as the one above" if each.same_as else title[:_TITLE_CHARS], "dim" if each.same_as else ""),
        )
    return table


def _state(feed: WatchedFeed) -> str:
    if feed.state == "ended":
        return f"ended ({feed.error})"
    if feed.failures:
        return f"failed {feed.failures}×: {printable(feed.error)[:40]}"
    return "active" if feed.worked_ms else "new"


def _due(feed: WatchedFeed, now_ms: int) -> str:
    if feed.due_ms is None:
        return "never"
    if feed.leased:
        return "now"
    return "due" if feed.due_ms <= now_ms else f"in {_span((feed.due_ms - now_ms) / 1000)}"


def _span(seconds: float) -> str:
    """A length of time in its two largest units' worth of sense: 45 s, 12 min, 5 h, 3 d."""
    seconds = max(0.0, seconds)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _at(ms: int | None) -> str | None:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else None
