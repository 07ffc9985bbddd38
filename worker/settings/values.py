"""How the text of an environment variable becomes a value, where pydantic alone would not know."""

from __future__ import annotations

import json
import os
import re
import ssl
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import ada_url
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

OVERRIDES_EXAMPLE = '{"example.com": {"spacing_s": 5, "slots": 1}}'
PROXIES_EXAMPLE = '{"example.com": "socks5h://proxy:1080", "intranet.example": "direct"}'

_REDIS_SCHEMES = frozenset(
    {"redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"}
)

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
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it should be JSON such as {OVERRIDES_EXAMPLE}: {error}") from error


def redis_address(value: str) -> str:
    """The URL itself. Raises ValueError unless it names a server, a cluster or Sentinels as it should."""
    try:
        parts = urlsplit(value)
        scheme, _, topology = parts.scheme.partition("+")
        if topology:
            nodes = [urlsplit(f"//{node}") for node in parts.netloc.rpartition("@")[2].split(",")]
            form = r"/[^/]+(/\d+)?" if topology == "sentinel" else "/?0?"
            has_hosts = all(node.hostname and (node.port or True) for node in nodes)
            complete = has_hosts and bool(re.fullmatch(form, parts.path))
        else:
            complete = bool(parts.path if scheme == "unix" else parts.hostname and (parts.port or True))
    except ValueError:  # a port that is no number, a bracket without its pair
        complete = False
    if not complete or parts.scheme not in _REDIS_SCHEMES:
        raise ValueError(
            "it should look like redis://host:6379/0, rediss://user:password@host/0, unix:///path, "
            "redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379,host:26379/name/0"
        )
    return value


def by_host_key(overrides: dict[str, _T]) -> dict[str, _T]:
    """The same values under keys as `worker.urls.host_key` writes them. Raises ValueError for no host."""
    return {_host_key(name): override for name, override in overrides.items()}


def _host_key(name: str) -> str:
    if "*" in name:
        raise ValueError(
            f"{name!r} should be one host: what holds for all is INGEST_HOST_SPACING_S and its like, "
            "and INGEST_HOST_GROUPING=domain makes a domain's hosts one"
        )
    try:
        url = ada_url.URL(f"http://{name}")
        url.hostname = url.hostname.removesuffix(".")  # as in `worker.urls`
    except ValueError:
        url = None
    if url is None or url.href != f"http://{url.host}/":
        raise ValueError(f"{name!r} should be a host or host:port, as in {OVERRIDES_EXAMPLE}")
    return str(url.host)


def _hosts(names: frozenset[str]) -> frozenset[str]:
    return frozenset(_host(name) for name in names)


def _host(name: str) -> str:
    """A host as URLs have it. Raises ValueError for what is none; a leading `*.` changes nothing."""
    try:
        url = ada_url.URL(f"http://{name.removeprefix('*.')}/")
    except ValueError:
        url = None
    if url is None or url.href != f"http://{url.hostname}/":
        raise ValueError(f"{name!r} should be a host such as example.com")
    return url.hostname.strip("[]").rstrip(".")


def proxy_address(value: str) -> str:
    """The URL itself. Raises ValueError, which does not quote it, unless it names a proxy."""
    try:
        parts = urlsplit(value)
        is_whole = bool(parts.hostname) and parts.port != 0 and parts.path in {"", "/"} and not parts.query
    except ValueError:
        is_whole = False
    if not is_whole or parts.scheme not in {"http", "https", "socks5", "socks5h"}:
        raise ValueError("it should look like http://user:password@host:3128 or socks5h://host:1080")
    return value


def _proxies(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        # What the parser says of it may quote a password.
        raise ValueError(f"it should be JSON such as {PROXIES_EXAMPLE}") from None


def _by_host(proxies: dict[str, str]) -> dict[str, str]:
    return {_host(name): url if url == "direct" else proxy_address(url) for name, url in proxies.items()}


def _certificates(path: Path | None) -> Path | None:
    if path is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except OSError as error:  # of TLS too
            raise ValueError(f"it should be a PEM file of certificates: {error.strerror}") from error
    return path


def _address(value: object) -> object:
    """`(host, port)` of a text. Raises ValueError for one that names no port."""
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(f"//127.0.0.1:{value}" if value.isdecimal() else f"//{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("it should look like 9464, 127.0.0.1:9464 or [::1]:9464")
    return host, port


Address = Annotated[tuple[str, int] | None, NoDecode, BeforeValidator(_address)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_names)]
RedisUrl = Annotated[str, AfterValidator(redis_address)]
Hosts = Annotated[frozenset[str], NoDecode, BeforeValidator(_names), AfterValidator(_hosts)]
Ports = Annotated[frozenset[Annotated[int, Field(ge=1, le=65_535)]], NoDecode, BeforeValidator(_names)]
Schemes = Annotated[frozenset[Literal["http", "https"]], NoDecode, BeforeValidator(_names)]
ProxyUrl = Annotated[str, AfterValidator(proxy_address)]
ProxiesByHost = Annotated[dict[str, str], NoDecode, BeforeValidator(_proxies), AfterValidator(_by_host)]
CertificatesFile = Annotated[Path | None, AfterValidator(_certificates)]
