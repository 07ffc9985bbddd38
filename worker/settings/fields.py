"""The settings themselves: name, unit, default, limits and description of each.

Where one setting must not pass another (a connect timeout, the total), its default follows the other: whoever
lowers only `INGEST_TOTAL_TIMEOUT_S` hears no complaint about a value never given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from worker import __version__
from worker.settings.values import (
    OVERRIDES_EXAMPLE,
    Names,
    Networks,
    RedisUrl,
    by_host_key,
    json_object,
    lowered,
    usable_cores,
)

PREFIX = "INGEST_"
_MASKED = ("token", "key", "apikey", "api_key", "password", "secret", "signature", "sig", "access_token")


class HostOverride(BaseModel):
    """What differs for one host; `None` is as for all others."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    spacing_s: float | None = Field(default=None, ge=0)
    slots: int | None = Field(default=None, ge=1)


class Settings(BaseSettings):
    """Every setting of a worker; `load_settings` makes it from the environment and reports every fault.

    `Settings(…)` itself reads no environment and raises `pydantic.ValidationError`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", allow_inf_nan=False
    )

    # Redis
    redis_url: RedisUrl = Field(
        default="redis://127.0.0.1:6379/0",
        repr=False,  # it may hold a password
        description="Redis or Valkey: `redis://`, `rediss://` (TLS) or `unix://`, with user and password",
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
    redis_timeout_s: float = Field(
        default_factory=lambda given: min(5, given["lease_s"] / 3),
        gt=0,
        description="longest wait for a reply of Redis, in seconds; at most a third of `INGEST_LEASE_S`",
    )

    # Amount of work
    concurrency: int = Field(default=64, ge=1, le=10_000, description="URLs in work at once in this worker")
    frontier_limit: int = Field(
        default=1_000_000,
        ge=1,
        description="waiting URLs at which admission stops; the rest stays in the queue",
    )
    max_backlog: int = Field(
        default=1_000_000,
        ge=0,
        description="articles in the stream at which claiming pauses until consumers catch up; 0 is never",
    )
    seen_days: int = Field(
        default=7, ge=1, le=366, description="days for which a repeated URL is a duplicate"
    )
    drain_s: float = Field(
        default=25,
        ge=0,
        description="seconds after SIGTERM to end what is in work; the rest is given back uncounted",
    )

    # Citizenship
    host_spacing_s: float = Field(
        default=1,
        ge=0,
        description="least seconds from one request to the next against a host, over all workers",
    )
    host_slots: int = Field(default=1, ge=1, description="requests at once against a host, over all workers")
    host_overrides: Annotated[
        dict[str, HostOverride], NoDecode, BeforeValidator(json_object), AfterValidator(by_host_key)
    ] = Field(default={}, description=f"JSON object of hosts that differ: `{OVERRIDES_EXAMPLE}`")
    obey_robots: bool = Field(default=True, description="obey robots.txt (RFC 9309)")
    robots_ttl_s: float = Field(
        default=86_400,
        gt=0,
        le=86_400,
        description="seconds to keep a robots.txt; at most a day (RFC 9309, 2.4)",
    )
    user_agent: str = Field(
        default=f"ingest/{__version__} (news article worker)",
        pattern=r"^[A-Za-z_-]+(?:[ /(][\x20-\x7e]*)?$",
        json_schema_extra={"expects": "a name of letters, _ and -, then / or a space and printable ASCII"},
        description="User-Agent header; its first word is the robots.txt product token. "
        "Add a URL or address by which site owners reach you",
    )
    allow_networks: Networks = Field(
        default=(), description="comma-separated CIDRs of private or local networks that may be fetched from"
    )

    # One request
    total_timeout_s: float = Field(
        default=30, gt=0, description="longest time for one whole request, in seconds"
    )
    connect_timeout_s: float = Field(
        default_factory=lambda given: min(10, given["total_timeout_s"]),
        gt=0,
        description="longest time to connect, TLS included, in seconds",
    )
    stall_timeout_s: float = Field(
        default_factory=lambda given: min(15, given["total_timeout_s"]),
        gt=0,
        description="longest silence while a response arrives, in seconds",
    )
    max_redirects: int = Field(default=10, ge=0, description="redirects to follow for a URL")
    body_limit_bytes: int = Field(
        default=10_000_000,
        ge=1,
        description="largest body in bytes, on the wire and again after decompression",
    )
    header_limit_bytes: int = Field(
        default=32_768, ge=1024, description="largest response header field, in bytes"
    )

    # Trying again
    max_attempts: int = Field(default=5, ge=1, description="tries for a URL before it is buried")
    max_crashes: int = Field(
        default=3,
        ge=1,
        description="workers that may vanish while holding a URL before it is buried as `poison`",
    )
    retry_max_s: float = Field(default=3600, gt=0, description="longest delay before another try, in seconds")
    retry_base_s: float = Field(
        default_factory=lambda given: min(5, given["retry_max_s"]),
        gt=0,
        description="delay that the first retry is drawn below, in seconds; it doubles with each try",
    )

    # Extraction
    extract_processes: int = Field(
        default_factory=usable_cores,
        ge=1,
        description="processes that read pages",
        json_schema_extra={"shown": "the cores"},
    )
    extract_timeout_s: float = Field(
        default=10, gt=0, description="seconds after which reading a page is killed"
    )
    extract_memory_limit_bytes: int = Field(
        default=2**30, ge=2**26, description="memory that a process reading pages may take, in bytes"
    )

    # Logs
    log_format: Annotated[Literal["json", "console", "auto"], BeforeValidator(lowered)] = Field(
        default="auto",
        description="`json`, `console`, or `auto`: console on a terminal, JSON lines elsewhere",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lowered)] = Field(
        default="info", description="`debug`, `info`, `warning` or `error`: the least level that is written"
    )
    mask_query: Names = Field(
        default=frozenset(_MASKED),
        description="comma-separated names of query parameters whose values logs mask",
    )
    stats_interval_s: float = Field(
        default=10, gt=0, description="seconds from one `worker_stats` line to the next"
    )

    @property
    def product_token(self) -> str:
        """What robots.txt groups are matched against: the first word of `user_agent` (RFC 9309, 2.2.1)."""
        return self.user_agent.partition("/")[0].partition(" ")[0].partition("(")[0]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but the arguments: what the environment gives comes through `load_settings`."""
        return (init_settings,)
