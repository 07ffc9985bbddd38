"""ingest: URLs in a Redis queue become clean news-article events, each exactly once."""

__version__ = "0.1.0"
