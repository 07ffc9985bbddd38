"""The settings of the alarm for sources that fall silent."""

from __future__ import annotations

from pydantic import Field

from worker.settings.cluster_fields import ClusterSettings


class SilenceSettings(ClusterSettings):
    """When a host's missing articles, or a missing field of them, are worth a warning."""

    silence_factor: float = Field(
        default=3,
        ge=0,
        description="`source_silent` is told of a host without an article for so many times its longest "
        "pause; 0 turns it off, and `field_lost`",
    )
    silence_after_s: float = Field(
        default=3600, gt=0, description="seconds without an article that are never called silence"
    )
    silence_learn_s: float = Field(
        default=604_800,
        gt=0,
        description="seconds that a host is watched before it can be called silent; its longest pause is "
        "that of the last one or two such times: a week has a weekend in it",
    )
