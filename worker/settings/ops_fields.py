"""The settings of the port by which a worker is watched: metrics, probes and the dashboard."""

from __future__ import annotations

from pydantic import Field

from worker.settings.sink_fields import SinkSettings
from worker.settings.values import Address, Hosts, RedisUrl


class OpsSettings(SinkSettings):
    """Who may look at a worker, and who may retry dead letters there."""

    ops_address: Address = Field(
        default=None,
        description="`host:port` of `/metrics`, `/livez`, `/readyz` and the dashboard; a port alone is one "
        "of 127.0.0.1; port 0 is any free one, which the log tells; without an address nothing listens",
    )
    ops_hosts: Hosts = Field(
        default=frozenset(),
        description="names, and those below them, by which the ops port may be asked: `ops.example, worker`; "
        "its addresses and `localhost` need not be named, and any other name is refused",
    )
    ops_redis_url: RedisUrl | None = Field(
        default=None,
        repr=False,  # it may hold a password
        description="Redis as the ops port sees it, where the worker's own user may not read streams or "
        "retry dead letters: the operator's; without one, `INGEST_REDIS_URL`",
    )
    ops_token: str | None = Field(
        default=None,
        min_length=16,
        repr=False,
        description="who knows it may retry dead letters on the dashboard; without one nobody may",
    )
