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
from worker.grouping import Grouping
from worker.settings.ops_fields import OpsSettings
from worker.settings.values import (
    OVERRIDES_EXAMPLE,
    PROXIES_EXAMPLE,
    CertificatesFile,
    Hosts,
    Names,
    Networks,
    Ports,
    ProxiesByHost,
    ProxyUrl,
    Schemes,
    by_host_key,
    json_object,
    lowered,
    usable_cores,
)

PREFIX = "INGEST_"
_MASKED = ("token", "key", "apikey", "api_key", "password", "secret", "signature", "sig", "access_token")


#: Beyond these a rest or a number of slots is a slip of the keyboard, and far beyond them Redis refuses it.
_DAY_S = 86_400
_SLOTS_MAX = 10_000


class HostOverride(BaseModel):
    """What differs for one host; `None` is as for all others."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    spacing_s: float | None = Field(default=None, ge=0, le=_DAY_S)
    slots: int | None = Field(default=None, ge=1, le=_SLOTS_MAX)
    delay_factor: float | None = Field(default=None, ge=0)


class Settings(OpsSettings):
    """Every setting of a worker; `load_settings` makes it from the environment and reports every fault.

    `Settings(…)` itself reads no environment and raises `pydantic.ValidationError`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", allow_inf_nan=False
    )

    # Amount of work
    concurrency: int = Field(default=64, ge=1, le=10_000, description="URLs in work at once in this worker")
    frontier_limit: int = Field(
        default=1_000_000,
        ge=1,
        description="waiting URLs at which admission stops; the rest stays in the queue. So many items in it "
        "stop the feeders",
    )
    max_backlog: int = Field(
        default=1_000_000,
        ge=0,
        description="articles in the stream at which claiming pauses until consumers catch up; 0 is never",
    )
    seen_days: int = Field(
        default=7, ge=1, le=366, description="days for which a repeated URL is a duplicate"
    )
    visit_days: int = Field(
        default=30,
        ge=1,
        le=3660,
        description="days to keep the last visit of an article, for its next one to be compared with",
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
        le=_DAY_S,
        description="least seconds from one request to the next against a host, over all workers",
    )
    host_slots: int = Field(
        default=1, ge=1, le=_SLOTS_MAX, description="requests at once against a host, over all workers"
    )
    host_overrides: Annotated[
        dict[str, HostOverride], NoDecode, BeforeValidator(json_object), AfterValidator(by_host_key)
    ] = Field(default={}, description=f"JSON object of hosts that differ: `{OVERRIDES_EXAMPLE}`")
    hosts_file: Path | None = Field(
        default=None,
        description="TOML file of hosts that differ, read anew on SIGHUP; `INGEST_HOST_OVERRIDES` wins",
    )
    host_grouping: Annotated[Grouping, BeforeValidator(lowered)] = Field(
        default="host",
        description="what counts as one host: `host`, or `domain` (registrable); the same for all workers",
    )
    host_delay_factor: float = Field(
        default=1,
        ge=0,
        description="least rest after a request, in latencies of the host; 0: only the spacing counts",
    )
    host_delay_max_s: float = Field(default=30, ge=0, le=_DAY_S, description="longest such rest, in seconds")
    host_penalty_s: float = Field(
        default=10,
        gt=0,
        le=_DAY_S,
        description="rest after 429 or 503 without Retry-After, in seconds; it doubles with each strike",
    )
    host_penalty_max_s: float = Field(
        default=3600, gt=0, le=_DAY_S, description="longest such rest, in seconds"
    )
    breaker_failures: int = Field(
        default=5,
        ge=0,
        description="failures of a host in a row after which only probes try it, now and then; 0 is never",
    )
    breaker_s: float = Field(
        default=60,
        gt=0,
        le=_DAY_S,
        description="seconds to the first probe; it doubles with each probe that fails",
    )
    breaker_max_s: float = Field(
        default=3600, gt=0, le=_DAY_S, description="longest wait for a probe, in seconds"
    )
    address_slots: int = Field(
        default=0,
        ge=0,
        description="requests at once against one IP address, over its hosts, per partition; 0: any number",
    )
    obey_robots: bool = Field(default=True, description="obey robots.txt (RFC 9309)")
    robots_ttl_s: float = Field(
        default=86_400,
        gt=0,
        le=86_400,
        description="seconds to keep a robots.txt; at most a day (RFC 9309, 2.4)",
    )
    noindex: Annotated[Literal["warn", "refuse"], BeforeValidator(lowered)] = Field(
        default="warn",
        description="pages that ask not to be indexed (X-Robots-Tag, a robots `<meta>`): `warn` publishes "
        "them with a warning, `refuse` buries them as `noindex`",
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
    deny_hosts: Hosts = Field(
        default=frozenset(), description="comma-separated hosts to ask nothing of, nor of hosts below them"
    )
    allow_ports: Ports = Field(
        default=frozenset(),
        description="comma-separated ports to go to; without any, all but those of other protocols",
    )
    allow_schemes: Schemes = Field(
        default=frozenset({"http", "https"}), min_length=1, description="`http`, `https` or both"
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
    headers_timeout_s: float = Field(
        default_factory=lambda given: min(15, given["total_timeout_s"]),
        gt=0,
        description="longest time from the request to the end of the response's headers, in seconds",
    )
    stall_timeout_s: float = Field(
        default_factory=lambda given: min(15, given["total_timeout_s"]),
        gt=0,
        description="longest silence while a response arrives, in seconds",
    )
    least_bytes_per_s: float = Field(
        default=100,
        ge=0,
        description="least rate of a body, averaged over `INGEST_STALL_TIMEOUT_S`; 0 is any",
    )
    max_redirects: int = Field(default=10, ge=0, description="redirects to follow for a URL")
    body_limit_bytes: int = Field(
        default=10_000_000,
        ge=1,
        description="largest body in bytes, on the wire and again after decompression",
    )
    bodies_limit_bytes: int = Field(
        default=8_000_000,
        ge=1,
        description="bytes that all bodies in work hold together, compressed if they came so (not with hooks "
        "or an archive), before all but the largest wait",
    )
    header_limit_bytes: int = Field(
        default=32_768, ge=1024, description="largest headers of a response, in bytes, all together"
    )
    header_limit_lines: int = Field(default=200, ge=1, description="most header fields of a response")
    proxy: ProxyUrl | None = Field(
        default=None,
        repr=False,  # it may hold a password
        description="proxy of all requests: `http://`, `https://`, `socks5://` or `socks5h://`, with user "
        "and password",
    )
    proxies: ProxiesByHost = Field(
        default={},
        repr=False,
        description=f"JSON object of hosts, with those below them, that go another way: `{PROXIES_EXAMPLE}`",
    )
    proxies_resolve: bool = Field(
        default=False,
        description="trust proxies with names: do not resolve and check them here first",
    )
    ca_file: CertificatesFile = Field(
        default=None, description="PEM file of certificate authorities to trust beside the system's"
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
        default="info",
        description="`debug`, `info`, `warning` or `error`: the least level that is written; above `info` "
        "the figures and alerts that are made of the log are wrong, and `IngestNoWorker` fires for good",
    )
    mask_query: Names = Field(
        default=frozenset(_MASKED),
        description="comma-separated names of query parameters whose values logs mask",
    )
    stats_interval_s: float = Field(
        default=10,
        gt=0,
        description="seconds from one `worker_stats` line to the next; above 120 an idle worker counts as "
        "gone in the figures that are made of the log, above 300 the alert `IngestNoWorker` fires",
    )

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
