"""The settings of feeders: how often feeds are looked at, and by whom."""

from __future__ import annotations

from pydantic import Field

from worker.settings.silence_fields import SilenceSettings


class FeedSettings(SilenceSettings):
    """How feeds are watched."""

    feeds: bool = Field(default=False, description="workers look at feeds, too, as `ingest feed run` does")
    feed_interval_max_s: float = Field(
        default=21_600,
        gt=0,
        le=31_536_000,
        description="longest pause between two looks at a feed, in seconds",
    )
    feed_interval_min_s: float = Field(
        default_factory=lambda given: min(120, given["feed_interval_max_s"]),
        gt=0,
        description="shortest such pause, in seconds; at most `INGEST_FEED_INTERVAL_MAX_S`",
    )
    feed_limit_bytes: int = Field(
        default=52_428_800,
        ge=1,
        description="largest feed or sitemap in bytes, on the wire and again after decompression",
    )
    feed_seen_days: int = Field(
        default=90,
        ge=1,
        le=3660,
        description="days for which an entry that left its feed is remembered, not to be pushed again",
    )
    feed_concurrency: int = Field(
        default=8, ge=1, le=1000, description="feeds that a process looks at at once"
    )
