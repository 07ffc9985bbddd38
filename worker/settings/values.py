"""How the text of an environment variable becomes a value, where pydantic alone would not know."""

from __future__ import annotations

import json
import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import ada_url
from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

OVERRIDES_EXAMPLE = '{"example.com": {"spacing_s": 5, "slots": 1}}'

_T = TypeVar("_T")


def usable_cores() -> int:
    """The cores of this process, which a container or `taskset` makes fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lowered(value: object) -> object:
    """Text in lower case; anything else as it is."""
    return value.lower() if isinstance(value, str) else value


def _parts(value: object) -> object:
    return [part for part in re.split(r"[,\s]+", value) if part] if isinstance(value, str) else value


def _networks(value: object) -> object:
    parts = _parts(value)
    return tuple(ip_network(part) for part in parts) if isinstance(parts, list | tuple) else parts


def _names(value: object) -> object:
    parts = _parts(value)
    return frozenset(str(part).lower() for part in parts) if isinstance(parts, list | set | tuple) else parts


def json_object(value: object) -> object:
    """The value that a JSON text holds; anything else as it is. Raises ValueError for broken JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"it should be JSON such as {OVERRIDES_EXAMPLE}: {error}") from error


def redis_address(value: str) -> str:
    """The URL itself. Raises ValueError unless it names a Redis by one of the three schemes."""
    try:
        parts = urlsplit(value)
        complete = parts.path if parts.scheme == "unix" else parts.hostname and (parts.port or True)
    except ValueError:  # a port that is no number, a bracket without its pair
        complete = False
    if not complete or parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError(
            "it should look like redis://host:6379/0, rediss://user:password@host/0 or unix:///path"
        )
    return value


def by_host_key(overrides: dict[str, _T]) -> dict[str, _T]:
    """The same values under keys as `worker.urls.host_key` writes them. Raises ValueError for no host."""
    return {_host_key(name): override for name, override in overrides.items()}


def _host_key(name: str) -> str:
    try:
        url = ada_url.URL(f"http://{name}")
    except ValueError:
        url = None
    if url is None or url.href != f"http://{url.host}/":
        raise ValueError(f"{name!r} should be a host or host:port, as in {OVERRIDES_EXAMPLE}")
    return str(url.host)


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_names)]
RedisUrl = Annotated[str, AfterValidator(redis_address)]
