"""The settings of the connection to Redis, and of what all workers of a namespace must agree on there."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from worker.settings.values import RedisUrl


class StoreSettings(BaseSettings):
    """Where the frontier is."""

    redis_url: RedisUrl = Field(
        default="redis://127.0.0.1:6379/0",
        repr=False,  # it may hold a password
        description="Redis or Valkey: `redis://`, `rediss://` (TLS) or `unix://`, with user and password; "
        "`redis+cluster://host:port,host:port`; `redis+sentinel://host:port,host:port/name/0`",
    )
    namespace: str = Field(
        default="ingest",
        pattern=r"^[^{}:\s]+$",
        description="first part of every key in Redis",
        json_schema_extra={"expects": "text without braces, colons and spaces"},
    )
    partitions: int = Field(
        default=1,
        ge=1,
        le=4096,
        description="parts that the frontier is split into; one number for all workers, for good",
    )
    data_dir: Path = Field(default=Path(".ingest"), description="folder of the embedded Redis' data")
    lease_s: float = Field(
        default=60, ge=1, description="seconds after which the URLs of a worker that fell silent go to others"
    )
    redis_memory_share: float = Field(
        default=0.85,
        gt=0,
        le=1,
        description="share of Redis' maxmemory at which claiming, admission and feeds pause until there is "
        "room; "
        "1 is never",
    )
    durability: Literal["none", "wait"] = Field(
        default="none",
        description="`wait`: what is accepted or published counts once a replica of Redis has it, too",
    )
    redis_timeout_s: float = Field(
        default_factory=lambda given: min(5, given["lease_s"] / 3),
        gt=0,
        description="longest wait for a reply of Redis, in seconds; at most a third of `INGEST_LEASE_S`",
    )
