"""Feeds and sitemaps: what is in them, and when to look again. Pure: no I/O, no settings."""

from worker.feeds.model import Entry, Feed, NotAFeed
from worker.feeds.parse import parse_feed

__all__ = ["Entry", "Feed", "NotAFeed", "parse_feed"]
