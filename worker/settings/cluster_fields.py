"""The setting of near-duplicates."""

from __future__ import annotations

from pydantic import Field

from worker.settings.archive_fields import ArchiveSettings


class ClusterSettings(ArchiveSettings):
    """Whether copies of one story are found, and for how long."""

    cluster_days: int = Field(
        default=3,
        ge=0,
        le=30,
        description="days (up to twice as many) after a story's first article in which copies of it get its "
        "`cluster_id`; 0: none is looked for",
    )
